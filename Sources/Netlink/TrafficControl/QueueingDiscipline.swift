internal import CLinux
public import Linux

/// A token bucket that holds back what leaves a link; see tc-tbf(8).
public struct TokenBucket: Hashable, Sendable {
  /// Bytes per second, as long as the bucket is empty; not 0. Frames count with their Ethernet
  /// headers.
  public var rate: UInt64
  /// Bytes that the bucket holds. A frame that is longer is dropped.
  public var burst: UInt32
  /// Bytes that may wait for tokens; what comes beyond them is dropped.
  public var limit: UInt32

  /// A token bucket.
  public init(rate: UInt64, burst: UInt32, limit: UInt32) {
    self.rate = rate
    self.burst = burst
    self.limit = limit
  }
}

/// The queueing discipline at the root of a link, which decides when its frames leave.
public struct QueueingDiscipline: Hashable, Sendable {
  /// The index of the link.
  public let linkIndex: Int32
  /// `tbf`, `htb`, `noqueue`, …
  public let kind: String
  /// Nil where the kind is another one. The kernel keeps the burst as the time that it lasts at the
  /// rate, in units of 64 ns: it comes back rounded, and not at all if it is more than 274 s.
  public let tokenBucket: TokenBucket?
}

/// `struct tcmsg` (rtnetlink(7)).
struct DisciplineHeader {
  static let size = 20

  var index: Int32
  /// `TC_H_ROOT` for the root of a link.
  var parent: UInt32

  var bytes: [UInt8] {
    var bytes: [UInt8] = [0, 0, 0, 0]
    bytes.append(native: index)
    bytes.append(native: UInt32(0))
    bytes.append(native: parent)
    bytes.append(native: UInt32(0))
    return bytes
  }
}

/// `struct tc_tbf_qopt` of `linux/pkt_sched.h`: two of `struct tc_ratespec`, of which the second,
/// the peak rate, is not in use, then limit, burst and the burst of the peak rate.
struct TokenBucketParameters: AttributeValue {
  private static let size = 36
  /// The kernel counts time in ticks of 64 ns (`PSCHED_SHIFT`).
  private static let ticksPerSecond: UInt64 = 15_625_000

  /// Bytes per second; what does not fit is in `TCA_TBF_RATE64`.
  let rate: UInt32
  let limit: UInt32
  /// Ticks that the bucket takes to fill.
  let ticks: UInt32

  init(_ bucket: TokenBucket) {
    rate = UInt32(clamping: bucket.rate)
    limit = bucket.limit
    ticks = UInt32(clamping: UInt64(bucket.burst) * Self.ticksPerSecond / max(bucket.rate, 1))
  }

  func encode(into bytes: inout [UInt8]) {
    // The link layer is Ethernet: any other would need a table of what each length costs.
    bytes += [0, UInt8(TC_LINKLAYER_ETHERNET.rawValue)] + [UInt8](repeating: 0, count: 6)
    bytes.append(native: rate)
    bytes += [UInt8](repeating: 0, count: 12)
    bytes.append(native: limit)
    bytes.append(native: ticks)
    bytes.append(native: UInt32(0))
  }

  init?(decoding payload: Span<UInt8>) {
    guard payload.count >= Self.size, let rate: UInt32 = payload.integer(at: 8),
      let limit: UInt32 = payload.integer(at: 24), let ticks: UInt32 = payload.integer(at: 28)
    else { return nil }
    (self.rate, self.limit, self.ticks) = (rate, limit, ticks)
  }

  /// The bucket; `wideRate` is that of `TCA_TBF_RATE64`.
  func bucket(wideRate: UInt64?) -> TokenBucket {
    let rate = wideRate ?? UInt64(self.rate)
    let product = UInt64(ticks).multipliedReportingOverflow(by: rate)
    let burst = product.overflow ? .max : (product.partialValue / Self.ticksPerSecond)
    return TokenBucket(rate: rate, burst: UInt32(clamping: burst), limit: limit)
  }
}

extension UInt64: AttributeValue {}

