import Foundation
import TestSupport

/// The built tool, with directories of its own.
struct Tool {
  let files: TemporaryDirectory
  /// Where plugins are looked for.
  var pluginPath = Plugin.references

  init() throws { files = try TemporaryDirectory() }

  var networks: String { "\(files.path)/net.d" }
  var cache: String { "\(files.path)/cni" }

  /// Runs a command with the directories of this value, unless it says otherwise.
  func run(
    _ arguments: String..., environment: [String: String] = [:], timeout: Duration = .seconds(60)
  ) throws -> Output {
    var variables = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("CNI_") }
    variables["NETCONFPATH"] = networks
    variables["CNI_PATH"] = pluginPath
    // Of what is installed here no test of a configuration may depend.
    if arguments.first == "validate", pluginPath == Plugin.references {
      variables["CNI_PATH"] = "/there/is/none"
    }
    let needsCache = ["add", "check", "del", "gc", "list", "bench"].contains(arguments.first ?? "")
    return try TestSupport.run(
      "\(Plugin.directory)/patchbay",
      arguments + (needsCache ? ["--cache-dir", cache] : []),
      environment: variables.merging(environment) { $1 }, timeout: timeout)
  }

  /// Writes a list of these plugins for the network `name`.
  func network(_ name: String, version: String = "1.0.0", _ plugins: Document...) throws {
    let list: Document = [
      "cniVersion": .string(version), "name": .string(name), "plugins": .array(plugins),
    ]
    try files.write(String(decoding: list.encoded, as: UTF8.self), to: "net.d/\(name).conflist")
  }
}
