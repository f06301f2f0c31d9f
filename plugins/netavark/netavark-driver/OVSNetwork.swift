import Addresses
import CNI
import CNIRuntime
import JSON
import Netavark
import PluginConfigurations

/// A network of the driver `ovs`: ports of a bridge of Open vSwitch, as podman's options describe
/// them.
struct OVSNetwork {
  let network: PodmanNetwork
  let options: DriverOptions

  /// The options that are no members of ovs-bridge: of the network, and of each container.
  private static let ownOptions = ["gateway", "masquerade", "publish", "subnet"]
  private static let ownContainerOptions = ["metric", "no_default_route"]

  /// - Parameter container: `--network NAME:KEY=VALUE`, which come before those of the network.
  init(_ network: PodmanNetwork, _ container: DriverOptions = DriverOptions())
    throws(DriverError)
  {
    let ofContainer = OVSOption.ofContainer.map { $0.name } + Self.ownContainerOptions
    let all = OVSOption.ofNetwork.map { $0.name } + Self.ownOptions + ofContainer
    if let option = network.options.first(otherThan: all) {
      throw DriverError(
        "-o \(option): unknown option of the driver ovs; it has "
          + all.sorted().joined(separator: ", "))
    }
    if let option = container.first(otherThan: ofContainer) {
      throw DriverError(
        "--network \(network.name):\(option): unknown option of a container; there are ip, mac, "
          + "interface_name, " + ofContainer.sorted().joined(separator: ", "))
    }
    self.network = network
    options = DriverOptions(network.options, overriddenBy: container)
    if let bridge = options["bridge"], let name = network.interfaceName, bridge != name {
      throw DriverError("--interface-name \(name) and -o bridge=\(bridge) name two bridges")
    }
    if let driver = network.ipamDriver, driver != "host-local", driver != "none" {
      throw DriverError("--ipam-driver \(driver): not one of host-local, none")
    }
    if options["subnet"] != nil, network.ipamDriver != "none" {
      throw DriverError(
        "-o subnet= is for --ipam-driver none; otherwise --subnet says which it is")
    }
  }

  /// The configuration list for a container, or, without one, for the question whether there could
  /// be one.
  func list(for request: ContainerRequest?) throws(DriverError) -> NetworkList {
    var plugin = try OVSOption.configuration(options)
    plugin[OVSBridgeConfiguration.Member.bridge] = (options["bridge"] ?? network.interfaceName).map
    { .string($0) }
    guard plugin[OVSBridgeConfiguration.Member.bridge]?.text?.isEmpty == false else {
      throw DriverError("no bridge is named; -o bridge=NAME or --interface-name NAME names it")
    }
    // These have no effect everywhere, and are legal or not all the same.
    _ = (try metric("eth0"), try options.flag("no_default_route"), try options.flag("publish"))
    plugin[PluginMember.capabilities] = ["mac": true, "ips": true]
    if try isRouted {
      plugin[OVSBridgeConfiguration.Member.isGateway] = true
      plugin[OVSBridgeConfiguration.Member.ipMasq] = .bool(try options.flag("masquerade") ?? true)
    } else if try options.flag("masquerade") == true {
      throw DriverError("-o masquerade=true: this host is not the gateway of the network")
    }
    plugin[PluginMember.ipam] = try addressManagement(request)
    try OVSOption.check(plugin)
    var plugins: [JSONValue] = [.object(plugin)]
    if let request, try publishes(request) {
      plugins.append(["type": "portmap", "capabilities": ["portMappings": true]])
    }
    let list: JSONValue = [
      "cniVersion": .string(SpecificationVersion.current.rawValue),
      "name": .string(network.name), "plugins": .array(plugins),
    ]
    do throws(ListError) { return try NetworkList(parsing: list.encoded()) } catch {
      throw DriverError("network \"\(network.name)\": \(error)")
    }
  }

  /// Whether ports of the container are published by this network. Refuses where they are to be and
  /// cannot.
  private func publishes(_ request: ContainerRequest) throws(DriverError) -> Bool {
    guard !request.portMappings.isEmpty, try options.flag("publish") ?? true else { return false }
    // As with podman's own bridges: another network of the container may publish them.
    if network.isInternal {
      Host.warn("network \"\(network.name)\" is internal: it publishes no ports")
      return false
    }
    guard try isRouted else {
      throw DriverError(
        "ports cannot be published by network \"\(network.name)\": this host is not its gateway; "
          + "-o publish=false leaves them to another network of the container")
    }
    return true
  }

