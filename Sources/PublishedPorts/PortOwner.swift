internal import Addresses
public import CNI
internal import Nftables

/// The attachment that ports are published for. The names of all that it has follow from this
/// alone, so that it is found again without any other state.
public struct PortOwner: Hashable, Sendable {
  /// The network's name.
  public let network: String
  /// Container ID and interface name.
  public let attachment: Attachment

  /// The attachment of a network.
  public init(network: String, _ attachment: Attachment) {
    self.network = network
    self.attachment = attachment
  }

  private var rules: RuleOwner {
    RuleOwner(
      containerID: attachment.containerID, interfaceName: attachment.interfaceName)
  }
  private var digest: String { rules.digest(network: network) }

  /// The chain of what goes to the ports.
  var chain: String { Self.chainPrefix + digest }
  /// The chain for its addresses that it had beside that one, as executables before made it.
  var returnChain: String { Self.returnPrefix + digest }
  /// `NETWORK/CONTAINERID/INTERFACE`, where names that are too long are a `#` and a digest.
  var comment: String { rules.comment(network: network) }

  static let chainPrefix = "attachment-"
  static let returnPrefix = "return-"

  /// The return chain beside the chain of an attachment.
  static func returnChain(beside chain: String) -> String {
    returnPrefix + chain.dropFirst(chainPrefix.count)
  }
  /// Whether a comment is that of an attachment of `network`.
  static func isComment(_ comment: String, of network: String) -> Bool {
    let name = comment.prefix { $0 != "/" }
    return name == network || name == RuleOwner.abbreviation(of: network)
  }
}

/// The sandbox of an attachment, as rules remember it.
struct RememberedSandbox: Hashable {
  let path: String
  /// Of the network namespace: one made later at the same path has another.
  let inode: UInt64

  /// `sandbox 4026532231 /run/netns/blue`; without the path where that is too long.
  var comment: String {
    let text = "\(Self.prefix)\(inode) "
    return text.utf8.count + path.utf8.count <= RuleOwner.longestComment ? text + path : text
  }
  private static let prefix = "sandbox "

  init(path: String, inode: UInt64) {
    self.path = path
    self.inode = inode
  }

  /// Nil if this is another comment.
  init?(comment: String) {
    guard comment.hasPrefix(Self.prefix) else { return nil }
    let parts = comment.dropFirst(Self.prefix.count).split(
      separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let inode = UInt64(parts[0]) else { return nil }
    self.init(path: String(parts[1]), inode: inode)
  }
}

/// An address of a container, and what is masqueraded that goes to it.
struct OutboundAddress: Hashable {
  let address: IPAddress
  /// The container's subnet, if that and 127.0.0.0/8 is all that is masqueraded; nil for all.
  let neighbours: IPPrefix?

  init(_ address: IPAddress, neighbours: IPPrefix?) {
    self.address = address
    self.neighbours = neighbours?.masked
  }
}

extension PublishedPorts {
  /// The container's addresses for which something is masqueraded.
  var outbound: [OutboundAddress] {
    let families = Set(masquerading == .none ? [] : ports.map { $0.family })
    return addresses.filter { families.contains($0.address.family) }.map {
      OutboundAddress(
        $0.address, neighbours: masquerading == .all || $0.length == 0 ? nil : $0)
    }
  }
}

/// The outbound addresses of an attachment, as rules remember them.
struct RememberedOutbound: Hashable {
  let addresses: [OutboundAddress]

  init(_ addresses: [OutboundAddress]) { self.addresses = addresses }

  private static let prefix = "outbound"

  /// `outbound 10.1.0.2/24 fd00:1::2/64`; without the length where all is masqueraded, and without
  /// addresses where nothing is.
  var comment: String {
    let words = addresses.map { address in
      "\(address.address)" + (address.neighbours.map { "/\($0.length)" } ?? "")
    }
    return ([Self.prefix] + words).joined(separator: " ")
  }

  /// Nil if this is another comment.
  init?(comment: String) {
    let words = comment.split(separator: " ")
    guard words.first.map({ $0 == Self.prefix }) ?? false else { return nil }
    var addresses: [OutboundAddress] = []
    for word in words.dropFirst() {
      if let prefix = try? IPPrefix(String(word)) {
        addresses.append(OutboundAddress(prefix.address, neighbours: prefix))
      } else if let address = IPAddress(word) {
        addresses.append(OutboundAddress(address, neighbours: nil))
      } else {
        return nil
      }
    }
    self.init(addresses)
  }
}

/// What the rules of an attachment say that it has.
struct Holding {
  /// Those of its chain.
  let comments: [String]
  /// Those of its return chain, where it has one.
  var returns: [String] = []

  /// Whether executables before made it.
  var isOld: Bool {
    !comments.isEmpty && !comments.contains { RememberedOutbound(comment: $0) != nil }
  }

  /// Each once: with `sourceRanges` a port has several rules.
  var ports: [PublishedPort] {
    var seen: Set<PublishedPort> = []
    return comments.compactMap { PublishedPort(comment: $0) }.filter { seen.insert($0).inserted }
  }
  /// The container's addresses for which something is masqueraded.
  var outbound: [OutboundAddress] {
    comments.compactMap { RememberedOutbound(comment: $0) }.first?.addresses ?? []
  }
  /// The container's addresses that lead somewhere.
  var addresses: Set<IPAddress> {
    Set(outbound.map { $0.address } + returns.compactMap { IPAddress($0) })
  }
  /// The subnets with a chain that these lead to.
  var subnets: [IPPrefix] { outbound.compactMap { $0.neighbours } }
}
