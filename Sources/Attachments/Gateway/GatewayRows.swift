internal import Addresses
internal import CNI
internal import Digests
internal import OVSDB
internal import OpenVSwitch
internal import PluginConfigurations
internal import PluginCore

/// The rows of a gateway's port, as they are.
struct GatewayRow {
  /// The Port.
  let reference: Reference
  let tag: Int64?
  /// `Port.vlan_mode`
  let mode: String?
  /// `Interface.type`
  let type: String
  let externalIDs: [String: String]
  /// Whether this plugin made it.
  var isOurs: Bool {
    AttachmentRecord.isOurs(externalIDs) && externalIDs[Self.roleKey] == Self.role
  }
  var marks: GatewayMarks { GatewayMarks(externalIDs) }

  /// `external_ids` key of what a port of ours is that serves no attachment.
  static let roleKey = ExternalIDKey.role.rawValue
  /// `external_ids:role` of a gateway port of ours.
  static let role = "gateway"
  /// `external_ids` key of an attachment, which is the name of its gateway's port.
  static let key = ExternalIDKey.gateway.rawValue
}

extension GatewayPort {
  /// Why a port of its name cannot be the gateway's; nil if it can.
  func objection(to row: GatewayRow) -> String? {
    let tag = tag.map { Int64($0) }
    if row.type == "internal", tag == nil || row.tag == tag { return nil }
    return "its type is \"\(row.type)\" and its tag \(row.tag.map { "\($0)" } ?? "absent"), and "
      + "should be \"internal\" and \(tag.map { "\($0)" } ?? "absent")"
  }
  /// Why a port of its name cannot be the gateway's that is not on `bridge`.
  func isElsewhere(than bridge: String) -> String { "it is not on bridge \"\(bridge)\"" }

  func refusal(_ code: AttachmentError.Kind, _ reason: String) -> AttachmentError {
    AttachmentError(code, "cannot use port \"\(name)\" as the gateway", details: reason)
  }
}

/// The part of a survey that asks for the gateway's port.
struct GatewaySurvey {
  private let ports: Transaction.Selected<PortTable>
  private let interfaces: Transaction.Selected<InterfaceTable>
  private let bridges: Transaction.Selected<BridgeTable>

  init(_ port: GatewayPort, on bridge: String, into transaction: inout Transaction) {
    ports = transaction.select(
      from: .port, where: [.equal(.name, port.name)], .columns(.uuid, .tag, .vlanMode, .externalIDs)
    )
    interfaces = transaction.select(
      from: .interface, where: [.equal(.name, port.name)], .columns(.type))
    bridges = transaction.select(
      from: .bridge, where: [.equal(.name, bridge)], .columns(.ports, .otherConfiguration))
  }

  struct Findings {
    /// Nil where there is no such port.
    let row: GatewayRow?
    /// Whether that port is on the bridge that was asked about.
    let isOnBridge: Bool
    /// Whether the bridge's MAC address is fixed.
    let hasFixedMAC: Bool

    /// Refuses a port that cannot be the gateway's, or is on another bridge.
    func refuse(_ plan: Plan) throws(AttachmentError) {
      guard let port = plan.gatewayPort, let row else { return }
      if let reason = port.objection(to: row) { throw port.refusal(.failed, reason) }
      if !isOnBridge {
        throw port.refusal(.failed, port.isElsewhere(than: plan.bridge))
      }
    }
  }
  func findings(_ results: TransactionResults) -> Findings {
    let type = results[interfaces].first?[.type] ?? ""
    let reference = results[ports].first?[.uuid]
    return Findings(
      row: results[ports].first.map {
        GatewayRow(
          reference: $0[.uuid], tag: $0[.tag], mode: $0[.vlanMode], type: type,
          externalIDs: $0[.externalIDs])
      },
      isOnBridge: results[bridges].contains { bridge in
        reference.map { bridge[.ports].contains($0) } ?? false
      },
      hasFixedMAC: results[bridges].first?[.otherConfiguration]["hwaddr"] != nil)
  }
}

/// The part of an attaching transaction by which the attachment gets its gateway: its port, where
/// it is missing, and the marks of what will be put there.
struct GatewayJoining {
  let gateway: Gateway
  private let findings: GatewaySurvey.Findings?
  private let plan: Plan
  private let marks: [GatewayMark]
  /// What the bridge's MAC address is fixed to: it would change with the ports of the bridge, and
  /// containers go on sending to the one they have learnt.
  private let fixedMAC: String?
  /// That of a port or bridge that is made.
  private let newMAC: String?

