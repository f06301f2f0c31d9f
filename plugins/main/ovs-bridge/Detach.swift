import CNI
import Linux
import Netlink
import OVSDB
import OpenVSwitch
import PluginCore

extension OVSBridge {
  /// DEL: the port off its bridge, the veth pair gone, the addresses free.
  ///
  /// It works from container ID and interface name alone, tries every step, and reports all that
  /// failed. What is not there is done.
  static func del(_ request: Request, _ plan: Plan, _ context: Context) throws(CNIError) {
    var failures = Failures()
    var ipam: Delegate?
    do { ipam = try Delegate.ipam(for: request, .del) } catch { failures.add(error) }
    let removal = Removal(plan, context, &failures)
    context.log.write(.debug, "took the port off its bridge")
    removeLink(plan, context, &failures)
    context.log.write(.debug, "deleted the veth pair")
    removeMasquerade(plan, removal?.removed.masqueradedNetworks ?? [], context, &failures)
    removal?.finish(context, &failures)
    finish(ipam, context, &failures)
    try failures.throwIfAny("cannot detach \(plan.attachment.interfaceName)")
  }

  private static func finish(
    _ ipam: consuming Delegate?, _ context: Context, _ failures: inout Failures
  ) {
    guard let ipam else { return }
    do { try ipam.finish(.del, until: context.deadline) } catch { failures.add(error) }
  }

  /// Deletes the host end, and with it the container end, wherever that is.
  private static func removeLink(_ plan: Plan, _ context: Context, _ failures: inout Failures) {
    do throws(RouteError) {
      try RouteSocket().request(until: context.deadline) {
        $0.deleteLink(.named(plan.hostLink.name))
      }
    } catch {
      guard error.errno != .noSuchDevice else { return }
      failures.add(CNIError(error, "cannot delete link \"\(plan.hostLink.name)\""))
    }
  }
}

/// What a command that goes on past errors has met.
struct Failures {
  private(set) var all: [CNIError] = []

  mutating func add(_ error: CNIError) { all.append(error) }

  /// One error for all: the first one's code, and what all of them say.
  func throwIfAny(_ attempt: String) throws(CNIError) {
    guard let first = all.first else { return }
    if all.count == 1 { throw first }
    throw CNIError(
      first.code, "\(attempt): \(all.count) steps failed",
      details: all.map { $0.description }.joined(separator: "; "))
  }
}

/// The removal of an attachment's port, on its way while other things are done.
private struct Removal {
  let removed: RemovedPorts

  /// How long ovs-vswitchd may take to let go of the port. It need not run for DEL to succeed, but
  /// an ADD that follows at once uses the same name for another link.
  private static let patience = Duration.seconds(1)

  /// Nil where there is no port to remove, or where it could not be removed.
  init?(_ plan: Plan, _ context: Context, _ failures: inout Failures) {
    do throws(OVSDBError) {
      let connection = try Connection(plan.endpoint, until: context.deadline)
      guard
        let removed = try connection.beginDetaching(plan.attachment, until: context.deadline)
      else { return nil }
      self.removed = removed
    } catch {
      failures.add(CNIError(error, "cannot remove port \"\(plan.hostLink.name)\""))
      return nil
    }
  }

  func finish(_ context: Context, _ failures: inout Failures) {
    for failure in removed.failures { failures.add(failure) }
    do throws(OVSDBError) {
      let patience = min(context.deadline, .after(Self.patience))
      for commit in removed.commits { _ = try commit.outcome(until: patience) }
    } catch {
      // The port is removed, whatever ovs-vswitchd is at.
      context.log.write(.warning, "\(error)")
    }
  }
}
