public import Addresses
internal import CLinux
public import Linux

extension NetfilterSocket {
  private static func message(
    _ message: cntl_msg_types, flags: CInt, _ family: IPAddress.Family,
    _ attributes: AttributeWriter<FlowSpace> = AttributeWriter()
  ) -> FilterMessage {
    FilterMessage(
      NFNL_SUBSYS_CTNETLINK, message.rawValue, flags,
      FilterMessages.header(family.number) + attributes.bytes)
  }
  private static let flowType = message(IPCTNL_MSG_CT_NEW, flags: 0, .v4).type

  /// The flows of a family whose first packet was sent to one of `ports` by one of the protocols
  /// (`IPPROTO_…`).
  public func flows(
    _ family: IPAddress.Family, transports: Set<UInt8>, to ports: Set<UInt16>,
    until deadline: Deadline
  ) throws(FilterError) -> [Flow] {
    var list = FlowList(transports: transports, ports: ports)
    try ask(
      .listFlows, Self.message(IPCTNL_MSG_CT_GET, flags: NLM_F_DUMP, family),
      answer: Self.flowType, &list, until: deadline)
    return list.flows
  }

  /// Has the kernel forget a flow: the next packet begins another. One that is gone is done.
  public func delete(_ flow: Flow, until deadline: Deadline) throws(FilterError) {
    var writer = AttributeWriter<FlowSpace>()
    writer.put(.originalTuple, flow.tuple)
    writer.put(.identity, flow.identity)
    writer.put(.zone, flow.zone)
    var answer = WholeAnswer()
    do throws(FilterError) {
      try ask(
        .deleteFlow(flow),
        Self.message(IPCTNL_MSG_CT_DELETE, flags: NLM_F_ACK, flow.destination.family, writer),
        answer: Self.flowType, &answer, until: deadline)
    } catch { if error.errno != .noSuchFileOrDirectory { throw error } }
  }
}

/// Those of many flows that are looked for.
private struct FlowList: NetfilterReader {
  let transports: Set<UInt8>
  let ports: Set<UInt16>
  private(set) var flows: [Flow] = []

  init(transports: Set<UInt8>, ports: Set<UInt16>) {
    self.transports = transports
    self.ports = ports
  }

  mutating func read(_ body: ArraySlice<UInt8>) throws(NetlinkError) {
    guard let flow = try Flow(body), transports.contains(flow.transport),
      ports.contains(flow.destinationPort)
    else { return }
    flows.append(flow)
  }
  mutating func startAgain() { flows = [] }
}
