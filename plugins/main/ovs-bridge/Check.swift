import Addresses
import CNI
import Linux
import Netlink
import OVSDB
import OpenVSwitch
import PluginConfigurations
import PluginCore

extension OVSBridge {
  /// CHECK: everything that ADD made, compared with the kernel and the database. It changes nothing.
  static func check(_ request: Request, _ plan: Plan, _ context: Context) throws(CNIError) {
    let sandbox = try Sandbox.open(request.invocation)
    try check(request, plan, in: sandbox, Exclusion(request, context), context)
  }

  private static func check(
    _ request: Request, _ plan: Plan, in sandbox: borrowing NetworkNamespace,
    _ exclusion: borrowing Exclusion, _ context: Context
  ) throws(CNIError) {
    let plan = plan.withMTUOfHostEnd(context)
    let ipam = try Delegate.ipam(for: request, .check, until: context.deadline)
    let expected = try Expectation(request, plan, sandbox: sandbox.path)
    var deviations = Deviations()
    let datapath = try comparePort(plan, expected, context, &deviations)
    try compareLinks(plan, expected, datapath, in: sandbox, context, &deviations)
    try compareGateway(plan, expected, context, &deviations)
    try compareMasquerade(plan, expected, context, &deviations)
    try deviations.throwIfAny(plan)
    try finish(ipam, context)
  }

  private static func finish(_ ipam: consuming Delegate?, _ context: Context) throws(CNIError) {
    guard let ipam else { return }
    try ipam.finish(.check, until: context.deadline)
  }
}

/// What this attachment should have, by the previous result and the configuration. Later plugins of
/// the chain may have changed the container end since ADD; the result tells of that.
struct Expectation {
  /// Of the container end; nil where the result does not tell.
  let mac: String?
  /// Octets, of the container end; nil where nobody tells.
  let mtu: UInt32?
  /// Octets, of the host end; nil where nobody tells.
  let hostMTU: UInt32?
  let addresses: [AttachmentResult.Address]
  let routes: [CNI::Route]
  /// The interfaces of the result that are on the host.
  let hostInterfaces: [AttachmentResult.Interface]
  /// Of both rows, all that ADD wrote and that follows from the request.
  let externalIDs: [String: String]

  init(_ request: Request, _ plan: Plan, sandbox: String) throws(CNIError) {
    let result = request.network.previousResult ?? AttachmentResult()
    let name = plan.attachment.interfaceName
    let index = result.interfaces.firstIndex {
      $0.name == name && $0.sandbox == request.invocation.sandboxPath
    }
    // Results before 0.3.0 have no interfaces.
    guard index != nil || result.interfaces.isEmpty else {
      throw CNIError(
        .invalidConfiguration,
        "prevResult.interfaces: none is \"\(name)\" in \(request.invocation.sandboxPath ?? "")")
    }
    let container = index.map { result.interfaces[$0] }
    hostInterfaces = result.interfaces.filter { $0.sandbox == nil || $0.sandbox == "" }
    let host = hostInterfaces.first { $0.name == plan.hostLink.name }
    mac = container?.mac
    mtu = container?.mtu ?? plan.configuration.mtu
    hostMTU = host?.mtu ?? plan.configuration.mtu
    addresses = result.addresses.filter { $0.interface == nil || $0.interface == index }
    routes = request.network.ipamType == nil ? [] : result.routes

    // A MAC address that the kernel chose is known from the result alone, and a later plugin may
    // have given the container end another one.
    let first = addresses.first?.address.address
    let mac = plan.mac ?? first.flatMap { MACAddress.derived(from: $0) }
    var pairs = plan.record(
      sandbox: sandbox, addresses: addresses, mac: mac
    ).externalIDs(plan)
    pairs[GatewayRow.key] = Gateway(plan, addresses)?.port.name
    if OVSBridge.isMasqueraded(plan, addresses) { pairs[MasqueradeRecord.key] = "true" }
    externalIDs = pairs
  }

  /// Compares the `external_ids` of `subject`. Others may have added some of their own.
  func compare(_ found: [String: String], of subject: String, _ deviations: inout Deviations) {
    for (key, value) in externalIDs.sorted(by: { $0.key < $1.key }) {
      deviations.expect("\(subject): external_ids:\(key)", is: found[key], shouldBe: value)
    }
    // What these name if they are there is what somebody believes.
    for key in ["addresses", "iface-id"] where externalIDs[key] == nil {
      deviations.expect("\(subject): external_ids:\(key)", is: found[key], shouldBe: nil)
    }
  }
}

/// What is not as ADD made it.
struct Deviations {
  private var all: [String] = []

  /// Notes that `subject` is not as it should be.
  mutating func expect<T: Equatable>(
    _ subject: String, is found: T, shouldBe wanted: T, _ text: (T) -> String
  ) {
    if found != wanted { add("\(subject) is \(text(found)), should be \(text(wanted))") }
  }
  mutating func expect(_ subject: String, is found: String?, shouldBe wanted: String?) {
    expect(subject, is: found, shouldBe: wanted) { $0.map { "\"\($0)\"" } ?? "absent" }
  }
  mutating func expect<I: FixedWidthInteger>(_ subject: String, is found: I?, shouldBe wanted: I?) {
    expect(subject, is: found, shouldBe: wanted) { $0.map { "\($0)" } ?? "absent" }
  }
  mutating func expect(_ subject: String, is found: Bool, shouldBe wanted: Bool) {
    expect(subject, is: found, shouldBe: wanted) { "\($0)" }
  }
  mutating func add(_ text: String) { all.append(text) }

