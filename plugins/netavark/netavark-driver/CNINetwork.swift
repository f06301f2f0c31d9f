import CNIRuntime
import JSON
import Netavark

/// A network of the driver `cni`: a configuration list, as other runtimes use it.
struct CNINetwork {
  let list: NetworkList
  /// `-o publish=`: whether `-p` is for this network.
  let publishes: Bool
  private static let options = ["network", "confdir", "publish"]

  /// The name of the list: that of the option `network`, or podman's name of the network.
  static func name(_ network: PodmanNetwork) -> String {
    network.options["network"] ?? network.name
  }

  /// Where the list is looked for.
  static func directory(_ network: PodmanNetwork, _ host: Host) -> ConfigurationDirectory {
    network.options["confdir"].map { ConfigurationDirectory(path: $0) } ?? host.configurations
  }

  init(_ network: PodmanNetwork, _ host: Host) throws(DriverError) {
    if let option = network.options.first(otherThan: Self.options) {
      throw DriverError(
        "-o \(option): unknown option of the driver cni; it has network, the name of a "
          + "configuration list, confdir, the directory of lists, and publish=false")
    }
    let name = Self.name(network)
    func refuse(_ option: String, _ isGiven: Bool) throws(DriverError) {
      guard isGiven else { return }
      throw DriverError(
        "\(option) has no effect: the configuration list \"\(name)\" decides that")
    }
    try refuse("--subnet", !network.subnets.isEmpty)
    try refuse("--route", !network.routes.isEmpty)
    try refuse("--internal", network.isInternal)
    try refuse("--interface-name", network.interfaceName != nil)
    try refuse("--ipam-driver", network.ipamDriver != nil && network.ipamDriver != "none")
    publishes = try network.options.flag("publish") ?? true
    do throws(RuntimeError) {
      list = try Self.directory(network, host).network(name)
    } catch { throw DriverError(error) }
  }

  /// The list, for a container that asks for nothing that it does not know.
  func list(for request: ContainerRequest) throws(DriverError) -> NetworkList {
    if let option = request.options.pairs.first?.name {
      throw DriverError(
        "--network \(request.network.name):\(option): unknown option; with the driver cni there "
          + "are ip, mac and interface_name")
    }
    return list
  }
}

extension DriverOptions {
  /// The value of an option that is `true` or `false`; `-o NAME` alone is `true`.
  func flag(_ name: String) throws(DriverError) -> Bool? {
    switch self[name] {
    case nil: return nil
    case "true", "1", "": return true
    case "false", "0": return false
    case let other?: throw DriverError("-o \(name)=\(other): not one of true, false")
    }
  }
}
