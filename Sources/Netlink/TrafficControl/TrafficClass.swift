internal import CLinux
public import Linux

/// A class of the queueing discipline `htb` of a link: see tc-htb(8).
public struct TrafficClass: Hashable, Sendable {
  /// Its number below the discipline, as `1:2` has 2; its upper 16 bits are the discipline's.
  public let handle: UInt32
  /// Bytes per second that are its own. Frames count with their Ethernet headers.
  public let rate: UInt64
  /// Bytes per second, with what it may borrow.
  public let ceiling: UInt64
}

/// `linux/pkt_sched.h`: `TCA_HTB_…`
enum HierarchicalSpace {}

extension Attribute where Space == DisciplineSpace, Value == Nested<HierarchicalSpace> {
  static var hierarchical: Self { .init(TCA_OPTIONS, "TCA_OPTIONS") }
}
extension Attribute where Space == HierarchicalSpace, Value == UInt64 {
  /// Bytes per second, where they need more than 32 bits.
  static var wideRate: Self { .init(TCA_HTB_RATE64, "TCA_HTB_RATE64") }
  /// The same of the ceiling.
  static var wideCeiling: Self { .init(TCA_HTB_CEIL64, "TCA_HTB_CEIL64") }
}

extension TrafficClass: Reported {
  static var answerType: UInt16 { UInt16(RTM_NEWTCLASS) }

  static func decode(_ body: ArraySlice<UInt8>, into list: inout [TrafficClass])
    throws(NetlinkError)
  {
    guard let handle: UInt32 = body.integer(at: 8), body.count >= DisciplineHeader.size else {
      throw .badLength(body.count, at: body.startIndex)
    }
    let attributes = try Attributes<DisciplineSpace>(body.dropFirst(DisciplineHeader.size))
    guard try attributes[.kind] == "htb", let options = try attributes[.hierarchical],
      // `struct tc_htb_opt`: two of `struct tc_ratespec`, each with its rate as the last of 12
      // bytes.
      let parameters = options.payload(UInt16(TCA_HTB_PARMS)),
      let rate: UInt32 = parameters.integer(at: 8),
      let ceiling: UInt32 = parameters.integer(at: 20)
    else { return }
    list.append(
      TrafficClass(
        handle: handle, rate: try options[.wideRate] ?? UInt64(rate),
        ceiling: try options[.wideCeiling] ?? UInt64(ceiling)))
  }
}

extension RouteSocket {
  /// The classes of the discipline `htb` of the link with `index`; none if it has another.
  public func trafficClasses(of index: Int32, until deadline: Deadline) throws(RouteError)
    -> [TrafficClass]
  {
    try list(
      .readDiscipline(index), UInt16(RTM_GETTCLASS),
      DisciplineHeader(index: index, parent: 0).bytes, until: deadline)
  }
}
