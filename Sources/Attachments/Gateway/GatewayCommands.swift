internal import Addresses
package import CNI
internal import Linux
internal import Netlink
internal import OVSDB
internal import OpenVSwitch
package import PluginConfigurations
package import PluginCore

extension Connection {
  /// The row of the port that is a gateway; nil if there is none of that name.
  func gatewayRow(_ name: String, until deadline: Deadline) throws(OVSDBError) -> GatewayRow? {
    var question = Transaction()
    let ports = question.select(
      from: .port, where: [.equal(.name, name)], .columns(.uuid, .tag, .vlanMode, .externalIDs))
    return try transact(question, until: deadline)[ports].first.map {
      GatewayRow(
        reference: $0[.uuid], tag: $0[.tag], mode: $0[.vlanMode], type: "",
        externalIDs: $0[.externalIDs])
    }
  }

  /// The index of the gateway's link, which ovs-vswitchd has made, or had already. It may report it
  /// some time after it has made it.
  func index(of gateway: GatewayPort, until deadline: Deadline) throws(AttachmentError) -> Int64 {
    let attempt = "cannot set up the gateway \"\(gateway.name)\""
    func refusal(_ reason: String) -> AttachmentError {
      AttachmentError(.failed, attempt, details: reason)
    }
    let monitor = monitor([
      .rows(of: .interface, where: [.equal(.name, gateway.name)], .columns(.error, .ifindex))
    ])
    flush()
    defer { monitor.cancel() }
    do throws(OVSDBError) {
      try monitor.begin(until: deadline)
      try monitor.waitForConsequence(
        until: min(deadline, .after(Self.patience)), for: "an ifindex"
      ) {
        guard let row = $0.rows(of: .interface).first else { return true }
        return row[.error] != nil || row[.ifindex] ?? 0 > 0
      }
    } catch {
      // Past the patience it has the rows, and says what is missing.
      guard case .deadlinePassed = error, !deadline.hasPassed else {
        throw AttachmentError(error, attempt)
      }
    }
    guard let row = monitor.rows(of: .interface).first else {
      throw refusal("another process removed its row from the database meanwhile")
    }
    if let error = row[.error] { throw refusal("ovs-vswitchd: \(error)") }
    guard let index = row[.ifindex], index > 0 else {
      throw refusal("ovs-vswitchd has not made its link; see its log")
    }
    return index
  }

  /// How long ovs-vswitchd, which has taken everything over, may take to report a link.
  private static var patience: Duration { .seconds(5) }

  /// The row of the interface that is a gateway; nil if there is none of that name.
  fileprivate func gatewayInterface(_ name: String, until deadline: Deadline) throws(OVSDBError)
    -> Row<InterfaceTable>?
  {
    var question = Transaction()
    let interfaces = question.select(
      from: .interface, where: [.equal(.name, name)], .columns(.type, .error, .ifindex))
    return try transact(question, until: deadline)[interfaces].first
  }
}

extension Gateway {
  /// What the rows of an attachment have for it.
  package static func externalIDs(_ plan: Plan, _ addresses: [AttachmentResult.Address])
    -> [ExternalIDKey: String]
  {
    Gateway(plan, addresses).map { [.gateway: $0.port.name] } ?? [:]
  }

  // MARK: - CHECK

  /// Compares the gateway with what ADD made.
  package static func compare(
    _ plan: Plan, _ expected: Expectation, _ context: Context, _ deviations: inout Deviations
  ) throws(AttachmentError) {
    guard let gateway = Gateway(plan, expected.addresses) else { return }
    try compareRows(gateway, plan, context, &deviations)
    try compareLink(gateway, expected, context, &deviations)
    try Forwarding.compare(gateway, &deviations)
  }

