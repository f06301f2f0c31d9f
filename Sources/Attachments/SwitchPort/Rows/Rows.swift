internal import CNI
internal import OVSDB
internal import OpenVSwitch
internal import PluginConfigurations
internal import PluginCore

// The rows of Open vSwitch's database that an attachment has, as transactions: values that can be
// printed, compared and tested without a server.

extension AttachmentRecord {
  /// The record and what else the configuration wants in `external_ids`.
  func externalIDs(_ plan: Plan) -> [String: String] {
    var pairs: [String: String] = [:]
    for pair in plan.configuration.externalIDs { pairs[pair.key] = pair.value }
    if let podUID = plan.podUID { pairs[ExternalIDKey.contPodUid.rawValue] = podUID }
    if let port = plan.logicalPort { pairs["iface-id"] = port }
    for (key, value) in externalIDs { pairs[key] = value }
    return pairs
  }

  /// Reads the record of a row.
  init?(_ pairs: [String: String]) { self.init(externalIDs: { pairs[$0] }) }
}

/// What is asked before a port is attached.
struct RowSurvey {
  private let bridge: Transaction.Selected<BridgeTable>
  private let ports: Transaction.Selected<PortTable>
  private let interface: Transaction.Selected<InterfaceTable>
  private let lost: Transaction.Selected<InterfaceTable>
  private let refused: Transaction.Selected<InterfaceTable>
  private let gateway: GatewaySurvey?
  let transaction: Transaction

  /// The bridge, the port that has the name of the host end already, and interfaces of ours that
  /// have lost their links.
  init(_ plan: Plan) {
    let ours: Condition<InterfaceTable> = .includes(.externalIDs, AttachmentRecord.mark)
    var transaction = Transaction()
    bridge = transaction.select(
      from: .bridge, where: [.equal(.name, plan.bridge)],
      .columns(.uuid, .name, .datapathType, .hasSpanningTree, .hasRapidSpanningTree))
    ports = transaction.select(
      from: .port, where: [.equal(.name, plan.hostLink.name)], .columns(.uuid, .name, .externalIDs))
    interface = transaction.select(
      from: .interface, where: [.equal(.name, plan.hostLink.name)], .columns(.ofport, .error))
    lost = transaction.select(
      from: .interface, where: [ours, .equal(.ifindex, 0)], .columns(.uuid, .name))
    refused = transaction.select(
      from: .interface, where: [ours, .notEqual(.error, nil)], .columns(.uuid, .name))
    gateway = plan.gatewayPort.map { GatewaySurvey($0, on: plan.bridge, into: &transaction) }
    self.transaction = transaction
  }

  struct Bridge {
    let reference: Reference
    let datapath: DatapathType
    /// Nil where it takes part in none.
    let tree: SpanningTree?
  }
  /// A port that has the name of the host end already.
  struct Port {
    let row: Row<PortTable>
    /// Nil where it is not of an attachment.
    let record: AttachmentRecord?
    /// Whether ovs-vswitchd may still have its link open.
    let isHeld: Bool
  }
  /// What was found.
  struct Findings {
    /// Nil where there is none.
    let bridge: Bridge?
    /// Ports that have the name of the host end already: one at most, because names are unique.
    let ports: [Port]
    /// Interfaces of ours whose links ovs-vswitchd does not find.
    let stale: [LostInterface]
    /// Nil where no gateway is asked for.
    let gateway: GatewaySurvey.Findings?
  }
  func findings(_ results: TransactionResults) -> Findings {
    let isHeld = results[interface].contains { $0[.error] == nil && $0[.ofport] ?? 0 > 0 }
    let lost = (results[lost] + results[refused]).map {
      LostInterface(row: $0[.uuid], name: $0[.name])
    }
    return Findings(
      bridge: results[bridge].first.map {
        Bridge(reference: $0[.uuid], datapath: $0.datapath, tree: SpanningTree($0))
      },
      ports: results[ports].map {
        Port(row: $0, record: AttachmentRecord($0[.externalIDs]), isHeld: isHeld)
      },
      stale: Set(lost).sorted { $0.name < $1.name },
      gateway: gateway?.findings(results))
  }
}

/// An interface of ours whose link ovs-vswitchd does not find.
struct LostInterface: Hashable {
  let row: Reference
  let name: String
}

/// The port of an attachment, put on its bridge.
struct Attaching {
  let transaction: Transaction
  /// The bridge must be there, or must not be there yet, for the transaction to take effect.
  let precondition: Transaction.Required
  /// The ports whose numbers in the spanning tree were read must be those of the bridge still.
  let numbered: Transaction.Required?
  /// What must be so of the gateway's port; nil where there is nothing to be.
  let gateway: GatewayJoining.Preconditions?

