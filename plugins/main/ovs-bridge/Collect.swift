import CNI
import Linux
import Netlink
import OVSDB
import OpenVSwitch
import PluginCore

extension OVSBridge {
  /// GC: frees what belongs to this network and to no valid attachment. It goes on past errors.
  ///
  /// A runtime that does not say which attachments are valid has not said that none is.
  static func gc(_ request: Request, _ plan: Plan, _ context: Context) throws(CNIError) {
    var failures = Failures()
    if let valid = request.network.validAttachments {
      collectPorts(plan, Set(valid), context, &failures)
      collectGateways(plan, context, &failures)
      collectMasquerade(plan, valid, context, &failures)
      collectLinks(plan, Set(valid.map { HostLink(of: $0).name }), context, &failures)
    }
    do throws(CNIError) { try Delegate.runIPAM(request, .gc, until: context.deadline) } catch {
      failures.add(error)
    }
    try failures.throwIfAny("cannot free everything of network \"\(plan.network)\"")
  }

  /// Removes ports by their records.
  private static func collectPorts(
    _ plan: Plan, _ valid: Set<Attachment>, _ context: Context, _ failures: inout Failures
  ) {
    do throws(OVSDBError) {
      let connection = try Connection(plan.endpoint, until: context.deadline)
      var question = Transaction()
      let owner = ["owner": AttachmentRecord.owner, "network": plan.network]
      let ports = question.select(
        from: .port, where: [.includes(.externalIDs, owner)], .columns(.uuid, .name, .externalIDs))
      let rates = Rates.Rows(where: owner, in: &question)
      let results = try connection.transact(question, until: context.deadline)
      let rows = results[ports].filter { row in
        AttachmentRecord(row[.externalIDs]).map { !valid.contains($0.attachment) } ?? false
      }
      let limited = rates.attachments(results).subtracting(valid)
      guard !rows.isEmpty || !limited.isEmpty else { return }
      let removed = try connection.remove(
        rows, ratesOf: limited, "free ports of network \(plan.network)", until: context.deadline)
      for failure in removed.failures { failures.add(failure) }
      for row in rows { context.log.write(.info, "freed port \"\(row[.name])\"") }
    } catch { failures.add(CNIError(error, "cannot free ports")) }
  }

  /// Deletes links by their group and alias, also those that never became a port.
  private static func collectLinks(
    _ plan: Plan, _ valid: Set<String>, _ context: Context, _ failures: inout Failures
  ) {
    do throws(RouteError) {
      let socket = try RouteSocket()
      let group = HostLink.group(network: plan.network)
      for link in try socket.links(until: context.deadline)
      where link.group == group && link.kind == "veth" && !valid.contains(link.name) {
        // Two networks may share a group; the alias, where there is one, tells them apart.
        guard link.alias == nil || HostLink.belongs(link.alias, to: plan.network) else { continue }
        do throws(RouteError) {
          try socket.request(until: context.deadline) { $0.deleteLink(.index(link.index)) }
          context.log.write(.info, "deleted link \"\(link.name)\"")
        } catch {
          if error.errno != .noSuchDevice {
            failures.add(CNIError(error, "cannot delete link \"\(link.name)\""))
          }
        }
      }
    } catch { failures.add(CNIError(error, "cannot list the links")) }
  }
}