  init(_ target: GatewayTarget, _ plan: Plan, _ findings: GatewaySurvey.Findings?) {
    gateway = target.gateway
    // A link of that name that is not of this port is of no interest.
    let link = gateway.port.tag == nil || findings?.row != nil ? target.link : nil
    self.plan = plan
    self.findings = findings
    let marked = findings?.row?.marks.addresses(of: nil) ?? []
    let present = link?.addresses ?? []
    let addresses = gateway.addresses.filter { marked.contains($0) || !present.contains($0) }
    let isUp = link?.isUp ?? false
    marks =
      addresses.map { .address($0, network: plan.network) } + (isUp ? [] : [GatewayMark.isRaised])
    let isFixed = findings?.hasFixedMAC ?? false
    fixedMAC = gateway.port.tag == nil && !isFixed ? link?.mac : nil
    newMAC = Self.mac(plan, gateway.port)?.description
  }

  /// A locally administered address that no other port on any host has.
  private static func mac(_ plan: Plan, _ port: GatewayPort) -> MACAddress? {
    let attachment = plan.attachment
    let text = "gateway/\(port.name)/\(attachment.containerID)/\(attachment.interfaceName)"
    let digest = SHA2.sha256(Array(text.utf8))
    return MACAddress(bytes: [digest[0] & 0xfc | 0x02] + digest[1..<6])
  }

  /// What of the operations must hold, or what they collide with.
  struct Preconditions {
    /// The port is there, or is not there yet.
    fileprivate var port: Transaction.Required
    fileprivate var place: Transaction.Required?

    /// Whether the port came or went since it was looked for.
    func areGone(_ error: OVSDBError) -> Bool {
      port.isUnmet(error)
    }
    /// Whether the port is on another bridge.
    func isElsewhere(_ error: OVSDBError) -> Bool { place?.isUnmet(error) ?? false }
  }

  /// Refuses a port that cannot be the gateway's.
  func checkPort() throws(AttachmentError) {
    if let row = findings?.row, let reason = gateway.port.objection(to: row) {
      throw gateway.port.refusal(.failed, reason)
    }
  }

  /// Adds to a transaction that attaches to a bridge that is there.
  func join(_ bridge: Reference, _ transaction: inout Transaction) -> Preconditions {
    guard let row = findings?.row else {
      let preconditions = Preconditions(
        port: transaction.requireAbsent(.port, where: [.equal(.name, gateway.port.name)]))
      if let port = insertPort(&transaction) {
        transaction.plug(port, into: .equal(.uuid, bridge))
      }
      return preconditions
    }
    let preconditions = Preconditions(
      port: transaction.require(.port, where: [.equal(.uuid, row.reference)]),
      place: transaction.require(
        .bridge, where: [.equal(.uuid, bridge), .includes(.ports, [row.reference])]))
    var pairs = externalIDs
    if let fixedMAC {
      transaction.mutate(
        .bridge, where: [.equal(.uuid, bridge)],
        [.insert(["hwaddr": fixedMAC], into: .otherConfiguration)])
      let mark = GatewayMark.hardwareAddress(fixedMAC).pair
      pairs[mark.key] = mark.value
    }
    if !pairs.isEmpty {
      transaction.mutate(
        .port, where: [.equal(.uuid, row.reference)], [.insert(pairs, into: .externalIDs)])
    }
    return preconditions
  }

  /// The pairs that the port gets.
  private var externalIDs: [String: String] {
    var pairs: [String: String] = [:]
    for mark in marks { pairs[mark.pair.key] = mark.pair.value }
    return pairs
  }

  /// The port of the VLAN; nil where the gateway is the bridge's own.
  private func insertPort(_ transaction: inout Transaction) -> Reference? {
    guard let tag = gateway.port.tag else { return nil }
    var interface: [Cell<InterfaceTable>] = [Cell(.type, "internal")]
    if let newMAC { interface.append(Cell(.mac, newMAC)) }
    // So that an attachment with a smaller one does not lower it.
    interface.append(Cell(.mtuRequest, Int64(plan.mtu ?? 1500)))
    let pairs = externalIDs.adding(AttachmentRecord.mark(of: plan.network))
      .adding([GatewayRow.roleKey: GatewayRow.role])
    return transaction.insertPort(
      gateway.port.name,
      port: [
        Cell(.vlanMode, "access"), Cell(.tag, Int64(tag)), Cell(.externalIDs, pairs),
      ], interface: interface
    ).port.reference
  }

  /// What a bridge that is made has for the gateway: cells of its own port, cells of its row, and
  /// other ports.
  func newBridge(_ transaction: inout Transaction) -> (
    local: [Cell<PortTable>], bridge: [Cell<BridgeTable>], ports: [Reference]
  ) {
    if let port = insertPort(&transaction) { return ([], [], [port]) }
    return (
      [Cell(.externalIDs, externalIDs)],
      newMAC.map { [Cell(.otherConfiguration, ["hwaddr": $0])] } ?? [], []
    )
  }
}
