import ArgumentParser
import CNI
import CNIRuntime
import JSON
import Linux

struct Validate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate",
    abstract: "Find every fault of network configurations.",
    discussion: """
      Names each fault with its file, its path in the file and what is legal. Checked are what \
      a runtime demands of any list, and every member of the plugins of this project. Exit status \
      1 when there is an error; a warning is something that works, but hardly as meant. Where \
      the firewall of this host may be read, that includes what it would drop of a network with a \
      gateway.

      Examples:
        patchbay validate /etc/cni/net.d/*.conflist
        patchbay validate my.conflist && sudo cp my.conflist /etc/cni/net.d/
      """)

  @Argument(
    help: ArgumentHelp("Network configurations, of one plugin or lists.", valueName: "file"),
    completion: .file())
  var files: [String]

  @Flag(help: "Print only faults.")
  var quiet = false

  @Flag(help: "Print JSON.")
  var json = false

  @Option(
    name: .customLong("cni-path"),
    help: ArgumentHelp(
      "Directories of plugins, with \":\" between them (CNI_PATH; default /opt/cni/bin).",
      valueName: "dirs"),
    completion: .directory)
  var pluginPath: String?

  func run() throws {
    let directories = RuntimeOptions.pluginDirectories(pluginPath)
    var errors = 0
    var segments: [NetworkSegment] = []
    var documents: [JSONValue] = []
    for file in files {
      let (json, own) = read(file)
      var faults = own
      if let json {
        faults += MissingPlugin.faults(of: json, in: directories) + ForwardWarning.faults(of: json)
      }
      let new = json.map { NetworkSegment.all(of: $0, in: file) } ?? []
      for segment in new { faults += segments.flatMap { segment.overlaps(with: $0) } }
      segments += new
      errors += faults.filter { $0.severity == .error }.count
      if self.json {
        documents.append([
          "file": .string(file), "faults": .array(faults.map(\.json)),
        ])
      } else {
        tell(file, faults)
      }
    }
    if json {
      let whole: JSONValue = ["files": .array(documents)]
      show(whole)
    }
    if errors > 0 { throw ExitCode(1) }
  }

  private func tell(_ file: String, _ faults: [Fault]) {
    let name = file.controlCharactersEscaped
    for fault in faults {
      let kind = fault.severity.rawValue
      let style: Style = fault.severity == .error ? .error : .warning
      let text = fault.text.controlCharactersEscaped
      show("\(name): \(StandardStream.output.styled("\(kind):", style)) \(text)")
    }
    if faults.isEmpty, !quiet {
      show("\(name): \(StandardStream.output.styled("no faults", .good))")
    }
  }

  /// The content of a file, where it is JSON, and its faults.
  private func read(_ file: String) -> (JSONValue?, [Fault]) {
    let bytes: [UInt8]
    do {
      bytes = try FileDescriptor.open(file, [.readOnly, .nonBlocking]).readToEnd(limit: 16 << 20)
    } catch {
      if (try? FileStatus(path: file))?.kind == .directory {
        return (
          nil, [Fault(.error, "is a directory; name the files in it, as in \(file)/*.conflist")]
        )
      }
      return (nil, [Fault(.error, "cannot be read: \(error.description)")])
    }
    do {
      let json = try JSONValue(parsing: bytes)
      return (json, Validator(isList: file.hasSuffix(".conflist")).faults(of: json))
    } catch { return (nil, [Fault(.error, "not JSON: \(error.description)")]) }
  }
}

extension Fault {
  fileprivate var json: JSONValue {
    ["severity": .string(severity.rawValue), "message": .string(text)]
  }
}

/// Plugins that a configuration names and that are not installed.
private enum MissingPlugin {
  /// Warnings of types that are in none of these directories; none where no directory is there, as
  /// on another machine.
  static func faults(of json: JSONValue, in directories: [String]) -> [Fault] {
    let present = directories.filter { (try? FileStatus(path: $0))?.kind == .directory }
    guard !present.isEmpty else { return [] }
    let root = JSONCursor(json)
    let plugins = (try? root[NetworkList.Member.plugins].elements) ?? [root]
    var types: [JSONCursor] = []
    for plugin in plugins {
      types += [plugin[PluginMember.type], plugin[PluginMember.ipam][IPAMMember.type]]
    }
    return types.compactMap { place in
      guard let type = place.value?.text, !type.isEmpty, !type.contains("/"),
        !present.contains(where: { (try? FileStatus(path: "\($0)/\(type)")) != nil })
      else { return nil }
      let path = directories.joined(separator: ":")
      return Fault(
        .warning,
        place.error("there is no plugin \"\(type)\" in CNI_PATH (\(path))").description)
    }
  }
}