  // MARK: - Addresses and routes

  /// Whether the host is the gateway: as with podman's own bridges, unless the network is internal.
  private var isRouted: Bool {
    get throws(DriverError) {
      switch options["gateway"] ?? "host" {
      case "host": return !network.isInternal && hasSubnets
      case "none": return false
      case let other:
        throw DriverError(
          "-o gateway=\(other): not one of host (this host is the gateway), none (another is)")
      }
    }
  }

  private var hasSubnets: Bool { !network.subnets.isEmpty || options["subnet"] != nil }

  /// The addresses that podman gave, or an own management of addresses; nil for layer 2 alone.
  private func addressManagement(_ request: ContainerRequest?) throws(DriverError) -> JSONValue? {
    let interfaceName = request?.interfaceName ?? "eth0"
    if let text = options["subnet"] {
      let subnets = try subnets(text)
      return [
        "type": "host-local",
        "ranges": .array(subnets.map { [["subnet": .string($0.description)]] }),
        "sticky": "name", "routes": .array(try routes(subnets.map { $0.address }, interfaceName)),
      ]
    }
    let addresses = request?.addresses ?? samples
    guard !addresses.isEmpty else { return nil }
    var entries: [JSONValue] = []
    var destinations: [IPAddress] = []
    for address in addresses {
      guard let subnet = network.subnet(of: address),
        let prefix = IPPrefix(address, length: subnet.prefix.length)
      else {
        throw DriverError(
          "network \"\(network.name)\" has no subnet of \(address)"
            + (network.subnets.isEmpty ? "; --subnet or -o subnet= gives it one" : ""))
      }
      let gateway = subnet.gateway ?? (request == nil ? subnet.prefix.network.successor : nil)
      if gateway != nil { destinations.append(address) }
      entries.append(
        .object([
          ("address", .string(prefix.description)),
          ("gateway", gateway.map { .string($0.description) }),
        ]))
    }
    return [
      "type": "static", "addresses": .array(entries),
      "routes": .array(try routes(destinations, interfaceName)),
    ]
  }

  /// An address of each subnet, for the question whether a container could have one.
  private var samples: [IPAddress] {
    network.subnets.compactMap { $0.prefix.network.successor?.successor ?? $0.prefix.network }
      .filter { network.subnet(of: $0) != nil }
  }

  /// The routes of the network, and a default route for each family of `addresses`, which have
  /// gateways.
  ///
  /// Like those of podman's own bridges the default routes have metric 100, but that of `eth1` has
  /// 101: netavark 1 sets up the networks of a container in any order.
  private func routes(_ addresses: [IPAddress], _ interfaceName: String) throws(DriverError)
    -> [JSONValue]
  {
    var routes: [JSONValue] = network.routes.map { route in
      .object([
        ("dst", .string(route.destination.description)),
        ("gw", .string(route.gateway.description)),
        ("priority", route.metric.map { .integer(Int64($0)) }),
      ])
    }
    let metric = try metric(interfaceName)
    guard try !(options.flag("no_default_route") ?? false), !network.isInternal else {
      return routes
    }
    let families: [(isIPv6: Bool, destination: JSONValue)] = [
      (false, "0.0.0.0/0"), (true, "::/0"),
    ]
    for family in families where addresses.contains(where: { $0.isIPv6 == family.isIPv6 }) {
      routes.append(["dst": family.destination, "priority": .integer(metric)])
    }
    return routes
  }

  private func metric(_ interfaceName: String) throws(DriverError) -> Int64 {
    guard let text = options["metric"] else {
      let number = interfaceName.hasPrefix("eth") ? Int64(interfaceName.dropFirst(3)) : nil
      return 100 + (number.flatMap { (0...1000).contains($0) ? $0 : nil } ?? 0)
    }
    guard let number = UInt32(text) else {
      throw DriverError("-o metric=\(text): not in 0…\(UInt32.max)")
    }
    return Int64(number)
  }

  /// `-o subnet=10.1.0.0/24,fd00::/64`: one range set for each.
  private func subnets(_ text: String) throws(DriverError) -> [IPPrefix] {
    var subnets: [IPPrefix] = []
    for word in text.split(separator: ",", omittingEmptySubsequences: false) {
      do throws(IPPrefix.ParseError) { subnets.append(try IPPrefix(String(word))) } catch {
        throw DriverError("-o subnet=\(text): \(error)")
      }
    }
    return subnets
  }
}
