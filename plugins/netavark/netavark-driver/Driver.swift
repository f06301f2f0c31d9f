import CNI
import CNIRuntime
import JSON
import Linux
import Netavark
import SandboxRemains

/// What a network of podman is made of.
enum Driver: String {
  /// A port of Open vSwitch, by options.
  case ovs
  /// A CNI configuration list.
  case cni

  /// The one whose name the program has.
  init(program: String) throws(DriverError) {
    let name = program.split(separator: "/").last.map { String($0) } ?? ""
    guard let driver = Driver(rawValue: name) else {
      throw DriverError(
        "\"\(name)\" is not a driver: install this program under the names \"ovs\" and \"cni\", in "
          + "/usr/local/libexec/netavark")
    }
    self = driver
  }

  // MARK: - create

  /// Refuses what `setup` would refuse, makes nothing, and returns what podman is to store.
  func create(_ network: PodmanNetwork, _ host: Host) throws(DriverError) -> JSONObject {
    var network = network
    let list: NetworkList
    switch self {
    case .cni:
      list = try CNINetwork(network, host).list
      network.json["ipam_options"] = ["driver": "none"]
    case .ovs: list = try OVSNetwork(network).list(for: nil)
    }
    // Names of containers are resolved on netavark's own bridges only.
    network.json["dns_enabled"] = false
    for plugin in list.plugins where !host.runtime.hasPlugin(plugin.type) {
      throw DriverError(
        "there is no plugin \"\(plugin.type)\" in "
          + host.runtime.pluginPath.joined(separator: ", "))
    }
    if list.has(.status) {
      do throws(RuntimeError) { try host.runtime.status(list) } catch { throw DriverError(error) }
    }
    return network.json
  }

  // MARK: - setup

  /// Connects a container to its network, or leaves nothing.
  func setup(_ request: ContainerRequest, sandboxPath: String, _ host: Host)
    throws(DriverError) -> ContainerStatus
  {
    let (list, publishes) = try list(for: request, host)
    sweep(host, besides: list)
    var parameters = try request.parameters(
      list, requestsAddresses: !hasConfiguredAddresses(request), sandboxPath: sandboxPath)
    let ports = PublishedByContainer(request, host)
    parameters.capabilities["portMappings"] = ports.capability(publishes, list)
    let result: JSONValue
    do throws(RuntimeError) { result = try host.runtime.add(list, parameters) } catch {
      throw DriverError(error)
    }
    do throws(DriverError) {
      return try ContainerStatus(result, request)
    } catch {
      try? host.runtime.del(list, parameters)
      throw error
    }
  }

  /// The list for a container, and whether `-p` is for this network; refuses what cannot do that.
  private func list(for request: ContainerRequest, _ host: Host) throws(DriverError)
    -> (NetworkList, publishes: Bool)
  {
    switch self {
    case .ovs:
      let list = try OVSNetwork(request.network, request.options).list(for: request)
      return (list, list.publishes)
    case .cni:
      let network = try CNINetwork(request.network, host)
      let list = try network.list(for: request)
      guard !request.portMappings.isEmpty, network.publishes, !list.publishes else {
        return (list, network.publishes && list.publishes)
      }
      throw DriverError(
        "ports cannot be published by network \"\(request.network.name)\": no plugin of "
          + "\"\(list.name)\" has the capability \"portMappings\"; add the plugin portmap to it, "
          + "or leave them to another network of the container by -o publish=false")
    }
  }

  /// Whether the list has the addresses, with their gateways, that podman's own management gave.
  private func hasConfiguredAddresses(_ request: ContainerRequest) -> Bool {
    self == .ovs && request.network.options["subnet"] == nil
  }

  // MARK: - teardown

  /// Disconnects a container from its network. What is not there is done, the namespace included.
  func teardown(_ request: ContainerRequest, sandboxPath: String, _ host: Host)
    throws(DriverError)
  {
    let name = listName(request, host)
    let cached = try? host.runtime.cache.entry(name, request.attachment)
    guard let list = try listForTeardown(name, request, host) else { return }
    var parameters =
      cached.map { AttachmentParameters($0) }
      ?? AttachmentParameters(request.attachment, sandboxPath: "")
    parameters.sandboxPath = isNamespace(sandboxPath) ? sandboxPath : ""
    do throws(RuntimeError) { try host.runtime.del(list, parameters) } catch {
      throw DriverError(error)
    }
    if let cached { PublishedByContainer(request, host).handOver(cached) }
  }

