public import Addresses
internal import CNI
public import JSON

/// A range of `host-local`: part of a subnet, with the gateway of that.
public struct AddressRange: Hashable, Sendable {
  /// The members.
  public enum Member: String, JSONMember {
    case subnet, rangeStart, rangeEnd, gateway, exclude
  }
  /// How many ranges there may be, in all sets together, and parts that one of them excludes.
  static let limit = 1024

  /// Its prefix length is that of every address given out.
  public let subnet: IPPrefix
  /// `rangeStart` to `rangeEnd`.
  public let range: IPRange
  /// Never given out; not always within the subnet. Nil where it is not said and the subnet has two
  /// addresses or one, all of which are given out (RFC 3021, RFC 6164).
  public let gateway: IPAddress?
  /// `exclude`: never given out either.
  public let exclusions: [IPRange]
  /// What is left of `range` without gateway, exclusions and reservations, in ascending order.
  public internal(set) var open: [IPRange]
  /// Where it stands.
  public let path: JSONPath

  /// Decodes a range; `json` is the object that has `subnet`.
  init(_ json: JSONCursor) throws(JSONDecodingError) {
    subnet = try Self.subnet(json[Member.subnet])
    // Such a subnet has neither an address of its own nor one for broadcasts.
    let isTiny = subnet.length + 2 > subnet.address.family.bits
    let second = subnet.network.successor ?? subnet.network
    let first = isTiny ? subnet.network : second
    let gateway = try Self.address(json[Member.gateway])
    if let gateway, gateway.family != subnet.address.family {
      throw json[Member.gateway].error("\(gateway) is not of the family of \(subnet)")
    }
    self.gateway = gateway ?? (isTiny ? nil : second)
    // The last address of an IPv4 subnet is its broadcast.
    let last =
      subnet.address.isIPv6 || isTiny ? subnet.last : subnet.last.predecessor ?? subnet.last
    let start = try Self.address(json[Member.rangeStart])
    let end = try Self.address(json[Member.rangeEnd])
    for (bound, member, label) in [
      (start, Member.rangeStart, "RangeStart"), (end, .rangeEnd, "RangeEnd"),
    ] {
      guard let bound, !subnet.contains(bound) else { continue }
      throw json[member].error(inWordsOf: "\(label) \(bound) not in network \(subnet)")
    }
    guard let range = IPRange(start ?? first, end ?? last) else {
      throw json[Member.rangeStart].error(
        "rangeStart \(start ?? first) is above rangeEnd \(end ?? last)",
        message: start == nil
          ? "RangeEnd \(end ?? last) not in network \(subnet)"
          : "RangeStart \(start ?? first) not in network \(subnet)")
    }
    self.range = range
    path = json.path
    exclusions = try Self.exclusions(json[Member.exclude], subnet)
    let taken = exclusions + [self.gateway.flatMap { IPRange($0, $0) }].compactMap { $0 }
    open = [range].without(taken)
  }

  private static func subnet(_ json: JSONCursor) throws(JSONDecodingError) -> IPPrefix {
    guard !json.isAbsent else {
      throw json.error(
        "missing; ADDRESS/LENGTH is required",
        message: json.value == nil ? "IP <nil> not v4 nor v6" : "invalid CIDR address: ")
    }
    let subnet: IPPrefix = try json.decode()
    guard subnet.address.unmapped == subnet.address else {
      throw json.error(
        "\(subnet) maps IPv4; write it as an IPv4 subnet",
        message: "IPNet IP and Mask version mismatch")
    }
    guard subnet.address == subnet.network else {
      throw json.error(
        inWordsOf: "Network has host bits set. For a subnet mask of length \(subnet.length) "
          + "the network address is \(subnet.network)")
    }
    return subnet
  }

  private static func address(_ json: JSONCursor) throws(JSONDecodingError) -> IPAddress? {
    try json.decodeAddressIfPresent()?.unmapped
  }

  private static func exclusions(_ json: JSONCursor, _ subnet: IPPrefix)
    throws(JSONDecodingError) -> [IPRange]
  {
    guard !json.isAbsent else { return [] }
    var exclusions: [IPRange] = []
    for element in try json.elements(atMost: AddressRange.limit) {
      let exclusion = try range(element)
      guard IPRange(subnet).contains(exclusion.first), subnet.contains(exclusion.last) else {
        throw element.error("\(exclusion) is not in \(subnet)")
      }
      exclusions.append(exclusion)
    }
    return exclusions
  }

