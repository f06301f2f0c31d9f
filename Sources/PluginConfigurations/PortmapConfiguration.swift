public import Addresses
internal import CNI
public import JSON

/// The members of a configuration of `portmap`, all legal, as the reference plugin of that name has
/// them.
public struct PortmapConfiguration: Hashable, Sendable {
  /// What carries the data.
  public enum Transport: String, Hashable, Sendable, CaseIterable {
    case tcp
    case udp
    case sctp
  }
  /// The members.
  public enum Member: String, JSONMember {
    case backend, snat, masqAll, sourceRanges, checkListener, markMasqBit, externalSetMarkChain
    case conditionsV4, conditionsV6
  }
  /// A port of the host that leads to a port of the container.
  public struct Mapping: Hashable, Sendable {
    /// The members.
    public enum Member: String, JSONMember {
      case hostPort, containerPort, hostIP
      case transport = "protocol"
    }
    /// The same at both ends.
    public let transport: Transport
    /// The address of the host; the unspecified one of a family for all of that family, nil for all
    /// of both.
    public let hostAddress: IPAddress?
    /// 1…65535
    public let hostPort: UInt16
    /// 1…65535
    public let containerPort: UInt16
  }
  /// An invalid port. The reference plugin has a message for it.
  public struct InvalidPort: Hashable, Sendable {
    /// As the reference plugin has it.
    public let message: String
    /// Where, and what is legal.
    public let fault: JSONDecodingError
  }
  /// `runtimeConfig.portMappings`, each once. Nil where it is absent: then nothing is published.
  public let mappings: [Mapping]?
  /// The first invalid port; nil where all are valid.
  public let invalidPort: InvalidPort?
  /// `snat`: whether the container sees an address of the host where its reply would not come back
  /// through the host otherwise.
  public let masquerades: Bool
  /// `masqAll`: whether it sees one in any case.
  public let masqueradesAll: Bool
  /// `sourceRanges`: from where the ports can be reached; empty for everywhere.
  public let sources: [IPPrefix]
  /// `checkListener`: whether a port is refused on which a process of the host listens.
  public let checksListeners: Bool

  /// How many ports an attachment may have.
  public static let mostMappings = 4096
  /// How many ranges it may have.
  public static let mostSources = 64

  /// Decodes the members.
  public init(_ json: JSONCursor) throws(JSONDecodingError) {
    masquerades = try json[Member.snat].decodeIfPresent() ?? true
    masqueradesAll = try json[Member.masqAll].decodeIfPresent() ?? false
    if masqueradesAll, !masquerades {
      throw json[Member.masqAll].error("true excludes \"snat\": false")
    }
    checksListeners = try json[Member.checkListener].decodeIfPresent() ?? true
    sources = try Self.sources(json[Member.sourceRanges])
    let backend: String? = try json[Member.backend].decodeIfPresent()
    if let backend, !["", "nftables", "iptables"].contains(backend) {
      throw json[Member.backend].error("\"\(backend)\" is not \"nftables\"")
    }
    let runtime = json[PluginMember.runtimeConfig]
    if !runtime.isAbsent, runtime.value?.object == nil { throw runtime.expected("an object") }
    let list = runtime[Capability.portMappings]
    guard !list.isAbsent else {
      mappings = nil
      invalidPort = nil
      return
    }
    var mappings: [Mapping] = []
    var places: [String: Mapping] = [:]
    var invalid: InvalidPort?
    for item in try list.elements(atMost: Self.mostMappings) {
      guard let mapping = try Mapping(item, &invalid) else { continue }
      let own = mapping.places
      let others = own.compactMap { places[$0] }
      if let other = others.first(where: { $0.containerPort != mapping.containerPort }) {
        throw item.error(
          "port \(mapping.hostPort) leads to port \(other.containerPort) already; "
            + "one port of the host leads to one port")
      }
      if others.count == own.count { continue }
      for place in own { places[place] = mapping }
      mappings.append(mapping)
    }
    self.mappings = mappings
    invalidPort = invalid
  }

