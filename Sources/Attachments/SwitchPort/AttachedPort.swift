internal import CNI
internal import Linux
internal import Netlink
internal import OVSDB
internal import OpenVSwitch
internal import PluginConfigurations
internal import PluginCore

/// A port that ovsdb-server has, and that ovs-vswitchd is about to make.
struct AttachedPort {
  let plan: Plan
  let externalIDs: [String: String]
  let target: GatewayTarget?
  /// Whether its link was made after the port was asked for.
  let precedesLink: Bool
  let commit: ConfirmedCommit
  let datapath: DatapathType
  /// That of its bridge; nil where it has none.
  let tree: SpanningTree?

  /// What cannot be done where it is not made.
  static func attempt(_ plan: Plan) -> String {
    "cannot attach port \"\(plan.hostLink.name)\" to bridge \"\(plan.bridge)\""
  }

  /// Waits until ovs-vswitchd has made the port, and returns what it took for the port's link that
  /// is not; nil where the datapath forwards.
  ///
  /// When ovs-vswitchd reports the port's number its datapath receives from the link, which the
  /// kernel says at once. What ovs-vswitchd says of the link itself comes later, and says less: it
  /// goes by the name.
  func mismatch(
    _ container: ContainerLink, _ connection: Connection, _ context: Context
  ) throws(AttachmentError) -> String? {
    var deadline = context.deadline
    if let limit = plan.configuration.linkStateTimeout {
      deadline = min(deadline, .after(.milliseconds(limit)))
    }
    var outcome: CommitOutcome
    let link: Link
    do throws(OVSDBError) {
      outcome = try commit.outcome(until: deadline, isLate: precedesLink)
      // It may have looked before there was a link, and not have heard of the link since.
      if precedesLink, let row = outcome.interface, row[.ofport] ?? 0 <= 0 {
        outcome = try connection.commit(
          Transaction(), watching: plan.hostLink.name, until: deadline)
      }
      // Then it takes its error away, unless it has not read by then that it wrote one.
      if let row = outcome.interface, row[.error] != nil, let number = row[.ofport], number > 0 {
        var correction = Transaction()
        correction.update(
          .interface, where: [.equal(.uuid, row[.uuid]), .equal(.ofport, number)],
          [Cell(.error, nil)])
        _ = try connection.transact(correction, until: deadline)
      }
    } catch { throw AttachmentError(error, Self.attempt(plan)) }
    func refusal(_ reason: String) -> AttachmentError {
      AttachmentError(.failed, Self.attempt(plan), details: reason)
    }
    guard let row = outcome.interface else {
      throw refusal("another process removed its row from the database meanwhile")
    }
    guard let number = row[.ofport], number > 0 else {
      if let error = row[.error] { throw refusal("ovs-vswitchd: \(error)") }
      throw refusal(
        "ovs-vswitchd has taken the configuration over and did not make the port; most likely it "
          + "cannot make the bridge, whose datapath is \"\(datapath)\" (see its log)"
          + datapath.cure)
    }
    do { link = try container.outside.link(.index(container.host.index), until: deadline) } catch {
      throw AttachmentError(error, Self.attempt(plan))
    }
    let name = plan.hostLink.name
    if !link.isUp { return "ovs-vswitchd has switched link \"\(name)\" off" }
    if link.promiscuity == 0 { return "ovs-vswitchd does not listen to link \"\(name)\"" }
    return nil
  }
}
