import ArgumentParser
import CNIRuntime
import JSON
import Linux
import PluginCore
import PluginExecution

struct Version: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "version",
    abstract: "Show the plugins there are and the versions of the specification they speak.",
    usage: "patchbay version [<type> ...] [--json] [<options>]",
    discussion: """
      Runs VERSION of each executable in the directories of plugins, or of those named.

      Examples:
        patchbay version
        patchbay version ovs-bridge host-local
      """)

  @Argument(help: ArgumentHelp("Plugins (default: all).", valueName: "type"))
  var types: [String] = []

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  /// A plugin, or an executable that may be one.
  private struct Found {
    let type: String
    let directory: String
    let versions: Result<[String], RuntimeError>
  }

  func run() throws {
    var found: [Found] = []
    var missing = types
    for directory in options.pluginDirectories {
      var runtime = options.runtime
      runtime.pluginPath = [directory]
      for type in try executables(of: directory)
      where (types.isEmpty || missing.contains(type)) && !found.contains(where: { $0.type == type })
      {
        missing.removeAll { $0 == type }
        let versions: Result<[String], RuntimeError>
        do { versions = .success(try runtime.versions(of: type)) } catch {
          versions = .failure(error)
        }
        found.append(Found(type: type, directory: directory, versions: versions))
      }
    }
    if json { showJSON(found) } else { showTable(found) }
    guard missing.isEmpty else {
      let path = options.pluginDirectories.joined(separator: ", ")
      throw Failure(
        "no plugin \(missing.map { "\"\($0)\"" }.joined(separator: ", ")) in \(path)",
        hint: "--cni-path or CNI_PATH says where else to look")
    }
  }

  private func executables(of directory: String) throws -> [String] {
    let names: [String]
    do { names = try Directory(path: directory).names() } catch {
      say("\(error.description); \"make install\" puts plugins there", .warning)
      return []
    }
    // Where the tool lies beside them, as after the build, it is none of them.
    return names.sorted().filter { name in
      guard name != Executables.tool,
        let status = try? FileStatus(path: "\(directory)/\(name)")
      else { return false }
      return status.kind == .regular && status.permissions & 0o111 != 0
    }
  }

  private func showTable(_ found: [Found]) {
    show("\(Executables.tool) \(Release.version)")
    var table = Table(["PLUGIN", "DIRECTORY", "VERSIONS"], endsInProse: true)
    for plugin in found {
      let versions =
        switch plugin.versions {
        case .success(let versions): versions.joined(separator: " ")
        case .failure(let error): "no answer: \(Self.reason(error))"
        }
      table.add([plugin.type, plugin.directory, versions])
    }
    if !found.isEmpty { show(table.text()) }
  }

  /// In a line, without what the table says already.
  private static func reason(_ error: RuntimeError) -> String {
    var text = error.description
    if case .plugin(_, _, _, let failure) = error { text = failure.description }
    let line = text.split(separator: "\n").first ?? ""
    return line.count > 80 ? line.prefix(80) + "…" : String(line)
  }

  private func showJSON(_ found: [Found]) {
    let plugins = found.map { plugin in
      var versions: JSONValue?
      var fault: JSONValue?
      switch plugin.versions {
      case .success(let texts): versions = .array(texts.map { .string($0) })
      case .failure(let error): fault = .string(error.description)
      }
      return JSONValue.object([
        ("type", .string(plugin.type)), ("directory", .string(plugin.directory)),
        ("supportedVersions", versions), ("error", fault),
      ])
    }
    let document: JSONValue = [
      "patchbay": .string(Release.version), "plugins": .array(plugins),
    ]
    show(document)
  }
}