  private static func compareRows(
    _ gateway: Gateway, _ plan: Plan, _ context: Context, _ deviations: inout Deviations
  ) throws(AttachmentError) {
    let subject = "gateway port \"\(gateway.port.name)\""
    do {
      let connection = try Connection(plan.endpoint, until: context.deadline)
      guard
        let row = try connection.gatewayRow(gateway.port.name, until: context.deadline),
        let interface = try connection.gatewayInterface(
          gateway.port.name, until: context.deadline)
      else {
        deviations.add("there is no \(subject) in the database, and there should be one")
        return
      }
      var question = Transaction()
      let bridges = question.select(
        from: .bridge, where: [.includes(.ports, [row.reference])],
        .columns(.name, .otherConfiguration))
      let bridge = try connection.transact(question, until: context.deadline)[bridges].first
      deviations.expect("bridge of \(subject)", is: bridge?[.name], shouldBe: plan.bridge)
      if let tag = gateway.port.tag {
        deviations.expect("\(subject): tag", is: row.tag, shouldBe: Int64(tag))
        if row.isOurs {
          deviations.expect("\(subject): vlan_mode", is: row.mode, shouldBe: "access")
        }
      }
      if let mac = row.marks.hardwareAddress {
        deviations.expect(
          "bridge \"\(plan.bridge)\": other_config:hwaddr",
          is: bridge?[.otherConfiguration]["hwaddr"], shouldBe: mac)
      }
      deviations.expect("\(subject): type", is: interface[.type], shouldBe: "internal")
      if let error = interface[.error] { deviations.add("\(subject) has the error: \(error)") }
    } catch { throw AttachmentError(error, "cannot ask Open vSwitch") }
  }

  private static func compareLink(
    _ gateway: Gateway, _ expected: Expectation, _ context: Context,
    _ deviations: inout Deviations
  ) throws(AttachmentError) {
    let name = gateway.port.name
    let found: GatewayLink?
    do { found = try GatewayLink(name, RouteSocket(), until: context.deadline) } catch {
      throw AttachmentError(error, "cannot read the gateway \"\(name)\"")
    }
    guard let link = found else {
      deviations.add("there is no link \"\(name)\" on the host, which is the gateway")
      return
    }
    deviations.expect("gateway \"\(name)\": up", is: link.isUp, shouldBe: true)
    // It is fixed, because containers go on sending to the one they have learnt.
    if let mac = expected.hostInterfaces.first(where: { $0.name == name })?.mac {
      deviations.expect("gateway \"\(name)\": mac", is: link.mac, shouldBe: mac)
    }
    for address in gateway.addresses where !link.addresses.contains(address) {
      let there = link.addresses.map { $0.description }.joined(separator: " ")
      deviations.add(
        "gateway \"\(name)\" has no address \(address); it has \(there.isEmpty ? "none" : there)")
    }
  }

  // MARK: - GC

  /// Removes gateways that no attachment of the network is left to use.
  package static func collect(
    _ detachment: Detachment, _ context: Context, _ failures: inout Failures
  ) {
    do throws(OVSDBError) {
      let connection = try Connection(detachment.endpoint, until: context.deadline)
      var question = Transaction()
      let ports = question.select(from: .port, .columns(.name, .externalIDs))
      let rows = try connection.transact(question, until: context.deadline)[ports]
      let used = Set(
        rows.filter { AttachmentRecord($0[.externalIDs])?.network == detachment.key.network }
          .compactMap {
            $0[.externalIDs][GatewayRow.key]
          })
      for row in rows where isGateway(row[.externalIDs], of: detachment.key.network) {
        let name = row[.name]
        guard !used.contains(name) else { continue }
        let departure = GatewayDeparture(port: name, network: detachment.key.network, members: [])
        var removed = RemovedPorts()
        try departure.leave(
          connection, "free the gateway \(name)", &removed, until: context.deadline)
        for failure in removed.failures { failures.add(failure) }
        context.log.write(.info, "freed the gateway \"\(name)\"")
      }
    } catch { failures.add(AttachmentError(error, "cannot free gateways")) }
  }

  private static func isGateway(_ externalIDs: [String: String], of network: String) -> Bool {
    !GatewayMarks(externalIDs).addresses(of: network).isEmpty
      || AttachmentRecord.isOurs(externalIDs)
        && externalIDs[GatewayRow.roleKey] == GatewayRow.role
        && externalIDs[AttachmentRecord.Key.network] == network
  }
}
