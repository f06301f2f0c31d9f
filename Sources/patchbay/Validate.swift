import ArgumentParser
import CNIRuntime
import JSON
import Linux

struct Validate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Find every fault of network configurations.",
    discussion: """
      Names each fault with its file, its path in the file and what is legal. Checked are what \
      a runtime demands of any list, and every member of the plugins of this project. Exit status \
      1 when there is an error; a warning is something that works, but hardly as meant.

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

  func run() throws {
    var errors = 0
    for file in files {
      let faults = try faults(in: file)
      errors += faults.filter { $0.severity == .error }.count
      for fault in faults {
        let kind = fault.severity.rawValue
        let style: Style = fault.severity == .error ? .error : .warning
        show("\(file): \(StandardStream.output.styled("\(kind):", style)) \(fault.text)")
      }
      if faults.isEmpty, !quiet {
        show("\(file): \(StandardStream.output.styled("no faults", .good))")
      }
    }
    if errors > 0 { throw ExitCode(1) }
  }

  private func faults(in file: String) throws -> [Fault] {
    let bytes: [UInt8]
    do {
      bytes = try FileDescriptor.open(file, [.readOnly, .nonBlocking]).readToEnd(limit: 16 << 20)
    } catch {
      if (try? FileStatus(path: file))?.kind == .directory {
        return [Fault(.error, "is a directory; name the files in it, as in \(file)/*.conflist")]
      }
      return [Fault(.error, "cannot be read: \(error.description)")]
    }
    do {
      let json = try JSONValue(parsing: bytes)
      return Validator(isList: file.hasSuffix(".conflist")).faults(of: json)
    } catch { return [Fault(.error, "not JSON: \(error.description)")] }
  }
}