  func throwIfAny(_ plan: Plan) throws(CNIError) {
    guard !all.isEmpty else { return }
    let interface = plan.attachment.interfaceName
    throw CNIError(
      .internalFailure,
      "interface \"\(interface)\" on bridge \"\(plan.bridge)\" is not as ADD made it",
      details: all.joined(separator: "; "))
  }
}

// MARK: - The database

extension OVSBridge {
  /// Compares the rows; answers the bridge's datapath, which is empty where there is no bridge.
  private static func comparePort(
    _ plan: Plan, _ expected: Expectation, _ context: Context, _ deviations: inout Deviations
  ) throws(CNIError) -> String {
    let name = plan.hostLink.name
    do {
      let connection = try Connection(plan.endpoint, until: context.deadline)
      var question = Transaction()
      let ports = question.select(
        from: .port, where: [.equal(.name, name)],
        .columns(.uuid, .vlanMode, .tag, .trunks, .customerVLANs, .isProtected, .externalIDs))
      let interfaces = question.select(
        from: .interface, where: [.equal(.name, name)],
        .columns(.ofport, .ofportRequest, .error, .ifindex, .type, .externalIDs))
      let rates = RatesQuestion(name, plan.key, in: &question)
      let results = try connection.transact(question, until: context.deadline)
      guard let port = results[ports].first, let interface = results[interfaces].first else {
        deviations.add("there is no port \"\(name)\" in the database, and there should be one")
        return ""
      }
      comparePort(plan, port, expected, &deviations)
      compareInterface(plan, interface, expected, context, &deviations)

      var second = Transaction()
      let bridges = second.select(
        from: .bridge, where: [.includes(.ports, [port[.uuid]])], .columns(.name, .datapathType))
      let bridge = try connection.transact(second, until: context.deadline)[bridges].first
      deviations.expect("bridge of port \"\(name)\"", is: bridge?[.name], shouldBe: plan.bridge)
      let datapath = bridge?[.datapathType] ?? ""
      rates.compare(
        plan.rates, name, datapath.isEmpty ? "system" : datapath, results, &deviations)
      return datapath
    } catch { throw CNIError(error, "cannot ask Open vSwitch") }
  }

  private static func comparePort(
    _ plan: Plan, _ row: Row<PortTable>, _ expected: Expectation, _ deviations: inout Deviations
  ) {
    let subject = "port \"\(plan.hostLink.name)\""
    let vlans = plan.configuration.vlans
    func list(_ tags: [Int64]) -> String {
      tags.isEmpty ? "every VLAN" : tags.map { String($0) }.joined(separator: ",")
    }
    let isTunnel = vlans.mode == .dot1qTunnel
    let trunks = vlans.trunks.map { Int64($0) }
    deviations.expect("\(subject): vlan_mode", is: row[.vlanMode], shouldBe: vlans.mode.rawValue)
    deviations.expect("\(subject): tag", is: row[.tag], shouldBe: vlans.tag.map { Int64($0) })
    deviations.expect(
      "\(subject): trunks", is: row[.trunks].sorted(), shouldBe: isTunnel ? [] : trunks, list)
    deviations.expect(
      "\(subject): cvlans", is: row[.customerVLANs].sorted(), shouldBe: isTunnel ? trunks : [], list
    )
    deviations.expect(
      "\(subject): protected", is: row[.isProtected], shouldBe: plan.configuration.portIsolation)
    expected.compare(row[.externalIDs], of: subject, &deviations)
  }

  private static func compareInterface(
    _ plan: Plan, _ row: Row<InterfaceTable>, _ expected: Expectation, _ context: Context,
    _ deviations: inout Deviations
  ) {
    let subject = "Open vSwitch interface \"\(plan.hostLink.name)\""
    if let error = row[.error] { deviations.add("\(subject) has the error: \(error)") }
    if row[.ofport].map({ $0 <= 0 }) ?? true {
      deviations.add(
        "\(subject): ofport is \(row[.ofport].map { String($0) } ?? "absent"), "
          + "should be 1 or more: ovs-vswitchd does not forward for it")
    }
    if let number = plan.configuration.openFlowPort {
      deviations.expect(
        "\(subject): ofport_request", is: row[.ofportRequest], shouldBe: Int64(number))
    }
    deviations.expect(
      "\(subject): type", is: row[.type], shouldBe: plan.configuration.interfaceType ?? "")
    expected.compare(row[.externalIDs], of: subject, &deviations)
    do throws(RouteError) {
      let link = try RouteSocket().link(.named(plan.hostLink.name), until: context.deadline)
      deviations.expect("\(subject): ifindex", is: row[.ifindex], shouldBe: Int64(link.index))
      if link.promiscuity == 0 {
        deviations.add(
          "link \"\(link.name)\": promiscuity is 0, should be 1 or more: no datapath listens to it")
      }
    } catch {
      // That the link is gone is told with the links.
    }
  }
}
