import CNIRuntime
import Linux
import SandboxRemains

/// Where plugins, configurations and kept results are on this host.
///
/// netavark gives podman's environment to drivers, so the variables of other runtimes, such as
/// `CNI_PATH`, count here as well.
struct Host {
  let runtime: Runtime
  /// Of the driver `cni`, where its option `confdir` does not say otherwise.
  let configurations: ConfigurationDirectory

  /// Where podman had plugins as long as it had CNI, after our own place.
  private static let pluginDirectories =
    "/opt/cni/bin:/usr/local/libexec/cni:/usr/libexec/cni:/usr/local/lib/cni:/usr/lib/cni"

  init() {
    func variable(_ name: String) -> String? {
      Process.environment(name).flatMap { $0.isEmpty ? nil : $0 }
    }
    let path = variable("CNI_PATH") ?? Self.pluginDirectories
    let cache = variable("PATCHBAY_CACHE").map { ResultCache(directory: $0) } ?? .standard
    let runtime = Runtime(pluginPath: path.split(separator: ":").map { String($0) }, cache: cache)
    self.runtime = PodmanRemains.runtime(like: runtime)
    configurations = variable("NETCONFPATH").map { ConfigurationDirectory(path: $0) } ?? .standard
  }

  /// Why drivers cannot do their work for the user of this process; nil where they can.
  ///
  /// Rootless podman runs them in a user namespace and a network namespace of its own, where they
  /// seem to be root.
  var objection: String? {
    let user = Process.environment("_CONTAINERS_ROOTLESS_UID") ?? ""
    guard Process.effectiveUser != 0 || !(user.isEmpty || user == "0") else { return nil }
    return
      "rootless podman cannot reach the links and the Open vSwitch of the host: run podman as root "
      + "for this network"
  }

  /// Writes a line to standard error, which is podman's.
  static func warn(_ text: String) {
    let line = "patchbay: \(text.controlCharactersEscaped)\n"
    try? StandardStream.error.write(Array(line.utf8))
  }
}
