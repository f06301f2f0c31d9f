import ArgumentParser
import CNIRuntime
import Linux

/// Where the runtime finds what it needs; each option has its variable, as with cnitool.
struct RuntimeOptions: ParsableArguments {
  @Option(
    name: .customLong("conf-dir"),
    help: ArgumentHelp(
      "Directory of network configurations (NETCONFPATH; default /etc/cni/net.d).",
      valueName: "dir"),
    completion: .directory)
  var configurationPath: String?

  @Option(
    name: .customLong("cni-path"),
    help: ArgumentHelp(
      "Directories of plugins, with \":\" between them (CNI_PATH; default /opt/cni/bin).",
      valueName: "dirs"),
    completion: .directory)
  var pluginPath: String?

  @Option(
    name: .customLong("cache-dir"),
    help: ArgumentHelp(
      "Directory in which results are kept, in \"results\".", valueName: "dir"),
    completion: .directory)
  var cachePath = ResultCache.standard.directory

  @Option(help: ArgumentHelp("Seconds that one plugin may take.", valueName: "seconds"))
  var timeout = 60

  @Flag(help: "Show each plugin's input, output, exit status and time, on standard error.")
  var trace = false

  func validate() throws {
    guard (1...86_400).contains(timeout) else {
      throw ValidationError("--timeout: \(timeout) is not in 1…86400 seconds")
    }
  }

  /// The directory of network configurations.
  var directory: ConfigurationDirectory {
    let path = configurationPath ?? Process.environment("NETCONFPATH") ?? ""
    return path.isEmpty ? .standard : ConfigurationDirectory(path: path)
  }

  /// The list of the network `name`.
  func network(_ name: String) throws -> NetworkList {
    do throws(RuntimeError) { return try directory.network(name) } catch { throw Failure(error) }
  }

  /// The directories of plugins.
  var pluginDirectories: [String] { Self.pluginDirectories(pluginPath) }

  /// The directories of `option`, else of the environment, else where plugins are as a rule.
  static func pluginDirectories(_ option: String?) -> [String] {
    let path = option ?? Process.environment("CNI_PATH") ?? ""
    return (path.isEmpty ? "/opt/cni/bin" : path).split(separator: ":").map(String.init)
  }

  /// The runtime that these options describe.
  var runtime: Runtime {
    let isTraced = trace
    return Runtime(
      pluginPath: pluginDirectories, cache: ResultCache(directory: cachePath),
      timeout: .seconds(timeout)
    ) { isTraced ? PluginTrace.show($0) : PluginTrace.remark($0) }
  }
}