  /// The name of the list that the attachment was made with. Where the network has lost its options
  /// and its own name leads nowhere, the container ID and the interface name find what is kept.
  private func listName(_ request: ContainerRequest, _ host: Host) -> String {
    guard self == .cni else { return request.network.name }
    let name = CNINetwork.name(request.network)
    let cache = host.runtime.cache
    guard request.network.options.pairs.isEmpty,
      (try? cache.entry(name, request.attachment)) == nil,
      (try? host.configurations.network(name)) == nil
    else { return name }
    let kept = ((try? cache.entries()) ?? []).filter { $0.attachment == request.attachment }
    return kept.count == 1 ? kept[0].network : name
  }

  /// The list that the attachment was made with, or the best there is: nothing that DEL needs is in
  /// the options of a container. Nil where there is no list and nothing of the attachment.
  private func listForTeardown(_ name: String, _ request: ContainerRequest, _ host: Host)
    throws(DriverError) -> NetworkList?
  {
    let directory =
      switch self {
      case .cni: CNINetwork.directory(request.network, host)
      case .ovs: host.configurations
      }
    if self == .cni || (try? host.runtime.cache.entry(name, request.attachment)) != nil {
      do throws(RuntimeError) {
        return try host.runtime.list(of: name, attachedAs: request.attachment, in: directory).list
      } catch {
        if self == .cni { return try listOfRows(name, request, host, insteadOf: error) }
      }
    }
    let socket = request.network.options["socket"] ?? ""
    let list = PodmanRemains.list(
      of: name, endpoint: socket, publishes: host.runtime.hasPlugin("portmap"))
    guard let list else { throw DriverError("network \"\(name)\" has no legal name") }
    return list
  }

  /// The list for what rows of Open vSwitch know of the attachment; nil where none does. What is
  /// kept is written before anything is made: where that is missing, the rest is.
  private func listOfRows(
    _ name: String, _ request: ContainerRequest, _ host: Host, insteadOf error: RuntimeError
  ) throws(DriverError) -> NetworkList? {
    if case .illegalName = error { throw DriverError(error) }
    do throws(RuntimeError) {
      if try host.runtime.cache.entry(name, request.attachment) != nil { throw error }
    } catch { throw DriverError(error) }
    return PodmanRemains(host.runtime, host.configurations, patience: .zero)
      .list(of: name, request.attachment)
  }

  /// Whether the path leads to a network namespace that is not the host's.
  private func isNamespace(_ path: String) -> Bool {
    guard let sandbox = try? NetworkNamespace(path: path),
      let own = try? NetworkNamespace.current()
    else { return false }
    return !sandbox.isSame(as: own)
  }

  // MARK: - What was left

  /// How long a setup may remove what others have left, one DEL more at most.
  private static let longestSweep = Duration.seconds(5)

  /// Removes what containers have left whose namespace is gone. podman runs one driver at a time.
  private func sweep(_ host: Host, besides list: NetworkList) {
    let deadline = Deadline.after(Self.longestSweep)
    var runtime = host.runtime
    runtime.timeout = Self.longestSweep
    let remains = PodmanRemains(runtime, host.configurations, patience: .milliseconds(500))
    var failures: [String] = []
    for one in remains.all(endpoints: PodmanRemains.endpoints(of: list), &failures) {
      guard !deadline.hasPassed else { break }
      do throws(RuntimeError) { _ = try remains.remove(one) } catch {
        failures.append(
          "what is left of container \"\(one.stale.parameters.attachment.containerID)\" on network "
            + "\"\(one.list.name)\" cannot be removed: \(DriverError(error))")
      }
    }
    for failure in failures { Host.warn(failure) }
  }
}

extension NetworkList {
  /// Whether a plugin of it publishes ports.
  var publishes: Bool { plugins.contains { $0.capabilities.contains("portMappings") } }
}
