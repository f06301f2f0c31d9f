import ArgumentParser
import CNI
import CNIRuntime
import JSON
import Linux

/// `patchbay network`
struct NetworkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "network",
    abstract: "Make, show, change and remove network configuration lists.",
    discussion: """
      They are files of the configuration directory, which every container runtime of the machine \
      reads. What is written is validated first.

      Examples:
        patchbay network new lab --vlan 10 --subnet 10.1.0.0/24
        patchbay network show lab
        patchbay network rm lab
      """,
    subcommands: [
      NetworkNew.self, NetworkListing.self, NetworkShow.self, NetworkEdit.self,
      NetworkRemove.self,
    ])

  /// The file of the directory that has the network `name`, and the list in it.
  static func file(of name: String, _ options: RuntimeOptions) throws -> (
    path: String, list: NetworkList
  ) {
    do throws(RuntimeError) {
      // One that is broken does not keep the others from being shown or changed.
      for (file, result) in try options.directory.contents() {
        if case .success(let list) = result, list.name == name { return (file, list) }
      }
      // The search ends with an error that names what there is.
      _ = try options.directory.network(name)
    } catch { throw Failure(error) }
    throw Failure("there is no network \"\(name)\" in \(options.directory.path)")
  }

  /// Refuses `json` if it has errors, and says what it is warned of.
  static func validate(_ json: JSONValue, as file: String) throws {
    let faults = Validator(isList: file.hasSuffix(".conflist")).faults(of: json)
    let errors = faults.filter { $0.severity == .error }
    guard errors.isEmpty else {
      throw Failure(errors.map(\.text.controlCharactersEscaped).joined(separator: "\n"))
    }
    for fault in faults { say(fault.text.controlCharactersEscaped, .warning) }
  }
}

/// `patchbay network list`
struct NetworkListing: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the networks of the configuration directory.",
    usage: "patchbay network list [<options>]",
    discussion: """
      Example:
        patchbay network list
      """)

  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  func run() throws {
    var table = Table(["NETWORK", "BRIDGE", "VLAN", "SUBNETS", "FILE"])
    do throws(RuntimeError) {
      for (file, result) in try options.directory.contents() {
        switch result {
        case .failure(let error): say(error.description, .warning)
        case .success(let list):
          let plugin = list.plugins.first { $0.json["bridge"] != nil }?.json
          let vlan = plugin?["vlan"]?.integer.map { "\($0)" } ?? "-"
          let ipam = plugin?["ipam"]
          let sets = ipam?["ranges"]?.array ?? []
          let subnets = (sets.flatMap { $0.array ?? [] } + [ipam].compactMap { $0 }).compactMap {
            $0["subnet"]?.text
          }
          table.add([
            list.name, plugin?["bridge"]?.text ?? "-", vlan,
            subnets.isEmpty ? "-" : subnets.joined(separator: ", "),
            file.split(separator: "/").last.map { String($0) } ?? file,
          ])
        }
      }
    } catch { throw Failure(error) }
    show(table.text())
  }
}

/// `patchbay network show`
struct NetworkShow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Print a network's configuration, and where it is.",
    usage: "patchbay network show <name> [<options>]",
    discussion: """
      Example:
        patchbay network show lab
      """)

  @Argument(help: "The network's name.", completion: .networks)
  var name: String

  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  func run() throws {
    let (path, list) = try NetworkCommand.file(of: name, options)
    say(path)
    let json = try? JSONValue(parsing: list.text)
    show(String(decoding: json?.encoded(indentedBy: 2) ?? list.text, as: UTF8.self))
  }
}

/// `patchbay network rm`
struct NetworkRemove: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rm", abstract: "Remove a network's configuration.",
    usage: "patchbay network rm <name> [--force] [<options>]",
    discussion: """
      A network that has attachments is refused; patchbay del detaches them. The bridge stays.

      Example:
        patchbay network rm lab
      """)

  @Argument(help: "The network's name.", completion: .networks)
  var name: String

  @Flag(help: "Also with attachments, which keep what they were made with.")
  var force = false

  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  func run() throws {
    let (path, _) = try NetworkCommand.file(of: name, options)
    do {
      let entries = try options.runtime.cache.entries().filter { $0.network == name }
      if let entry = entries.first, !force {
        let id = entry.attachment.containerID
        let attachments =
          entries.count == 1 ? "an attachment, of" : "\(entries.count) attachments, one of them of"
        throw Failure(
          "network \"\(name)\" has \(attachments) container \"\(id)\"",
          hint: "patchbay list shows them; --force removes the configuration all the same")
      }
    } catch let error as SystemError { throw Failure(.unreadableCache(error)) }
    let file = path.split(separator: "/").last.map { String($0) } ?? path
    do { try Directory(path: String(path.dropLast(file.count + 1))).remove(file) } catch {
      throw Failure("cannot remove \(path): \(error)")
    }
    show("removed \(path)")
  }
}
