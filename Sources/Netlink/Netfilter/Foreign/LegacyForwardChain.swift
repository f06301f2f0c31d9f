public import Addresses
internal import CLinux
public import Linux

/// The chain FORWARD of the kernel's older packet filter, which iptables-legacy(8) writes and nftables
/// does not show: `linux/netfilter_ipv4/ip_tables.h` and `linux/netfilter_ipv6/ip6_tables.h`.
public struct LegacyForwardChain: Sendable {
  /// Whether it drops what no rule decides.
  public let drops: Bool
  /// The names of links that rules of the table compare with, in or out; those that end in `+` are
  /// the beginnings of names.
  private let links: [String]

  /// Whether a rule of the table is about `link` alone or among others.
  public func names(link name: String) -> Bool {
    links.contains { $0.hasSuffix("+") ? name.hasPrefix($0.dropLast()) : $0 == name }
  }

  /// `NF_INET_FORWARD`
  private static let hook = 2
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
    // struct ipt_getinfo: name, valid hooks, where each begins, where its policy is, entries, bytes.
    let name = Array("filter".utf8) + [UInt8](repeating: 0, count: 26)
    let information = try socket.option(
      level, Self.readInformation, name + [UInt8](repeating: 0, count: 52))
    guard let policy = Self.integer(information, 56 + 4 * Self.hook),
      let size = Self.integer(information, 80), size <= Self.limit
    else { return nil }
    // struct ipt_get_entries: name, bytes, and from a multiple of 8 on the entries.
    var request = name
    request.append(native: UInt32(size))
    request += [UInt8](repeating: 0, count: 4 + size)
    let answer = try socket.option(level, Self.readEntries, request)
    let entries = Array(answer.dropFirst(40).prefix(size))
    let layout = Layout(family)
    drops = layout.verdict(of: policy, entries) == Self.drop
    var names: Set<String> = []
    var position = 0
    while let next = layout.next(after: position, entries) {
      names.formUnion(layout.links(of: position, entries))
      position = next
    }
    links = names.sorted()
  }

  /// `-NF_DROP - 1`
  private static let drop: Int32 = -1

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
    /// Of two numbers of 16 bits: where the target is, and where the next entry is.
    let offsets: Int

    init(_ family: IPAddress.Family) {
      (names, masks, offsets) = family == .v4 ? (16, 48, 88) : (64, 96, 140)
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