  /// - Parameters:
  ///   - leftovers: Ports that it replaces; those of their rates are gone.
  ///   - bridge: The bridge that is there.
  ///   - datapath: What the bridge has as `datapath_type`, or has to have when it is made.
  init(
    _ plan: Plan, _ externalIDs: [String: String], replacing leftovers: [RowSurvey.Port],
    to bridge: Reference?, datapath: DatapathType, number: SpanningTree.PortNumber?,
    _ joining: GatewayJoining?
  ) {
    var transaction = Transaction()
    numbered = number.flatMap { number in
      bridge.map {
        transaction.require(
          .bridge, where: [.equal(.uuid, $0), .equal(.ports, number.ports)])
      }
    }
    // Before the new rows, which have the same name and the same attachment.
    for port in leftovers { transaction.removePort(port.row[.uuid]) }
    let name = plan.hostLink.name
    let cells = Self.cells(plan, externalIDs, datapath, number, &transaction)
    if let bridge {
      precondition =
        transaction.addPort(
          name, to: .equal(.uuid, bridge), port: cells.port, interface: cells.interface
        ).bridge
      gateway = joining?.join(bridge, &transaction)
    } else {
      precondition = transaction.requireAbsent(.bridge, where: [.equal(.name, plan.bridge)])
      let new = transaction.insertPort(name, port: cells.port, interface: cells.interface)
      Self.addBridge(plan.bridge, datapath, with: new.port.reference, joining, to: &transaction)
      gateway = nil
    }
    transaction.append(.comment("patchbay: attach \(plan.key) to \(plan.bridge)"))
    self.transaction = transaction
  }

  /// Whether `error` says that the bridge came or went since it was looked for, or that its ports
  /// did where that matters.
  func isPreconditionGone(_ error: OVSDBError) -> Bool {
    gateway?.areGone(error) ?? false || precondition.isUnmet(error)
      || numbered?.isUnmet(error) ?? false
  }

  /// The columns of port and interface; the rows that the port refers to are inserted.
  private static func cells(
    _ plan: Plan, _ externalIDs: [String: String], _ datapath: DatapathType,
    _ number: SpanningTree.PortNumber?, _ transaction: inout Transaction
  ) -> (port: [Cell<PortTable>], interface: [Cell<InterfaceTable>]) {
    let configuration = plan.configuration
    var interface: [Cell<InterfaceTable>] = [Cell(.externalIDs, externalIDs)]
    if let type = configuration.interfaceType { interface.append(Cell(.type, type)) }
    if let number = configuration.openFlowPort {
      interface.append(Cell(.ofportRequest, Int64(number)))
    }
    let rates = plan.rates
    interface += rates?.interfaceCells(datapath) ?? []
    var port: [Cell<PortTable>] = [Cell(.externalIDs, externalIDs)]
    port += configuration.vlans.cells
    if configuration.portIsolation { port.append(Cell(.isProtected, true)) }
    var settings = configuration.spanningTree ? [:] : SpanningTree.edge
    for (key, value) in number?.setting ?? [:] { settings[key] = value }
    if !settings.isEmpty { port.append(Cell(.otherConfiguration, settings)) }
    port += rates?.insert(externalIDs, into: &transaction) ?? []
    return (port, interface)
  }

  private static func addBridge(
    _ name: String, _ datapath: DatapathType, with port: Reference, _ joining: GatewayJoining?,
    to transaction: inout Transaction
  ) {
    let gateway = joining?.newBridge(&transaction)
    transaction.addBridge(
      name,
      [
        Cell(.datapathType, datapath.rawValue), Cell(.externalIDs, AttachmentRecord.mark),
      ] + (gateway?.bridge ?? []), local: gateway?.local ?? [],
      ports: [port] + (gateway?.ports ?? []))
  }
}

extension PortVLANs {
  /// The columns of a port that treats VLANs so.
  var cells: [Cell<PortTable>] {
    var cells: [Cell<PortTable>] = [Cell(.vlanMode, mode.rawValue)]
    if let tag { cells.append(Cell(.tag, Int64(tag))) }
    if !trunks.isEmpty {
      let list = trunks.map { Int64($0) }
      cells.append(mode == .dot1qTunnel ? Cell(.customerVLANs, list) : Cell(.trunks, list))
    }
    return cells
  }
}
