internal import CNI
internal import Linux
internal import Netlink
internal import OVSDB
internal import OpenVSwitch
internal import PluginCore

extension Database {
  /// Makes the host end a port of its bridge, which is made where that is asked for.
  ///
  /// - Parameter link: The attachment's; nil where it is made next, which `findings` allow only
  ///   where nothing is to be replaced.
  func attach(
    _ plan: Plan, _ externalIDs: [String: String], _ target: GatewayTarget?,
    _ findings: RowSurvey.Findings,
    replacing leftovers: Leftovers, _ link: ContainerLink?, _ rollback: inout Rollback
  ) throws(AttachmentError) -> AttachedPort {
    // What ovs-vswitchd may hold, and what has a gateway to leave, goes in a step of its own.
    let isSimple =
      !leftovers.isHeld
      && leftovers.rows.allSatisfy { port in
        let gateway = port.row[.externalIDs][GatewayRow.key]
        return gateway == nil || port.record?.key == plan.key && gateway == plan.gatewayPort?.name
      }
    if isSimple {
      do throws(OVSDBError) {
        try connection.deleteRates(
          of: Set(leftovers.rows.compactMap { $0.record?.key }), until: deadline)
      } catch { throw AttachmentError(error, Self.cannotReplace) }
    } else {
      try remove(leftovers.rows, plan, target, link)
    }
    rollback.onFailure("take port \"\(plan.hostLink.name)\" off") { [self] deadline in
      // Its own part in the gateway would keep it from taking that away.
      target?.presence.end()
      return undo(plan, externalIDs, until: deadline)
    }
    return try makePort(
      plan, externalIDs, target, findings, replacing: isSimple ? leftovers.rows : [],
      precedesLink: link == nil)
  }

  /// Waits until the datapath forwards for the port, which is plugged in again where ovs-vswitchd
  /// has taken its link for an earlier one of the same name.
  ///
  /// ovs-vswitchd knows links by name, and an attachment's has the same in every life. Where a port
  /// goes and comes back in one look, ovs-vswitchd goes on with the socket of the link that is
  /// gone; where it has not let go of that link yet, it gives the new one its flags.
  func waitUntilForwarding(_ port: AttachedPort, _ link: ContainerLink, _ context: Context)
    throws(AttachmentError)
  {
    var port = port
    while let mismatch = try port.mismatch(link, connection, context) {
      context.log.write(.warning, "\(mismatch): plugging it in again")
      let findings = try findings(RowSurvey(port.plan))
      try remove(
        findings.ports.filter { $0.record?.key == port.plan.key }, port.plan, port.target, link)
      port = try makePort(
        port.plan, port.externalIDs, port.target, findings, replacing: [], precedesLink: false)
    }
  }

  private static let cannotReplace = "cannot remove what an earlier ADD left"

  /// Takes ports that a new one replaces off their bridges, and waits until ovs-vswitchd has let go
  /// of their links: the port that comes has the same name and another link.
  private func remove(
    _ rows: [RowSurvey.Port], _ plan: Plan, _ target: GatewayTarget?, _ link: ContainerLink?
  ) throws(AttachmentError) {
    guard !rows.isEmpty else { return }
    do {
      let removed = try connection.remove(
        rows.map { $0.row }, ratesOf: Set(rows.compactMap { $0.record?.key }),
        "replace \(plan.key)", keeping: target?.gateway.port.name, isAwaited: true,
        until: deadline)
      for commit in removed.commits { _ = try commit.outcome(until: deadline) }
    } catch { throw AttachmentError(error, Self.cannotReplace) }
    // Letting go of a port, ovs-vswitchd gives the link of that name the flags that it found.
    do { try link?.bringHostEndUp(until: deadline) } catch {
      throw AttachmentError(error, AttachedPort.attempt(plan))
    }
  }

  /// Takes the port of this run off again, and a bridge that was made for it and has no other port.
  ///
  /// Over a connection of its own, because the first one may be the reason for the failure: where
  /// ovsdb-server restarts, it is back within the deadline.
  private func undo(_ plan: Plan, _ externalIDs: [String: String], until deadline: Deadline)
    -> String?
  {
    var pairs = plan.key.externalIDs
    // Rows of earlier ADDs, which may be there still, began at another time.
    pairs[AttachmentRecord.Key.began] = externalIDs[AttachmentRecord.Key.began]
    while true {
      do throws(OVSDBError) {
        let connection = try Connection(plan.endpoint, until: deadline)
        let removed = try connection.beginDetaching(pairs, "undo \(plan.key)", until: deadline)
        if hasMadeBridge { try connection.removeUnusedBridge(plan.bridge, until: deadline) }
        return removed.removed?.failures.first?.description
      } catch {
        switch error {
        case .cannotConnect, .connectionLost:
          if deadline.hasPassed { return error.description }
          Clock.sleep(.milliseconds(20))
        default: return error.description
        }
      }
    }
  }
}
