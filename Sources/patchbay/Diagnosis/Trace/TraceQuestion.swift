import ArgumentParser
import CNI
import PluginCore
import Addresses
import Linux
import Netlink

/// What is asked: whether FROM reaches TO, and by what.
struct TraceQuestion {
  let from: AttachmentReading
  let to: Target
  /// The words that name both ends.
  let fromWord: String
  let toWord: String
  let traffic: Traffic
  /// Whether IPv6 was asked for.
  let isIPv6: Bool
  /// The family in which it is asked; nil for two attachments without addresses.
  let family: IPAddress.Family?

  enum Target {
    case attachment(AttachmentReading)
    case address(IPAddress)
  }

  /// What is sent.
  enum Traffic: Hashable {
    case icmp
    case tcp(UInt16)
    case udp(UInt16)

    /// `443/tcp`, `80`, which is TCP, `icmp`
    init(_ text: String) throws {
      let parts = text.split(separator: "/", omittingEmptySubsequences: false)
      if text == "icmp" {
        self = .icmp
        return
      }
      guard let first = parts.first, let port = UInt16(first), port > 0, parts.count <= 2 else {
        throw ValidationError(
          "\"\(text)\" is not a port; write PORT/PROTO, as 443/tcp or 53/udp")
      }
      switch parts.count == 2 ? parts[1] : "tcp" {
      case "tcp": self = .tcp(port)
      case "udp": self = .udp(port)
      default:
        throw ValidationError(
          "\"\(text)\": the protocol is tcp or udp; write it as 443/tcp or 53/udp")
      }
    }

    var port: UInt16? {
      switch self {
      case .icmp: nil
      case .tcp(let port), .udp(let port): port
      }
    }
    /// `icmp`, `tcp`, `udp`
    var name: String {
      switch self {
      case .icmp: "icmp"
      case .tcp: "tcp"
      case .udp: "udp"
      }
    }
  }

  /// That a word names what cannot be looked at as an end, and why.
  struct Stop: Error {
    let finding: Finding
  }

  /// Where the packet goes; nil for attachments without addresses.
  var destination: IPAddress? {
    switch to {
    case .address(let address): address
    case .attachment(let attachment):
      family.flatMap { attachment.intendedAddresses($0).first?.address }
    }
  }

  var target: AttachmentReading? {
    if case .attachment(let attachment) = to { attachment } else { nil }
  }

  var targetName: String {
    switch to {
    case .attachment(let attachment): attachment.name
    case .address(let address): address.description
    }
  }

  /// Finds what the two words name.
  init(
    from: String, to: String, _ traffic: Traffic, isIPv6: Bool, on host: HostReading
  ) throws {
    let source = try Self.attachment(from, on: host)
    self.from = source
    (fromWord, toWord) = (from, to)
    self.isIPv6 = isIPv6
    self.traffic = traffic
    if to == "host" {
      let family: IPAddress.Family = isIPv6 ? .v6 : .v4
      guard let address = Self.hostAddress(for: source, family, on: host) else {
        throw Failure("this host has no address in the networks of \(source.name)")
      }
      self.to = .address(address)
      self.family = family
      return
    }
    if let address = IPAddress(to) {
      let holder = host.attachments.first { other in
        other.addresses(address.family).contains { $0.address == address }
      }
      guard holder?.port.name != source.port.name else { throw Self.sameEnds(source) }
      self.to = holder.map { .attachment($0) } ?? .address(address)
      family = address.family
      return
    }
    let target = try Self.attachment(to, on: host)
    guard target.port.name != source.port.name else { throw Self.sameEnds(source) }
    self.to = .attachment(target)
    let families: [IPAddress.Family] = isIPv6 ? [.v6] : [.v4, .v6]
    // Addresses that are lost are meant as well: a link that is down has none of IPv6.
    family =
      families.first { !source.addresses($0).isEmpty && !target.addresses($0).isEmpty }
      ?? families.first {
        !source.intendedAddresses($0).isEmpty && !target.intendedAddresses($0).isEmpty
      }
    if isIPv6, family == nil {
      throw Failure("\(source.name) and \(target.name) have no IPv6 addresses both")
    }
  }

  private static func sameEnds(_ attachment: AttachmentReading) -> Failure {
    Failure(
      "both ends are \(attachment.name.controlCharactersEscaped): what it sends to itself does not "
        + "leave it")
  }

  /// The address by which this host is known to the network of `attachment`.
  private static func hostAddress(
    for attachment: AttachmentReading, _ family: IPAddress.Family, on host: HostReading
  ) -> IPAddress? {
    let own = host.addresses.map(\.prefix).filter {
      $0.address.family == family && !$0.address.isLinkLocal
    }
    let near = attachment.addresses(family)
    return own.first { candidate in near.contains { $0.contains(candidate.address) } }?.address
      ?? own.first { $0.length < 128 && !$0.address.description.hasPrefix("127.") }?.address
  }

  /// The attachment that `text` names: a namespace by name or path, a container by ID or name, a
  /// port or an address; with `:IFNAME` behind it where it has several.
  private static func attachment(_ text: String, on host: HostReading) throws -> AttachmentReading {
    let all = host.attachments
    var candidates = all.filter { $0.isNamed(text) }
    if candidates.isEmpty, let colon = text.lastIndex(of: ":") {
      let interface = text[text.index(after: colon)...]
      candidates = all.filter {
        $0.isNamed(String(text[..<colon])) && $0.record.attachment.interfaceName == interface
      }
    }
    if candidates.count > 1 {
      let list = candidates.map {
        "\(text):\($0.record.attachment.interfaceName)".controlCharactersEscaped
      }
      throw Failure(
        "\"\(text)\" has several attachments",
        hint: "name one of them: \(list.joined(separator: ", "))")
    }
    guard let found = candidates.first else {
      if let link = host.portlessLinks.first(where: { $0.isNamed(text) }) {
        throw Stop(finding: link.finding(on: host))
      }
      let names = Set(all.map(\.name.controlCharactersEscaped)).sorted().joined(separator: ", ")
      throw Failure(
        "no attachment is known by \"\(text)\"",
        hint: names.isEmpty
          ? "nothing is attached: patchbay add NETWORK NETNS attaches" : "there is: \(names)")
    }
    return found
  }
}

extension AttachmentReading {
  /// What the container end has, else what it was given.
  fileprivate func intendedAddresses(_ family: IPAddress.Family) -> [IPPrefix] {
    let there = addresses(family)
    guard there.isEmpty else { return there }
    return record.addresses.compactMap { try? IPPrefix($0) }.filter { $0.address.family == family }
  }

  /// Whether a person may mean this attachment by `text`.
  func isNamed(_ text: String) -> Bool {
    let id = record.attachment.containerID
    if text == name || text == id || text == port.name || text == record.containerName {
      return true
    }
    if record.sandbox == text || SandboxPath(text).path == record.sandbox
      || SandboxPath(text).alias?.path == record.sandbox
    {
      return true
    }
    // Runtimes show the first 12 digits of an ID.
    if text.utf8.count >= 12, id.hasPrefix(text) { return true }
    guard let address = IPAddress(text) else { return false }
    return addresses(address.family).contains { $0.address == address }
  }
}
