import Addresses
import ArgumentParser
import CNI
import CNIRuntime
import JSON
import Linux
import SandboxRemains

struct List: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List networks and attachments.",
    usage: "patchbay list [--json] [--no-trunc] [<options>]",
    discussion: """
      The networks are those of the configuration directory; the attachments those whose \
      results are kept, by whichever runtime.

      Examples:
        patchbay list
        patchbay list --json | jq -r '.attachments[].containerID'
      """)

  @Flag(help: "Print JSON.")
  var json = false

  @Flag(name: .customLong("no-trunc"), help: "Print whole names, container IDs and paths.")
  var isWhole = false

  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  func run() throws {
    let contents: [(file: String, list: Result<NetworkList, RuntimeError>)]
    do throws(RuntimeError) { contents = try options.directory.contents() } catch {
      throw Failure(error)
    }
    var entries: [CachedAttachment]?
    var failure: Failure?
    do throws(SystemError) {
      let podman = PodmanRemains.runtime(like: options.runtime).cache
      entries = try options.runtime.cache.entries() + podman.entries()
    } catch { failure = Failure(.unreadableCache(error)) }
    if json { showJSON(contents, entries) } else { showTables(contents, entries) }
    if let failure { throw failure }
  }

  private func showTables(
    _ contents: [(file: String, list: Result<NetworkList, RuntimeError>)],
    _ entries: [CachedAttachment]?
  ) {
    var networks = Table(
      ["NETWORK", "VERSION", "PLUGINS", "FILE"], cutting: ["NETWORK", "FILE"], isWhole: isWhole)
    var files: [String: String] = [:]
    var faults: [String] = []
    for (file, result) in contents {
      switch result {
      case .failure(let error): faults.append(error.description)
      case .success(let list):
        let hider = files[list.name]
        if hider == nil { files[list.name] = file }
        networks.add([
          list.name, list.version.isEmpty ? "0.1.0" : list.version,
          list.plugins.map(\.type).joined(separator: ", "),
          name(of: file) + (hider.map { " (hidden by \(name(of: $0)))" } ?? ""),
        ])
      }
    }
    if files.isEmpty {
      show("no networks in \(options.directory.path.controlCharactersEscaped)")
    } else {
      show(networks.text())
    }
    for fault in faults { say(fault, .warning) }
    guard let entries else { return }
    show("")
    if entries.isEmpty {
      show("no attachments in \(ResultCache(directory: options.cachePath).path)")
    } else {
      var table = Table(
        ["NETWORK", "CONTAINER", "INTERFACE", "ADDRESS", "SANDBOX"], shortening: ["CONTAINER"],
        cutting: ["NETWORK", "SANDBOX"], isWhole: isWhole)
      for entry in entries {
        let addresses = entry.addresses
        table.add([
          entry.network, entry.attachment.containerID, entry.attachment.interfaceName,
          addresses.first ?? "-", sandbox(entry),
        ])
        // One a line, so that the table is not wider than a terminal.
        for address in addresses.dropFirst() { table.add(["", "", "", address, ""]) }
      }
      show(table.text())
    }
  }

  /// Of a file of the directory, whose path would not fit beside the rest.
  private func name(of file: String) -> String {
    let directory = options.directory.path + "/"
    return isWhole || !file.hasPrefix(directory) ? file : String(file.dropFirst(directory.count))
  }

  /// The name of ip-netns(8), else the path.
  private func sandbox(_ entry: CachedAttachment) -> String {
    var text = entry.knownSandboxPath
    if text.isEmpty { return "-" }
    if !isWhole, let directory = SandboxPath.directories.first(where: { text.hasPrefix($0 + "/") })
    {
      text = String(text.dropFirst(directory.count + 1))
    }
    return text + (entry.sandboxIsGone ? " (gone)" : "")
  }

  private func showJSON(
    _ contents: [(file: String, list: Result<NetworkList, RuntimeError>)],
    _ entries: [CachedAttachment]?
  ) {
    let networks = contents.map { file, result in
      switch result {
      case .success(let list):
        JSONValue.object([
          ("name", .string(list.name)), ("cniVersion", .string(list.version)),
          ("plugins", .array(list.plugins.map { .string($0.type) })), ("file", .string(file)),
        ])
      case .failure(let error):
        JSONValue.object([("file", .string(file)), ("error", .string(error.description))])
      }
    }
    let attachments = entries?.map { entry in
      JSONValue.object([
        ("network", .string(entry.network)),
        ("containerID", .string(entry.attachment.containerID)),
        ("interface", .string(entry.attachment.interfaceName)),
        ("addresses", .array(entry.addresses.map { .string($0) })),
        (
          "sandbox", entry.knownSandboxPath.isEmpty ? nil : .string(entry.knownSandboxPath)
        ),
        ("sandboxGone", .bool(entry.sandboxIsGone)),
      ])
    }
    let document = JSONValue.object([
      ("networks", .array(networks)), ("attachments", attachments.map { .array($0) }),
    ])
    show(document)
  }
}

extension CachedAttachment {
  /// The addresses of the result, with their prefix lengths.
  var addresses: [String] {
    guard let result,
      let decoded = try? AttachmentResult(JSONCursor(result), defaultVersion: .v0_1_0)
    else { return [] }
    return decoded.addresses.map(\.address.description)
  }
}
