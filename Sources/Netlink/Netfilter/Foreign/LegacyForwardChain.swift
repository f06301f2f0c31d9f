public import Addresses
internal import CLinux
public import Linux

/// The chain FORWARD of the kernel's older packet filter, which iptables-legacy(8) writes and
/// nftables does not show: `linux/netfilter_ipv4/ip_tables.h` and
/// `linux/netfilter_ipv6/ip6_tables.h`.
public struct LegacyForwardChain: Sendable {
  /// Whether it drops what no rule decides, and no rule accepts everything.
  public let drops: Bool
  /// What rules compare a source or a destination with.
  private let prefixes: Set<IPPrefix>
  /// The names of links that rules of the table compare with, in or out; those that end in `+` are
  /// the beginnings of names.
  private let links: [String]

  /// Whether a rule of the table is about `link` alone or among others.
  public func names(link name: String) -> Bool {
    links.contains { $0.hasSuffix("+") ? name.hasPrefix($0.dropLast()) : $0 == name }
  }

  /// Whether a rule is about all of `subnet`, by source or destination.
  public func names(subnet: IPPrefix) -> Bool {
    prefixes.contains { $0.length <= subnet.length && $0.contains(subnet.address) }
  }

  /// `NF_INET_FORWARD`
  private static let hook = 2
  /// `NF_INET_LOCAL_OUT`, behind whose chain are those that were made by name.
  private static let lastHook = 3
  /// `IPT_SO_GET_INFO` and `IP6T_SO_GET_INFO`
  private static let readInformation: CInt = 64
  /// `IPT_SO_GET_ENTRIES` and `IP6T_SO_GET_ENTRIES`
  private static let readEntries: CInt = 65
  /// Bytes of a table that is read.
  private static let limit = 32 << 20

  /// Reads it; nil where there is none. Asking for one that is not there would make it.
  public init?(_ family: IPAddress.Family) throws(SystemError) {
    guard try Self.isThere(family) else { return nil }
    let domain = family == .v4 ? AF_INET : AF_INET6
    let level = CInt(family == .v4 ? IPPROTO_IP : IPPROTO_IPV6)
    let socket = try FileDescriptor.socket(
      domain, CInt(SOCK_RAW.rawValue), CInt(IPPROTO_RAW))
    // struct ipt_getinfo: name, valid hooks, where each begins, where its policy is, entries,
    // bytes.
    let name = Array("filter".utf8) + [UInt8](repeating: 0, count: 26)
    let information = try socket.option(
      level, Self.readInformation, name + [UInt8](repeating: 0, count: 52))
    guard let begin = Self.integer(information, 36 + 4 * Self.hook),
      let policy = Self.integer(information, 56 + 4 * Self.hook),
      let last = Self.integer(information, 56 + 4 * Self.lastHook),
      let size = Self.integer(information, 80), size <= Self.limit
    else { return nil }
    // struct ipt_get_entries: name, bytes, and from a multiple of 8 on the entries.
    var request = name
    request.append(native: UInt32(size))
    request += [UInt8](repeating: 0, count: 4 + size)
    let answer = try socket.option(level, Self.readEntries, request)
    let entries = Array(answer.dropFirst(40).prefix(size))
    let layout = Layout(family)
    var names: Set<String> = []
    var prefixes: Set<IPPrefix> = []
    var acceptsAll = false
    var position = 0
    while let next = layout.next(after: position, entries) {
      names.formUnion(layout.links(of: position, entries))
      // Rules about addresses are usual in the other chains as well.
      let isOfChain = (begin..<policy).contains(position)
      if isOfChain || position > last {
        prefixes.formUnion(layout.prefixes(of: position, entries))
      }
      if isOfChain, layout.isUnconditional(position, entries),
        layout.verdict(of: position, entries) == Self.accept
      {
        acceptsAll = true
      }
      position = next
    }
    drops = layout.verdict(of: policy, entries) == Self.drop && !acceptsAll
    links = names.sorted()
    self.prefixes = prefixes
  }

  /// `-NF_DROP - 1`
  private static let drop: Int32 = -1
  /// `-NF_ACCEPT - 1`
  private static let accept: Int32 = -2

