import Glibc
import JSON
import Linux

/// Where everything of a run is: files, namespaces, plugins.
enum Place {
  /// In the playground, where it is memory and gone at the end.
  static let directory = "/run/bench"
  /// The executables under test.
  static let ours = Process.environment("PATCHBAY_BIN") ?? "dist"
  /// Those of Debian's package containernetworking-plugins.
  static let references = "/usr/lib/cni"
  /// Ours without Embedded Swift, where `.ci/build normal` has been run.
  static let normal = "\(ours)/normal"
  /// A static C program that does nothing, which `.ci/bench` makes.
  static let empty = "\(ours)/../.build/bench/empty"
  static let bridge = "bench"

  static func prepare() throws {
    // A playground's process 1 is the tool.
    guard text("/proc/1/comm") == "patchbay\n" else {
      throw BenchError("this is to run in a playground: .ci/bench starts it there")
    }
    mkdir(directory, 0o755)
  }

  /// Makes a network namespace.
  static func addSandbox(_ name: String) throws {
    try Program.tool("ip", "netns", "add", name).checked()
  }
  static func sandboxPath(_ name: String) -> String { "/run/netns/\(name)" }

  /// Writes a configuration and answers the path of its file.
  static func write(_ name: String, _ configuration: JSONValue) throws -> String {
    let path = "\(directory)/\(name).json"
    try fill(path, with: String(decoding: configuration.encoded(), as: UTF8.self))
    return path
  }
}

/// A plugin of either side, and the configuration it gets.
struct Plugin {
  let name: String
  /// Where it lies, and those that it delegates to.
  var directory = Place.ours
  /// The path of the file with the plugin configuration.
  let configuration: String

  var path: String { "\(directory)/\(name)" }

  /// The invocation for a command and an attachment.
  func program(
    _ command: String, _ containerID: String = "", sandbox: String = "none",
    ifname: String = "eth0",
    output: String = "plugin"
  ) -> Program {
    var environment = ["CNI_COMMAND=\(command)", "CNI_PATH=\(directory)"]
    if !containerID.isEmpty {
      environment += [
        "CNI_CONTAINERID=\(containerID)", "CNI_NETNS=\(Place.sandboxPath(sandbox))",
        "CNI_IFNAME=\(ifname)",
      ]
    }
    return Program(
      path: path, environment: Program.inherited + environment, input: configuration,
      output: "\(Place.directory)/\(output).out")
  }
}

/// Shows how far it is.
func progress(_ text: String) {
  try? StandardStream.error.write(Array((text + "\n").utf8))
}
