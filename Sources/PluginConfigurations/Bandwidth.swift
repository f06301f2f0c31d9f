public import JSON

/// Limits of the traffic of one attachment, as the reference `bandwidth` plugin and the capability
/// of that name state them. Ingress is towards the container, egress is from it.
public struct Bandwidth: Hashable, Sendable, JSONDecodable {
  /// A token bucket.
  public struct Limit: Hashable, Sendable {
    /// Bits per second; not 0.
    public let rate: UInt64
    /// Bits; not 0.
    public let burst: UInt64
  }
  /// The members.
  public enum Member: String, JSONMember {
    case ingressRate, ingressBurst, egressRate, egressBurst
  }
  /// Nil where there is no limit.
  public let ingress: Limit?
  /// Nil where there is no limit.
  public let egress: Limit?

  /// `{"ingressRate": …, "ingressBurst": …, "egressRate": …, "egressBurst": …}`, in bits.
  public init(_ json: JSONCursor) throws(JSONDecodingError) {
    if json.value?.object == nil { throw json.expected("an object") }
    ingress = try Self.limit(json[Member.ingressRate], json[Member.ingressBurst])
    egress = try Self.limit(json[Member.egressRate], json[Member.egressBurst])
  }

  /// Whether nothing is limited.
  public var isEmpty: Bool { ingress == nil && egress == nil }

  /// A rate with its burst: both, or neither; 0 is none.
  private static func limit(_ rate: JSONCursor, _ burst: JSONCursor) throws(JSONDecodingError)
    -> Limit?
  {
    let legal: ClosedRange<Int64> = 0...(1 << 50)
    let bits: Int64 = try rate.decodeIfPresent(in: legal) ?? 0
    let size: Int64 = try burst.decodeIfPresent(in: legal) ?? 0
    if bits == 0, size == 0 { return nil }
    guard bits != 0 else { throw rate.error("missing or 0, and its burst is \(size) bits") }
    guard size != 0 else { throw burst.error("missing or 0, and its rate is \(bits) bits/s") }
    guard bits >= 1000 else {
      throw rate.error("\(bits) is not in 1000…\(1 << 50 as Int64) bits/s")
    }
    return Limit(rate: UInt64(bits), burst: UInt64(size))
  }
}
