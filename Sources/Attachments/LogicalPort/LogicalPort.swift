internal import Addresses
package import CNI
internal import Linux
internal import OVNNorthbound
internal import OVSDB
package import PluginConfigurations
internal import OpenVSwitch
package import PluginCore

/// An attachment's port of a logical switch: the row of OVN's northbound database, and what
/// ovn-controller makes of it on this host.
package struct LogicalPort {
  /// The key in `external_ids` by which rows of an attachment remember where its logical port is.
  package static let key = ExternalIDKey.logicalPort

  private let survey: LogicalPortSurvey
  private var plan: LogicalPortPlan { survey.plan }

  /// Makes the port, with these addresses as static ones, or takes the one that was made
  /// beforehand.
  package static func make(
    _ survey: LogicalPortSurvey, _ link: ContainerLink, _ addresses: [AttachmentResult.Address],
    _ context: Context, _ rollback: inout Rollback
  ) throws(AttachmentError) -> LogicalPort {
    let port = LogicalPort(survey: survey)
    guard survey.plan.preset == nil else { return port }
    // An answer that is lost is not a transaction that is lost: what this ADD made is looked for.
    rollback.onFailure("remove logical port \"\(survey.plan.name)\"") { deadline in
      port.undo(until: deadline)
    }
    try port.insert(text(link.mac, addresses))
    context.log.write(.debug, "made logical port \"\(survey.plan.name)\"")
    return port
  }

  /// One element of `addresses`: the MAC address and all IP addresses that go with it.
  static func text(_ mac: MACAddress?, _ addresses: [AttachmentResult.Address]) -> String {
    ([mac?.description ?? ""] + addresses.map { $0.address.address.description }).joined(
      separator: " ")
  }

  private func insert(_ addresses: String) throws(AttachmentError) {
    var leftovers = survey.leftovers
    for _ in 0..<Self.attempts {
      let (transaction, isSwitch) = insertion(addresses, replacing: leftovers)
      switch try survey.northbound.run(transaction) {
      case .success: return
      case .failure(let error):
        if let isSwitch, isSwitch.isUnmet(error) {
          throw AttachmentError(
            .failed, "logical switch \"\(plan.configuration.logicalSwitch)\" went meanwhile")
        }
        let port = try find()
        guard let port else {
          if error.isVerdict, !error.isRefusal(.constraintViolation) {
            throw AttachmentError(error, attempt)
          }
          continue
        }
        try LogicalPortSurvey.requireOwn(port, plan)
        if port[.externalIDs][AttachmentRecord.Key.began] == "\(plan.began)" { return }
        leftovers = [port[.uuid]]
      }
    }
    throw AttachmentError(.busy, attempt, details: "others were faster; try again")
  }

  /// Each learns something, and the deadline ends them all.
  private static var attempts: Int { 100 }
  private var attempt: String { "cannot make logical port \"\(plan.name)\"" }

  private func insertion(_ addresses: String, replacing leftovers: [Reference]) -> (
    NorthboundTransaction, NorthboundTransaction.Required?
  ) {
    var transaction = NorthboundTransaction()
    // Before the new row, which has the same name.
    for port in leftovers { transaction.removeLogicalPort(port) }
    guard let home = survey.logicalSwitch else { return (transaction, nil) }
    let isSwitch = transaction.require(.logicalSwitch, where: [.equal(.uuid, home)])
    let port = transaction.insert(
      into: .logicalSwitchPort,
      [
        Cell(.name, plan.name), Cell(.addresses, [addresses]),
        Cell(.portSecurity, plan.configuration.portSecurity ? [addresses] : []),
        Cell(.externalIDs, plan.ownExternalIDs),
        Cell(
          .options,
          [
            "requested-chassis": plan.chassis.name,
            "iface-id-ver": plan.key.attachment.containerID,
          ]),
      ]
    ).reference
    transaction.mutate(
      .logicalSwitch, where: [.equal(.uuid, home)], [.insert([port], into: .ports)])
    for group in survey.groups {
      transaction.mutate(.portGroup, where: [.equal(.uuid, group)], [.insert([port], into: .ports)])
    }
    transaction.append(.comment("patchbay: attach \(plan.key) on \(plan.place.host)"))
    return (transaction, isSwitch)
  }

  private func find() throws(AttachmentError) -> Row<LogicalSwitchPortTable>? {
    var question = NorthboundTransaction()
    let rows = question.select(
      from: .logicalSwitchPort, where: [.equal(.name, plan.name)],
      .columns(.uuid, .name, .externalIDs))
    return try survey.northbound.insist(question)[rows].first
  }

  /// Removes what this ADD made, over a connection of its own; returns why that failed.
  private func undo(until deadline: Deadline) -> String? {
    var client = ClusterClient<NorthboundDatabase>(plan.place.remotes, until: deadline)
    do throws(OVSDBError) {
      var question = NorthboundTransaction()
      let rows = question.select(
        from: .logicalSwitchPort, where: [.includes(.externalIDs, plan.ownExternalIDs)],
        .columns(.uuid))
      var removal = NorthboundTransaction()
      for row in try client.insist(question)[rows] { removal.removeLogicalPort(row[.uuid]) }
      if !removal.operations.isEmpty { _ = try client.insist(removal) }
      return nil
    } catch { return error.description }
  }

  /// Gives the port the addresses that came by the wire.
  package func complete(_ link: ContainerLink, _ addresses: [AttachmentResult.Address])
    throws(AttachmentError)
  {
    guard plan.preset == nil, !addresses.isEmpty else { return }
    let text = Self.text(link.mac, addresses)
    var cells: [Cell<LogicalSwitchPortTable>] = [Cell(.addresses, [text])]
    if plan.configuration.portSecurity { cells.append(Cell(.portSecurity, [text])) }
    var transaction = NorthboundTransaction()
    transaction.update(.logicalSwitchPort, where: [.equal(.name, plan.name)], cells)
    _ = try survey.northbound.insist(transaction)
  }

  /// Waits until ovn-controller has bound the port to the host end, and its flows are installed.
  package func waitUntilInstalled(_ attachment: Plan, _ context: Context) throws(AttachmentError) {
    let name = attachment.hostLink.name
    do throws(OVSDBError) {
      let connection = try Connection(attachment.endpoint, until: context.deadline)
      let monitor = connection.monitor([
        .rows(of: .interface, where: [.equal(.name, name)], .columns(.externalIDs))
      ])
      try monitor.wait(until: context.deadline, for: "ovn-installed of interface \"\(name)\"") {
        $0.rows(of: .interface).first?[.externalIDs][Self.installed] == "true"
      }
      context.log.write(.debug, "OVN forwards for logical port \"\(plan.name)\"")
    } catch {
      throw AttachmentError(
        error.isTransient ? .busy : .failed,
        "OVN does not forward for logical port \"\(plan.name)\"",
        details:
          "\(error); ovn-controller on this host and ovn-northd have to run, and the port has "
          + "to be free for chassis \"\(plan.chassis.name)\"")
    }
  }

  /// The key in `external_ids` of an interface by which ovn-controller says so.
  package static let installed = "ovn-installed"
}
