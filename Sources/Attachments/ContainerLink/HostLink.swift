internal import Addresses
package import CNI
internal import Digests
internal import Linux
internal import Netlink
internal import PluginConfigurations

/// The host end of an attachment, all of which follows from container ID and interface name.
package struct HostLink: Hashable {
  /// Its name: `veth` and 11 letters or digits, 55 bits of a digest.
  let name: String
  /// Its hardware address: locally administered, from the same digest.
  let mac: MACAddress?
  private let attachment: Attachment

  init(of attachment: Attachment) {
    let text = "\(attachment.containerID)/\(attachment.interfaceName)"
    let digest = SHA2.sha256(Array(text.utf8))
    name = Self.namePrefix + Self.base32(digest.prefix(7)).prefix(11)
    mac = MACAddress(bytes: [digest[7] & 0xfc | 0x02] + digest[8..<13])
    self.attachment = attachment
  }

  /// Five bits a letter, as RFC 4648 §6 has them, in lower case.
  private static func base32(_ bytes: some Collection<UInt8>) -> String {
    let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567")
    let value = bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let bits = bytes.count * 8
    return String(
      stride(from: bits - 5, through: 0, by: -5).map { alphabet[Int(value >> UInt64($0) & 31)] })
  }

  // MARK: - Whose it is

  /// The link group of all host ends of `network`, which a link has from the first moment on: 28
  /// bits of a digest, so that GC knows a link whose ADD was killed before it had its alias.
  static func group(network: String) -> UInt32 {
    let digest = SHA2.sha256(Array(network.utf8))
    return digest.prefix(4).reduce(0) { $0 << 8 | UInt32($1) } & 0x0fff_ffff | groups.lowerBound
  }

  /// What `group(network:)` can be. The rule of `HostShield` goes by it, and by the name.
  static let groups: ClosedRange<UInt32> = 0x7000_0000...0x7fff_ffff
  /// A group of that range that is none of `used`: another one in each run, which began at `began`.
  static func unusedGroup(_ used: [UInt32], _ began: Int64) -> UInt32 {
    let used = Set(used)
    var group = Self.group(network: "GC \(began) \(Process.identifier)")
    while used.contains(group) {
      group = group < groups.upperBound ? group + 1 : groups.lowerBound
    }
    return group
  }
  /// What each name begins with.
  static let namePrefix = "veth"

  private static let prefix = HostEndAlias.prefix

  /// The link group of a container end whose ADD has not come to its end; afterwards it is 0. A
  /// container may change what its link says of itself: whatever else it says, ADD is done.
  static let unfinishedGroup: UInt32 = 0x6000_0000

  /// The link's alias, by which `ip link` and GC know whose it is:
  /// `patchbay:NETWORK/CONTAINERID/INTERFACE`.
  func alias(network: String) -> String {
    let parts = [network, attachment.containerID, attachment.interfaceName]
    let alias = Self.prefix + parts.joined(separator: "/")
    // IFALIASZ of linux/if.h is 256, with the final zero.
    guard alias.utf8.count > 255 else { return alias }
    return Self.prefix + parts.map { Self.abbreviated($0) }.joined(separator: "/")
  }

  /// Whose a link is that has the name of this host end.
  enum Owner: Hashable {
    /// This attachment's.
    case ours
    /// An attachment's of the same container ID and interface name to the network of this name.
    case network(String)
    /// Neither.
    case foreign
  }

  /// Whose `link` is, for an attachment to `network`. Before it has an alias, its group decides.
  func owner(of link: Link, network: String) -> Owner {
    guard let alias = link.alias, !alias.isEmpty else {
      return link.kind == "veth" && link.group == Self.group(network: network) ? .ours : .foreign
    }
    guard let parts = Self.parts(alias), Self.matches(parts[1], attachment.containerID),
      Self.matches(parts[2], attachment.interfaceName)
    else { return .foreign }
    return Self.matches(parts[0], network) ? .ours : .network(parts[0])
  }

  /// The attachment whose host end has `alias`, if it is one to `network`, and its names are there
  /// in full.
  package static func attachment(_ alias: String?, to network: String) -> Attachment? {
    guard let alias, let parts = parts(alias), matches(parts[0], network),
      !parts.contains(where: { $0.hasPrefix("#") })
    else { return nil }
    return Attachment(containerID: parts[1], interfaceName: parts[2])
  }

  /// Whether `alias` is that of a link of any attachment to `network`.
  static func belongs(_ alias: String?, to network: String) -> Bool {
    guard let alias, let parts = parts(alias) else { return false }
    return matches(parts[0], network)
  }

  /// `NETWORK/CONTAINERID/INTERFACE` of the attachment whose host end has `alias`, each in full or
  /// abbreviated; nil where it is not the alias of a host end.
  package static func attachmentText(_ alias: String?) -> String? {
    alias.flatMap { parts($0) }?.joined(separator: "/")
  }
  /// The network of the attachment whose host end has `alias`, in full or abbreviated; nil where it
  /// is not the alias of a host end.
  package static func network(_ alias: String?) -> String? { alias.flatMap { parts($0) }?.first }

  /// Network, container ID and interface name, each in full or abbreviated; nil if `alias` is not
  /// that of a host end.
  private static func parts(_ alias: String) -> [String]? {
    guard alias.hasPrefix(prefix) else { return nil }
    let parts = alias.dropFirst(prefix.count).split(separator: "/").map { String($0) }
    return parts.count == 3 ? parts : nil
  }

  private static func matches(_ part: String, _ name: String) -> Bool {
    part == name || part == abbreviated(name)
  }

  /// `#`, which no name has, and 80 bits of a digest; a short name as it is.
  private static func abbreviated(_ name: String) -> String {
    guard name.utf8.count > HostEndAlias.longestName else { return name }
    return "#" + base32(SHA2.sha256(Array(name.utf8)).prefix(5))
      + base32(SHA2.sha256(Array(name.utf8))[5..<10])
  }
}

extension MACAddress {
  /// The address that the reference plugins give to the holder of an IP address: `0a:58` and the
  /// four bytes of an IPv4 address, or the first four of the digest of an IPv6 address.
  static func derived(from address: IPAddress) -> MACAddress? {
    let tail = address.isIPv6 ? Array(SHA2.sha256(address.bytes).prefix(4)) : address.bytes
    return MACAddress(bytes: [0x0a, 0x58] + tail)
  }

  /// One that is administered locally, as the kernel gives it to a link that is made without any.
  static func random() throws(SystemError) -> MACAddress {
    MACAddress(administeredLocally: try randomNumber())
  }
}
