import Addresses
import CNI
import JSON
import Linux
import PluginConfigurations
import PluginCore
import PublishedPorts

/// What an attachment is to have, by its configuration and what the plugins before made.
struct Plan {
  let configuration: PortmapConfiguration
  let published: PublishedPorts

  /// Nil where there are no ports to publish.
  init?(
    _ request: Request, _ configuration: PortmapConfiguration?, _ previous: AttachmentResult
  ) throws(CNIError) {
    if let invalid = configuration?.invalidPort {
      throw CNIError(
        .invalidConfiguration, invalid.message, details: invalid.fault.description)
    }
    guard let configuration, let mappings = configuration.mappings, !mappings.isEmpty else {
      return nil
    }
    let addresses = Self.addresses(previous, request.invocation.interfaceName)
    var ports: [PublishedPort] = []
    for mapping in mappings {
      let found = Self.ports(mapping, addresses)
      // Runtimes ask for all addresses of both families whatever the container has.
      if found.isEmpty, let host = mapping.hostAddress,
        host != IPAddress(host.family, value: 0) || addresses.isEmpty
      {
        throw CNIError(
          .cannotPublish, "cannot publish port \(mapping.hostPort) of \(host)",
          details: "the container has no \(host.isIPv6 ? "IPv6" : "IPv4") address")
      }
      ports += found
    }
    guard !ports.isEmpty else {
      throw CNIError(
        .cannotPublish, "cannot publish port \(mappings[0].hostPort)",
        details: addresses.isEmpty
          ? "prevResult has no address of interface \"\(request.invocation.interfaceName)\""
          : "the container has no address of that family")
    }
    self.configuration = configuration
    published = PublishedPorts(
      ports, of: addresses,
      configuration.masqueradesAll ? .all : configuration.masquerades ? .neighbours : .none,
      from: configuration.sources)
  }

  /// The first address of each family that the container's interface has.
  private static func addresses(_ result: AttachmentResult, _ name: String) -> [IPPrefix] {
    let own = result.addresses.filter { address in
      guard let index = address.interface else { return true }
      guard result.interfaces.indices.contains(index) else { return false }
      let interface = result.interfaces[index]
      return interface.name == name && interface.sandbox?.isEmpty == false
    }.map { $0.address }
    let families: [IPAddress.Family] = [.v4, .v6]
    return families.compactMap { family in own.first { $0.address.family == family } }
  }

  private static func ports(_ mapping: PortmapConfiguration.Mapping, _ addresses: [IPPrefix])
    -> [PublishedPort]
  {
    addresses.compactMap { prefix in
      let family = prefix.address.family
      guard let host = mapping.hostAddress ?? IPAddress(family, value: 0), host.family == family
      else { return nil }
      return PublishedPort(
        mapping.transport, host: host, mapping.hostPort, to: prefix.address, mapping.containerPort)
    }
  }

  /// The name of the link by which 127.0.0.1 leads to the container; nil where it is not to. Throws
  /// where the host cannot reach the container.
  func link(until deadline: Deadline) throws(PublishedPortsError) -> String? {
    var link: String?
    for prefix in published.addresses {
      let families = Set(published.ports.map { $0.family })
      guard families.contains(prefix.address.family) else { continue }
      let route = try ContainerRoute(to: prefix.address, until: deadline)
      if !prefix.address.isIPv6, published.areOfLoopback { link = route.link }
    }
    return link
  }

  /// Lets packets to the container leave that come from 127.0.0.1. Without that, all other
  /// addresses of the host lead there still.
  func openLoopback(_ link: String, _ log: Log) throws(PublishedPortsError) {
    do throws(SystemError) { try LoopbackRoute.open(link) } catch {
      let isAskedFor = published.ports.contains { $0.host.bytes.first == 127 && !$0.host.isIPv6 }
      if isAskedFor { throw .system(error) }
      log.write(.warning, "127.0.0.1 does not lead to the container: \(error)")
    }
  }
}

extension CNIError.Code {
  /// A port that another holds, or that cannot be reached.
  static let cannotPublish = Self.alreadyExists
}

extension CNIError {
  init(_ error: PublishedPortsError, _ attempt: String) {
    let code: Code =
      switch error {
      case .taken, .addressTaken, .listening, .unreachable: .cannotPublish
      default: error.isTimeout ? .tryAgainLater : .internalFailure
      }
    self.init(code, attempt, details: error.description)
  }
}