  private static func isThere(_ family: IPAddress.Family) throws(SystemError) -> Bool {
    let path = "/proc/thread-self/net/\(family == .v4 ? "ip" : "ip6")_tables_names"
    do throws(SystemError) {
      let text = try FileDescriptor.open(path, .readOnly).read(limit: 4096)
      return text.split(separator: UInt8(ascii: "\n")).contains {
        Array($0) == Array("filter".utf8)
      }
    } catch {
      if error.errno == .noSuchFileOrDirectory { return false }
      throw error
    }
  }

  private static func integer(_ bytes: [UInt8], _ position: Int) -> Int? {
    let value: UInt32? = bytes.span.integer(at: position)
    return value.map { Int($0) }
  }

  /// Where in `struct ipt_entry` or `struct ip6t_entry` things are; bytes.
  private struct Layout {
    /// Of the name of the link that a packet came in by; 16 bytes later is that of the other.
    let names: Int
    /// Of the masks of both names.
    let masks: Int
    /// Of the number of the protocol, 16 bits.
    let transport: Int
    /// Of a byte that says which conditions are negated.
    let negations: Int
    /// Of two numbers of 16 bits: where the target is, and where the next entry is.
    let offsets: Int
    /// How long an entry is without conditions of extensions.
    let size: Int
    /// Of an address. The source is first, then the destination, then the masks of both.
    let address: Int

    init(_ family: IPAddress.Family) {
      switch family {
      case .v4:
        (names, masks, transport, negations) = (16, 48, 80, 83)
        (offsets, size, address) = (88, 112, 4)
      case .v6:
        (names, masks, transport, negations) = (64, 96, 128, 132)
        (offsets, size, address) = (140, 168, 16)
      }
    }

    private func number(_ bytes: [UInt8], _ position: Int) -> Int? {
      let value: UInt16? = bytes.span.integer(at: position)
      return value.map { Int($0) }
    }

    /// Nil at the end of the table.
    func next(after position: Int, _ bytes: [UInt8]) -> Int? {
      guard let length = number(bytes, position + offsets + 2), length > 0 else { return nil }
      return position + length
    }

    /// What an entry without conditions makes of a packet: `-NF_… - 1`, or where to go on.
    func verdict(of position: Int, _ bytes: [UInt8]) -> Int32? {
      guard let target = number(bytes, position + offsets) else { return nil }
      // struct xt_standard_target: a head of 32 bytes, and the verdict.
      return bytes.span.integer(at: position + target + 32)
    }

    /// Whether it holds for every packet.
    func isUnconditional(_ position: Int, _ bytes: [UInt8]) -> Bool {
      number(bytes, position + offsets) == size
        && bytes.dropFirst(position + 2 * address).prefix(2 * address).allSatisfy { $0 == 0 }
        && bytes.dropFirst(position + masks).prefix(32).allSatisfy { $0 == 0 }
        && number(bytes, position + transport) == 0
        && bytes.dropFirst(position + negations).first == 0
    }

    /// What source and destination are compared with, but for conditions that are negated.
    func prefixes(of position: Int, _ bytes: [UInt8]) -> [IPPrefix] {
      guard let negated = bytes.dropFirst(position + negations).first else { return [] }
      var found: [IPPrefix] = []
      for side in 0..<2 {
        func part(_ index: Int) -> IPAddress? {
          IPAddress(
            bytes: Array(bytes.dropFirst(position + index * address).prefix(address)))
        }
        // `IPT_INV_SRCIP` and `IPT_INV_DSTIP`
        guard negated & (8 << UInt8(side)) == 0, let value = part(side), let mask = part(side + 2)
        else { continue }
        let length = mask.bytes.reduce(0) { $0 + $1.nonzeroBitCount }
        guard length > 0, let prefix = IPPrefix(value, length: UInt8(length)), prefix.mask == mask
        else { continue }
        found.append(prefix)
      }
      return found
    }

    func links(of position: Int, _ bytes: [UInt8]) -> [String] {
      var found: [String] = []
      for side in 0..<2 {
        let name = bytes.dropFirst(position + names + 16 * side).prefix(16)
        let mask = bytes.dropFirst(position + masks + 16 * side).prefix(16)
        let text = String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
        guard !text.isEmpty else { continue }
        // The mask of a whole name covers its final zero as well; of `br+` it covers two bytes.
        let covered = mask.prefix { $0 != 0 }.count
        found.append(
          covered > text.utf8.count
            ? text : String(decoding: name.prefix(covered), as: UTF8.self) + "+")
      }
      return found
    }
  }
}
