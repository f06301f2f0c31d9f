import CNIRuntime
import JSON
import Linux
import Netavark
import PluginCore

/// The drivers of netavark: `create`, `setup NETNS`, `teardown NETNS`, `info` (netavark plugin API
/// 1.0.0). The name by which it is started is the driver's.
@main
enum Main {
  static func main() {
    Process.prepare()
    do throws(DriverError) {
      try run(try arguments())
      Process.exit(0)
    } catch {
      try? StandardStream.output.write(
        JSONValue.object([("error", .string(error.description))]).encoded() + [0x0a])
      Process.exit(1)
    }
  }

  private static func run(_ words: [String]) throws(DriverError) {
    guard words.count > 1, words[1] != "info" else { return try write(information) }
    let driver = try Driver(program: words[0])
    let host = Host()
    switch words[1] {
    case "create":
      if let objection = host.objection { throw DriverError(objection) }
      try write(.object(try driver.create(try read("network"), host)))
    case "setup":
      let path = try path(words)
      if let objection = host.objection { throw DriverError(objection) }
      let request: ContainerRequest = try read("container")
      // An interrupted podman must not keep a driver from undoing what it has made.
      Process.blockTermination()
      let status = try driver.setup(request, sandboxPath: path, host)
      do throws(DriverError) { try write(status.json) } catch {
        // netavark has ended: it will never ask for the teardown.
        try? driver.teardown(request, sandboxPath: path, host)
        throw error
      }
    case "teardown":
      let path = try path(words)
      let request: ContainerRequest = try read("container")
      Process.blockTermination()
      try driver.teardown(request, sandboxPath: path, host)
    default:
      throw DriverError(
        "\"\(words[1])\" is not a command of a driver; these are create, setup, teardown, info")
    }
  }

  private static var information: JSONValue {
    [
      "version": .string(Release.version), "api_version": "1.0.0",
      "drivers": "ovs: Open vSwitch by options; cni: any CNI configuration list",
    ]
  }

  private static func path(_ words: [String]) throws(DriverError) -> String {
    guard words.count == 3 else {
      throw DriverError("\(words[1]) takes one argument, the path of a network namespace")
    }
    return words[2]
  }

  private static func read<T: JSONDecodable>(_ what: String) throws(DriverError) -> T {
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try StandardStream.input.readToEnd(limit: 4 << 20, until: .after(.seconds(10)))
    } catch { throw DriverError("cannot read the \(what) from standard input: \(error)") }
    let json: JSONValue
    do throws(JSONSyntaxError) { json = try JSONValue(parsing: bytes) } catch {
      throw DriverError("the \(what) on standard input is not JSON: \(error)")
    }
    do throws(JSONDecodingError) { return try T(JSONCursor(json)) } catch {
      throw DriverError("the \(what) on standard input: \(error)")
    }
  }

  private static func write(_ output: JSONValue) throws(DriverError) {
    do throws(SystemError) { try StandardStream.output.write(output.encoded() + [0x0a]) } catch {
      throw DriverError("cannot write to standard output: \(error)")
    }
  }

  /// The words of the command line; see proc_pid_cmdline(5).
  private static func arguments() throws(DriverError) -> [String] {
    do throws(SystemError) {
      let bytes = try FileDescriptor.open("/proc/self/cmdline", [.readOnly]).readToEnd(
        limit: 1 << 16)
      return bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast().map {
        String(decoding: $0, as: UTF8.self)
      }
    } catch { throw DriverError("cannot read the command line: \(error)") }
  }
}