/// `linux/rtnetlink.h`: `TCA_…`
enum DisciplineSpace: AttributeSpace {
  // What the options hold depends on the kind.
  static var names: [AttributeName] {
    [
      known(.kind), .init(TCA_OPTIONS, "TCA_OPTIONS"), .init(TCA_STATS, "TCA_STATS"),
      .init(TCA_STATS2, "TCA_STATS2"),
    ]
  }
}
/// `linux/pkt_sched.h`: `TCA_TBF_…`
enum TokenBucketSpace {}

extension Attribute where Space == DisciplineSpace, Value == String {
  static var kind: Self { .init(TCA_KIND, "TCA_KIND") }
}
extension Attribute where Space == DisciplineSpace, Value == Nested<TokenBucketSpace> {
  static var tokenBucket: Self { .init(TCA_OPTIONS, "TCA_OPTIONS") }
}
extension Attribute where Space == TokenBucketSpace, Value == TokenBucketParameters {
  static var parameters: Self { .init(TCA_TBF_PARMS, "TCA_TBF_PARMS") }
}
extension Attribute where Space == TokenBucketSpace, Value == UInt64 {
  /// Bytes per second.
  static var wideRate: Self { .init(TCA_TBF_RATE64, "TCA_TBF_RATE64") }
}
extension Attribute where Space == TokenBucketSpace, Value == UInt32 {
  /// Bytes. Before it there was only the time that they last, which overflows.
  static var burst: Self { .init(TCA_TBF_BURST, "TCA_TBF_BURST") }
}

extension QueueingDiscipline: Reported {
  static var answerType: UInt16 { UInt16(RTM_NEWQDISC) }

  static func decode(_ body: ArraySlice<UInt8>, into list: inout [QueueingDiscipline])
    throws(NetlinkError)
  {
    guard let index: Int32 = body.integer(at: 4), let parent: UInt32 = body.integer(at: 12),
      body.count >= DisciplineHeader.size
    else { throw .badLength(body.count, at: body.startIndex) }
    guard parent == TC_H_ROOT else { return }
    let attributes = try Attributes<DisciplineSpace>(body.dropFirst(DisciplineHeader.size))
    let kind = try attributes[.kind] ?? ""
    // What the options of others hold are other attributes.
    let options = kind == "tbf" ? try attributes[.tokenBucket] : nil
    let wideRate = try options?[.wideRate]
    let bucket = try options?[.parameters].map { $0.bucket(wideRate: wideRate) }
    list.append(QueueingDiscipline(linkIndex: index, kind: kind, tokenBucket: bucket))
  }
}

extension Batch {
  /// Has a token bucket hold back what leaves the link with `index`, instead of whatever did so.
  ///
  /// It ends with the link. Without `sch_tbf` in the kernel it is refused with `ENOENT`.
  public mutating func limit(_ index: Int32, by bucket: TokenBucket) {
    add(
      .limitLink(index), Int(RTM_NEWQDISC), flags: NLM_F_CREATE | NLM_F_REPLACE,
      DisciplineHeader(index: index, parent: TC_H_ROOT).bytes
    ) { (writer: inout AttributeWriter<DisciplineSpace>) in
      writer.put(.kind, "tbf")
      writer.nest(.tokenBucket) {
        $0.put(.parameters, TokenBucketParameters(bucket))
        $0.put(.wideRate, bucket.rate > UInt64(UInt32.max) ? bucket.rate : nil)
        $0.put(.burst, bucket.burst)
      }
    }
  }
}

extension RouteSocket {
  /// What is at the root of the link with `index`; nil if there is no such link.
  public func queueingDiscipline(of index: Int32, until deadline: Deadline) throws(RouteError)
    -> QueueingDiscipline?
  {
    let header = DisciplineHeader(index: index, parent: 0)
    let all: [QueueingDiscipline] = try list(
      .readDiscipline(index), UInt16(RTM_GETQDISC), header.bytes, until: deadline)
    return all.first { $0.linkIndex == index }
  }
}
