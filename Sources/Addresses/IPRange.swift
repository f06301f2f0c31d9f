/// Addresses of one family, from the first to the last, both included.
public struct IPRange: Hashable, Sendable {
  /// The lowest.
  public let first: IPAddress
  /// The highest; not below `first`.
  public let last: IPAddress

  /// The range; nil if the families differ, or if `last` is below `first`.
  public init?(_ first: IPAddress, _ last: IPAddress) {
    guard first.family == last.family, first.value <= last.value else { return nil }
    self.first = first
    self.last = last
  }

  /// All addresses of `prefix`.
  public init(_ prefix: IPPrefix) {
    first = prefix.network
    last = prefix.last
  }

  /// Whether `address` lies in it.
  public func contains(_ address: IPAddress) -> Bool {
    address.family == first.family && (first.value...last.value).contains(address.value)
  }
  /// Whether both share an address.
  public func overlaps(_ other: IPRange) -> Bool {
    first.family == other.first.family && first.value <= other.last.value
      && other.first.value <= last.value
  }

  /// The number of addresses; `UInt128.max` also for all of IPv6, one more.
  public var count: UInt128 {
    let (count, overflow) = (last.value - first.value).addingReportingOverflow(1)
    return overflow ? .max : count
  }
}

extension IPRange: CustomStringConvertible {
  /// `10.1.0.2…10.1.0.254`
  public var description: String { "\(first)…\(last)" }
}