  /// `10.1.0.77`, `10.1.0.0/28` or `10.1.0.90-10.1.0.99`.
  private static func range(_ json: JSONCursor) throws(JSONDecodingError) -> IPRange {
    let text: String = try json.decode()
    if text.utf8.contains(UInt8(ascii: "/")) { return IPRange(try json.decode(IPPrefix.self)) }
    let bounds = text.split(separator: "-", omittingEmptySubsequences: false).map {
      IPAddress($0)?.unmapped
    }
    guard (1...2).contains(bounds.count), let first = bounds.first ?? nil,
      let last = bounds.last ?? nil, let range = IPRange(first, last)
    else {
      throw json.error(
        "\"\(text)\" is none of ADDRESS, ADDRESS/LENGTH and FIRST-LAST with FIRST not above LAST")
    }
    return range
  }

  /// As the reference plugin writes it: `10.1.0.1-10.1.0.254`.
  public var text: String { "\(range.first)-\(range.last)" }
}

/// The ranges of which every attachment gets one address.
public struct RangeSet: Hashable, Sendable {
  /// Of one family; at least one, and no two of them overlap.
  public internal(set) var ranges: [AddressRange]
  /// Where it stands.
  public let path: JSONPath

  /// Decodes the elements of an array, or the range that `json` itself is.
  ///
  /// - Parameter number: That of the set, which the reference plugin says where one is illegal.
  static func decode(_ json: JSONCursor, number: Int, isSingle: Bool = false)
    throws(JSONDecodingError) -> RangeSet
  {
    do throws(JSONDecodingError) {
      return isSingle ? try RangeSet(single: json) : try RangeSet(json)
    } catch {
      var error = error
      // Where it cannot even read an address, it does not get as far as to the set.
      if let message = error.message, !message.hasPrefix("invalid ") {
        error.message = "invalid range set \(number): \(message)"
      }
      throw error
    }
  }

  private init(_ json: JSONCursor) throws(JSONDecodingError) {
    var ranges: [AddressRange] = []
    for element in json.isAbsent ? [] : try json.elements(atMost: AddressRange.limit) {
      let next = try AddressRange(element)
      if let first = ranges.first, first.range.first.family != next.range.first.family {
        throw json.error(
          "mixed address families; a range set is of IPv4 or of IPv6",
          message: "mixed address families")
      }
      if let other = ranges.first(where: { $0.range.overlaps(next.range) }) {
        throw json.error(inWordsOf: "subnets \(other.text) and \(next.text) overlap")
      }
      ranges.append(next)
    }
    guard !ranges.isEmpty else {
      throw json.error("empty range set; it has one range at least", message: "empty range set")
    }
    self.init(ranges, json)
  }

  /// The set of one range, written without arrays.
  private init(single json: JSONCursor) throws(JSONDecodingError) {
    self.init([try AddressRange(json)], json)
  }

  private init(_ ranges: [AddressRange], _ json: JSONCursor) {
    self.ranges = ranges
    path = json.path
  }

  /// Refuses a set that has no address to give. The reference plugin sees that when it allocates.
  ///
  /// - Parameter number: That of the set, which the reference plugin says.
  func requireAddress(number: Int) throws(JSONDecodingError) {
    guard ranges.allSatisfy({ $0.open.isEmpty }) else { return }
    let text = ranges.map { $0.range.description }.joined(separator: ", ")
    throw JSONDecodingError(
      path: path, reason: "no address is left of \(text) without the gateway and what is excluded",
      message: "failed to allocate for range \(number): no IP addresses available in range set: "
        + ranges.map { $0.text }.joined(separator: ","))
  }

  /// IPv4 or IPv6.
  public var family: IPAddress.Family { ranges.first?.range.first.family ?? .v4 }

  /// The range that `address` lies in.
  public func range(with address: IPAddress) -> AddressRange? {
    ranges.first { $0.range.contains(address) }
  }

  /// As the reference plugin writes it: `10.1.0.1-10.1.0.254,10.2.0.1-10.2.0.254`.
  public var text: String { ranges.map { $0.text }.joined(separator: ",") }
}

extension Array where Element == IPRange {
  /// The parts of these ranges, which are in ascending order and do not overlap, that lie in none
  /// of `others`.
  func without(_ others: [IPRange]) -> [IPRange] {
    var parts = self
    for other in others {
      parts = parts.flatMap { (part: IPRange) -> [IPRange] in
        guard part.overlaps(other) else { return [part] }
        let head = other.first.predecessor.flatMap { IPRange(part.first, $0) }
        let tail = other.last.successor.flatMap { IPRange($0, part.last) }
        return [head, tail].compactMap { $0 }
      }
    }
    return parts
  }
}

extension JSONCursor {
  /// An error about this position that says the same as the reference plugin.
  func error(inWordsOf message: String) -> JSONDecodingError { error(message, message: message) }
}