  private static func sources(_ json: JSONCursor) throws(JSONDecodingError) -> [IPPrefix] {
    guard !json.isAbsent else { return [] }
    var sources: [IPPrefix] = []
    for item in try json.elements(atMost: mostSources) {
      let prefix: IPPrefix = try item.decode()
      guard prefix.address == prefix.network else {
        throw item.error(
          "\(prefix) has bits beyond its length; the range is \(prefix.network)/\(prefix.length)")
      }
      if !sources.contains(prefix) { sources.append(prefix) }
    }
    guard !sources.isEmpty else {
      throw json.error("empty; leave it out where everybody may reach the ports")
    }
    return sources
  }

  /// A member that only iptables has and that is switched on: it is refused, so that what an
  /// operator relies on is not lost in silence.
  public static func unsupported(in json: JSONCursor) -> (fault: JSONDecodingError, reason: String)?
  {
    func fault(
      _ member: Member, _ value: String, _ reason: String
    ) -> (JSONDecodingError, String) {
      (json[member].error("\(value) is not supported"), reason)
    }
    if json[Member.backend].value?.text == "iptables" {
      return fault(.backend, "\"iptables\"", "ports are published by \"nftables\"")
    }
    if let bit = json[Member.markMasqBit].value, bit != .null {
      return fault(
        .markMasqBit, bit.integer.map { "\($0)" } ?? "it",
        "what is to be masqueraded is found without marks; leave it out")
    }
    if let chain = json[Member.externalSetMarkChain].value?.text, !chain.isEmpty {
      return fault(
        .externalSetMarkChain, "\"\(chain)\"",
        "what is to be masqueraded is found without marks; leave it out")
    }
    for member in [Member.conditionsV4, .conditionsV6] {
      guard let words = json[member].value?.array, !words.isEmpty else { continue }
      let text = words.map { $0.text.map { "\"\($0)\"" } ?? "…" }.joined(separator: ", ")
      return fault(
        member, "[\(text)]",
        "these are words of iptables; sourceRanges limits who reaches the ports")
    }
    return nil
  }
}

extension PortmapConfiguration.Mapping {
  /// Nil where a port is invalid, which is then `invalid`.
  init?(_ json: JSONCursor, _ invalid: inout PortmapConfiguration.InvalidPort?)
    throws(JSONDecodingError)
  {
    let name: String = try json[Member.transport].decodeIfPresent() ?? ""
    let transport =
      name.isEmpty ? .tcp : PortmapConfiguration.Transport(rawValue: name.asciiLowercased)
    guard let transport else {
      let legal = PortmapConfiguration.Transport.allCases.map { $0.rawValue }
      throw json[Member.transport].error(
        "\"\(name)\" is not one of \(legal.joined(separator: ", "))")
    }
    let text: String = try json[Member.hostIP].decodeIfPresent() ?? ""
    // Go, and so the reference plugin, takes `::ffff:192.0.2.1` for the IPv4 address.
    let address = text.isEmpty ? nil : IPAddress(text)?.unmapped
    if address == nil, !text.isEmpty {
      throw json[Member.hostIP].error("\"\(text)\" is not an IP address")
    }
    let container = try Self.port(json[Member.containerPort], "container", &invalid)
    let host = try Self.port(json[Member.hostPort], "host", &invalid)
    guard let container, let host else { return nil }
    self.transport = transport
    hostAddress = address
    hostPort = host
    containerPort = container
  }

  /// The ports of the host that it takes: of all addresses, one of each family.
  fileprivate var places: [String] {
    let addresses = hostAddress.map { [$0] } ?? [.v4, .v6].compactMap { IPAddress($0, value: 0) }
    return addresses.map { "\(transport.rawValue) \($0) \(hostPort)" }
  }

  private static func port(
    _ json: JSONCursor, _ end: String, _ invalid: inout PortmapConfiguration.InvalidPort?
  ) throws(JSONDecodingError) -> UInt16? {
    let number: Int64 = try json.decodeIfPresent() ?? 0
    if let port = UInt16(exactly: number), port > 0 { return port }
    if invalid == nil {
      invalid = .init(
        message: "Invalid \(end) port number: \(number)",
        fault: json.error("\(number) is not in 1…65535"))
    }
    return nil
  }
}
