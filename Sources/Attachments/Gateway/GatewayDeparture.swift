internal import Addresses
internal import CNI
internal import Linux
internal import Netlink
internal import OVSDB
internal import OpenVSwitch
internal import PluginCore

/// Attachments of one network that leave their gateway.
struct GatewayDeparture {
  struct Member {
    let reference: Reference
    let name: String
  }
  /// The name of the gateway's port.
  let port: String
  let network: String
  var members: [Member]

  private var chains: ForwardChains { ForwardChains(gateway: port) }

  /// What leaves with them.
  private enum Extent {
    /// There are others of their network.
    case members
    /// They are the last of their network.
    case network
    /// They are the last of all.
    case gateway
  }

  /// What is there besides them.
  private struct Situation {
    let row: GatewayRow
    var extent: Extent
  }

  /// Takes the ports off.
  ///
  /// What may be the last has the gateway alone, so that no ADD comes to use it meanwhile.
  /// Addresses and rules of forward chains go first, while the rows still tell of them: when this
  /// is killed, the next DEL finds everything that is left to do. That no attachment came or went
  /// since, ovsdb-server makes sure in the transaction; if one did, what is marked is put back, and
  /// it begins again.
  func leave(
    _ connection: Connection, _ comment: String, _ removed: inout RemovedPorts,
    until deadline: Deadline
  ) throws(OVSDBError) {
    let removal = Detaching.remove(members.map { $0.reference }, comment)
    var absence: GatewayAbsence?
    defer { absence?.end() }
    while let found = try situation(connection, until: deadline) {
      var situation = found
      if situation.extent != .members, absence == nil {
        let asked = GatewayAbsence(port, until: deadline)
        absence = asked
        if !asked.isContradicted { continue }
      }
      if absence?.isContradicted ?? false { situation.extent = .members }
      var extent = situation.extent
      let addresses = abandoned(situation)
      if let failure = addresses?.remove(until: deadline) {
        // The marks stay: GC will try again.
        removed.failures.append(failure)
        extent = .members
      }
      var closed: Set<IPAddress.Family> = []
      if situation.extent == .gateway {
        do throws(AttachmentError) { closed = try chains.close(until: deadline) } catch {
          removed.failures.append(error)
          extent = .members
        }
      }
      var transaction = Transaction()
      // Where an ADD is about to use the gateway, that one decides what becomes of it.
      let isDecidedHere = extent == situation.extent && absence?.isContradicted != true
      let preconditions = isDecidedHere ? require(extent, &transaction) : []
      take(extent, situation.row, &transaction)
      for operation in removal.operations { transaction.append(operation) }
      do throws(OVSDBError) {
        removed.commits.append(try connection.begin(transaction).confirm(until: deadline))
        if extent == .gateway, situation.row.isOurs { removed.hasRemovedGateway = true }
        return
      } catch {
        guard preconditions.contains(where: { $0.isUnmet(error) }), !deadline.hasPassed else {
          throw error
        }
      }
      if let failure = try restore(addresses, connection, until: deadline) {
        removed.failures.append(failure)
      }
      do throws(AttachmentError) { _ = try chains.open(closed, until: deadline) } catch {
        removed.failures.append(error)
      }
    }
    removed.commits.append(try connection.begin(removal).confirm(until: deadline))
  }

  /// Nil where there is no such port.
  private func situation(_ connection: Connection, until deadline: Deadline) throws(OVSDBError)
    -> Situation?
  {
    var question = Transaction()
    let rows = question.select(
      from: .port, where: [.equal(.name, port)], .columns(.uuid, .tag, .externalIDs))
    let all = question.select(from: .port, where: [users], .columns(.name))
    let near = question.select(from: .port, where: [usersOfNetwork], .columns(.name))
    let results = try connection.transact(question, until: deadline)
    guard let row = results[rows].first else { return nil }
    let leaving = Set(members.map { $0.name })
    func areLeaving(_ rows: [Row<PortTable>]) -> Bool {
      rows.allSatisfy { leaving.contains($0[.name]) }
    }
    return Situation(
      row: GatewayRow(
        reference: row[.uuid], tag: row[.tag], mode: nil, type: "",
        externalIDs: row[.externalIDs]),
      extent: areLeaving(results[all])
        ? .gateway : areLeaving(results[near]) ? .network : .members)
  }

  private var users: Condition<PortTable> {
    .includes(.externalIDs, AttachmentRecord.mark.adding([GatewayRow.key: port]))
  }
  private var usersOfNetwork: Condition<PortTable> {
    .includes(
      .externalIDs,
      AttachmentRecord.mark(of: network).adding([GatewayRow.key: port]))
  }

  /// Adds what makes the transaction fail if an attachment came or went.
  private func require(_ extent: Extent, _ transaction: inout Transaction)
    -> [Transaction.Required]
  {
    let names = members.map { [Cell<PortTable>(.name, $0.name)] }
    switch extent {
    case .members:
      return [
        transaction.require(.port, where: [usersOfNetwork], .notEqual, names, .columns(.name))
      ]
    case .network:
      return [
        transaction.require(.port, where: [usersOfNetwork], .equal, names, .columns(.name)),
        transaction.require(.port, where: [users], .notEqual, names, .columns(.name)),
      ]
    case .gateway:
      return [transaction.require(.port, where: [users], .equal, names, .columns(.name))]
    }
  }

  private func take(_ extent: Extent, _ row: GatewayRow, _ transaction: inout Transaction) {
    switch extent {
    case .members: break
    case .network: takeMarks(row.marks.keys(of: network), row, &transaction)
    case .gateway:
      if row.isOurs {
        transaction.removePort(row.reference)
        return
      }
      takeMarks(row.marks.all.map { $0.pair.key }, row, &transaction)
      if let mac = row.marks.hardwareAddress {
        transaction.mutate(
          .bridge, where: [.includes(.ports, [row.reference])],
          [.delete(["hwaddr": mac], from: .otherConfiguration)])
      }
    }
  }

  private func takeMarks(_ keys: [String], _ row: GatewayRow, _ transaction: inout Transaction) {
    guard !keys.isEmpty else { return }
    transaction.mutate(
      .port, where: [.equal(.uuid, row.reference)], [.delete(keys: keys, from: .externalIDs)])
  }

  /// The addresses that are not needed any more, of a port that stays; nil where there are none.
  private func abandoned(_ situation: Situation) -> AbandonedAddresses? {
    let marks = situation.row.marks
    var addresses: [IPPrefix]
    switch situation.extent {
    case .members: return nil
    case .gateway:
      if situation.row.isOurs { return nil }
      addresses = marks.addresses(of: nil)
    case .network:
      addresses = marks.addresses(of: network)
      for case .address(let prefix, let name) in marks.all where name != network {
        addresses.removeAll { $0 == prefix }
      }
    }
    let isLowered = situation.extent == .gateway && marks.isRaised
    guard !addresses.isEmpty || isLowered else { return nil }
    return AbandonedAddresses(port: port, addresses: addresses, isLowered: isLowered)
  }

  /// Puts back what is marked.
  private func restore(
    _ addresses: AbandonedAddresses?, _ connection: Connection, until deadline: Deadline
  ) throws(OVSDBError) -> AttachmentError? {
    guard let addresses, let row = try connection.gatewayRow(port, until: deadline) else {
      return nil
    }
    return addresses.restore(row.marks, until: deadline)
  }
}
