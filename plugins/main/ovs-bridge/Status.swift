import CNI
import Linux
import Netlink
import OVSDB
import OpenVSwitch
import PluginConfigurations
import PluginCore

extension OVSBridge {
  /// STATUS: whether ADD could succeed now. Code 50 says that it could not; 51, that attachments
  /// that exist suffer, too.
  static func status(_ request: Request, _ plan: Plan, _ context: Context) throws(CNIError) {
    let ipam = try startIPAM(request, context)
    let connection: Connection
    do { connection = try Connection(plan.endpoint, until: context.deadline) } catch {
      throw CNIError(
        .notAvailable, "Open vSwitch is not available", details: error.description)
    }
    // A runtime may leave out of the configuration what it does not know; what is absent is not judged.
    if plan.bridge.isEmpty {
      try requireSwitch(connection, false, context)
    } else {
      let bridge = try findBridge(plan, connection, context)
      do throws(CNIError) {
        try BridgeName.require(plan, isThere: bridge != nil, connection, context)
      } catch { throw CNIError(.notAvailable, error.message, details: error.details) }
      try requireSwitch(connection, bridge != nil, context)
      try requireDatapath(plan, bridge, connection, context)
      try requireGateway(plan, connection, context)
    }
    try HostShield.requireForStatus(context)
    try requireMasquerade(plan, context)
    try finish(ipam, context)
  }

  /// A delegate that is not there means that ADD cannot succeed.
  private static func startIPAM(_ request: Request, _ context: Context) throws(CNIError)
    -> Delegate?
  {
    do throws(CNIError) {
      return try Delegate.ipam(for: request, .status, until: context.deadline)
    } catch {
      throw CNIError(.notAvailable, error.message, details: error.details)
    }
  }

  private static func finish(_ ipam: consuming Delegate?, _ context: Context) throws(CNIError) {
    guard let ipam else { return }
    do throws(CNIError) { try ipam.finish(.status, until: context.deadline) } catch {
      let isStatus = error.code == .notAvailable || error.code == .limitedConnectivity
      throw CNIError(
        isStatus ? error.code : .notAvailable, error.message, details: error.details)
    }
  }

  private struct FoundBridge {
    let datapath: String
    /// Whether ovs-vswitchd could make it.
    let isMade: Bool
  }

  /// The bridge; nil where it is missing and ADD would make it.
  private static func findBridge(_ plan: Plan, _ connection: Connection, _ context: Context)
    throws(CNIError) -> FoundBridge?
  {
    var question = Transaction()
    let bridges = question.select(
      from: .bridge, where: [.equal(.name, plan.bridge)], .columns(.datapathType))
    let locals = question.select(
      from: .interface, where: [.equal(.name, plan.bridge)], .columns(.ofport))
    let results: TransactionResults
    do { results = try connection.transact(question, until: context.deadline) } catch {
      throw CNIError(.notAvailable, "Open vSwitch is not available", details: error.description)
    }
    guard let bridge = results[bridges].first else {
      if plan.configuration.createBridge { return nil }
      throw CNIError(
        .notAvailable, "there is no bridge \"\(plan.bridge)\"",
        details: "make it (ovs-vsctl add-br \(plan.bridge)), or set \"createBridge\" to true")
    }
    return FoundBridge(
      datapath: bridge[.datapathType], isMade: results[locals].first?[.ofport] != nil)
  }

  /// ovs-vswitchd is there, and does what it is told.
  private static func requireSwitch(
    _ connection: Connection, _ hasBridge: Bool, _ context: Context
  ) throws(CNIError) {
    // Without it attachments that exist are cut off, or soon will be.
    let code: CNIError.Code = hasBridge ? .limitedConnectivity : .notAvailable
    let isConnected: Bool
    do { isConnected = try connection.isSwitchConnected(until: context.deadline) } catch {
      throw CNIError(.notAvailable, "Open vSwitch is not available", details: error.description)
    }
    guard isConnected else {
      throw CNIError(
        code, "ovs-vswitchd is not running",
        details:
          "no one holds its lock in ovsdb-server at \(connection.endpoint); start it (ovs-ctl start)"
      )
    }
    do throws(OVSDBError) {
      _ = try connection.commit(Transaction(), until: context.deadline)
    } catch {
      throw CNIError(code, "ovs-vswitchd does not answer", details: error.description)
    }
  }

  /// What the bridge's datapath needs is there.
  private static func requireDatapath(
    _ plan: Plan, _ bridge: FoundBridge?, _ connection: Connection, _ context: Context
  ) throws(CNIError) {
    if let bridge {
      guard bridge.isMade else {
        let datapath = bridge.datapath.isEmpty ? "system" : bridge.datapath
        throw CNIError(
          .notAvailable, "ovs-vswitchd could not make bridge \"\(plan.bridge)\"",
          details: "its datapath is \"\(datapath)\"; see the log of ovs-vswitchd")
      }
      return
    }
    guard plan.configuration.datapath == .system else { return }
    do throws(RouteError) {
      if try GenericSocket().hasFamily("ovs_datapath", until: context.deadline) { return }
    } catch {
      throw CNIError(
        .notAvailable, "cannot ask the kernel for Open vSwitch's module",
        details: error.description)
    }
    throw CNIError(
      .notAvailable, "datapath \"system\" is not available",
      details: "this kernel has no module openvswitch; \"datapath\": \"netdev\" needs none")
  }

  /// A port that has the name of the gateway's can be that.
  private static func requireGateway(
    _ plan: Plan, _ connection: Connection, _ context: Context
  ) throws(CNIError) {
    guard let port = plan.gatewayPort else { return }
    var question = Transaction()
    let survey = GatewaySurvey(port, on: plan.bridge, into: &question)
    let findings: GatewaySurvey.Findings
    do {
      findings = survey.findings(try connection.transact(question, until: context.deadline))
    } catch {
      throw CNIError(.notAvailable, "Open vSwitch is not available", details: error.description)
    }
    guard let row = findings.row else { return }
    if let reason = port.objection(to: row) { throw port.refusal(.notAvailable, reason) }
    if !findings.isOnBridge {
      throw port.refusal(.notAvailable, port.isElsewhere(than: plan.bridge))
    }
  }
}
