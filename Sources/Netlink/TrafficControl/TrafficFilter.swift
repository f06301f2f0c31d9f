internal import CLinux
public import Linux

/// A filter at the ingress of a link, which sees what comes in; see tc(8).
public struct TrafficFilter: Hashable, Sendable {
  /// `basic`, `matchall`, `flower`, …
  public let kind: String
  /// Whether it does something to what it matches, as a policer does. Of the kinds `basic` and
  /// `matchall` only.
  public let hasAction: Bool
}

extension TrafficFilter: Reported {
  static var answerType: UInt16 { UInt16(RTM_NEWTFILTER) }

  static func decode(_ body: ArraySlice<UInt8>, into list: inout [TrafficFilter])
    throws(NetlinkError)
  {
    guard body.count >= DisciplineHeader.size else {
      throw .badLength(body.count, at: body.startIndex)
    }
    let attributes = try Attributes<DisciplineSpace>(body.dropFirst(DisciplineHeader.size))
    let kind = try attributes[.kind] ?? ""
    // `linux/pkt_cls.h`: TCA_BASIC_ACT and TCA_BASIC_POLICE, TCA_MATCHALL_ACT.
    let actions: [UInt16] = kind == "basic" ? [3, 4] : kind == "matchall" ? [2] : []
    guard let options = attributes.payload(UInt16(TCA_OPTIONS)) else { return }
    let inner = try Attributes<DisciplineSpace>(options)
    var hasAction = false
    for type in actions { hasAction = inner.payload(type) != nil || hasAction }
    list.append(TrafficFilter(kind: kind, hasAction: hasAction))
  }
}

extension RouteSocket {
  /// The filters at the ingress of the link with `index`, where its discipline there is `ingress`;
  /// none if it has none.
  public func ingressFilters(of index: Int32, until deadline: Deadline) throws(RouteError)
    -> [TrafficFilter]
  {
    // The handle of the discipline `ingress`, ffff:.
    let header = DisciplineHeader(index: index, parent: 0xffff_0000)
    do throws(RouteError) {
      return try list(
        .readDiscipline(index), UInt16(RTM_GETTFILTER), header.bytes, until: deadline)
    } catch {
      if error.errno == .invalidArgument { return [] }
      throw error
    }
  }
}
