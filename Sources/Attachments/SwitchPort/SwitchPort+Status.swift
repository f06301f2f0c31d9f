internal import Linux
internal import Netlink
internal import OVSDB
internal import OpenVSwitch
internal import PluginConfigurations
package import PluginCore

extension SwitchPort {
  /// Requires of Open vSwitch what ADD needs: the server, ovs-vswitchd, the bridge or what it takes
  /// to make it.
  package static func require(_ plan: Plan, _ context: Context) throws(AttachmentError) {
    let connection: Connection
    do { connection = try Connection(plan.endpoint, until: context.deadline) } catch {
      throw AttachmentError.unavailable(error)
    }
    // A runtime may leave out of the configuration what it does not know; what is absent is not
    // judged.
    guard !plan.bridge.isEmpty else { return try requireSwitch(connection, false, context) }
    let bridge = try findBridge(plan, connection, context)
    do throws(AttachmentError) {
      try BridgeName.require(plan, isThere: bridge != nil, connection, context)
    } catch { throw AttachmentError(.unavailable, error.message, details: error.details) }
    try requireSwitch(connection, bridge != nil, context)
    try requireDatapath(plan, bridge, connection, context)
  }

  private struct FoundBridge {
    let datapath: DatapathType
    /// Whether ovs-vswitchd could make it.
    let isMade: Bool
  }

  /// The bridge; nil where it is missing and ADD would make it.
  private static func findBridge(_ plan: Plan, _ connection: Connection, _ context: Context)
    throws(AttachmentError) -> FoundBridge?
  {
    var question = Transaction()
    let bridges = question.select(
      from: .bridge, where: [.equal(.name, plan.bridge)], .columns(.datapathType))
    let locals = question.select(
      from: .interface, where: [.equal(.name, plan.bridge)], .columns(.ofport))
    let results: TransactionResults
    do { results = try connection.transact(question, until: context.deadline) } catch {
      throw AttachmentError.unavailable(error)
    }
    guard let bridge = results[bridges].first else {
      if plan.configuration.createBridge { return nil }
      if plan.configuration.isIntegrationBridge {
        let refusal: AttachmentError
        do {
          refusal = try MissingBridge.refusal(plan, connection, until: context.deadline)
        } catch { throw AttachmentError.unavailable(error) }
        throw AttachmentError(.unavailable, refusal.message, details: refusal.details)
      }
      throw AttachmentError(
        .unavailable, "there is no bridge \"\(plan.bridge)\"",
        details: "make it (ovs-vsctl add-br \(plan.bridge)), or set \"createBridge\" to true")
    }
    return FoundBridge(
      datapath: bridge.datapath, isMade: results[locals].first?[.ofport] != nil)
  }

  /// ovs-vswitchd is there, and takes the configuration over.
  private static func requireSwitch(
    _ connection: Connection, _ hasBridge: Bool, _ context: Context
  ) throws(AttachmentError) {
    // Without it attachments that exist are cut off, or soon will be.
    let code: AttachmentError.Kind = hasBridge ? .impaired : .unavailable
    let fault: SwitchFault?
    do { fault = try connection.switchFault(until: context.deadline) } catch {
      throw AttachmentError.unavailable(error)
    }
    if let fault { throw AttachmentError(code, fault.summary, details: fault.details) }
  }

  /// What the bridge's datapath needs is there.
  private static func requireDatapath(
    _ plan: Plan, _ bridge: FoundBridge?, _ connection: Connection, _ context: Context
  ) throws(AttachmentError) {
    if let bridge {
      guard bridge.isMade else {
        throw AttachmentError(
          .unavailable, "ovs-vswitchd could not make bridge \"\(plan.bridge)\"",
          details: "its datapath is \"\(bridge.datapath)\"; see the log of ovs-vswitchd"
            + bridge.datapath.cure)
      }
      return
    }
    guard plan.configuration.datapath == .system else { return }
    do throws(GenericError) {
      if try DatapathType.isKernelLoaded(until: context.deadline) { return }
    } catch {
      throw AttachmentError(
        .unavailable, "cannot ask the kernel for Open vSwitch's module",
        details: error.description)
    }
    throw AttachmentError(
      .unavailable, "datapath \"system\" is not available",
      details:
        "this kernel has no module openvswitch loaded; \"datapath\": \"netdev\" needs none; "
        + "where there is one: modprobe openvswitch, then restart ovs-vswitchd")
  }
}
