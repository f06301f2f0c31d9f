import Addresses
import CNI
import Linux
import Netlink
import OVSDB
import PluginCore

/// Ports of attachments that were taken off, and what is still to be done.
struct RemovedPorts {
  private(set) var commits: [ConfirmedCommit] = []
  private(set) var abandoned: [AbandonedAddresses] = []
  /// The networks of those that were masqueraded.
  private(set) var masqueradedNetworks: Set<String> = []

  init() {}

  /// What one departure removed.
  init(_ departed: (commit: ConfirmedCommit, abandoned: AbandonedAddresses?)) {
    add(departed.commit, departed.abandoned)
  }

  fileprivate mutating func add(_ commit: ConfirmedCommit, _ addresses: AbandonedAddresses?) {
    commits.append(commit)
    if let addresses, !addresses.addresses.isEmpty { abandoned.append(addresses) }
  }

  fileprivate mutating func add(masqueraded network: String) {
    masqueradedNetworks.insert(network)
  }

  /// Takes the addresses of gateways away that no attachment needs any more.
  ///
  /// An ADD that found them there while they were still needed has marked them by now: it gets them
  /// back.
  func removeAddresses(_ connection: Connection, until deadline: Deadline) throws(CNIError) {
    for addresses in abandoned {
      let attempt = "cannot take the addresses of the gateway \"\(addresses.port)\" away"
      do { try addresses.remove(RouteSocket(), until: deadline) } catch {
        throw CNIError(error, attempt)
      }
      let marks: GatewayMarks?
      do { marks = try connection.gatewayRow(addresses.port, until: deadline)?.marks } catch {
        throw CNIError(error, attempt)
      }
      guard let marks else { continue }
      do { try addresses.restore(marks.addresses(of: nil), RouteSocket(), until: deadline) } catch {
        throw CNIError(error, attempt)
      }
    }
  }
}

extension Connection {
  /// Takes ports of attachments off their bridges, and with the last of a gateway the gateway: the
  /// port where it is ours, else what was put on it.
  ///
  /// The rows of the rates of `attachments`, whose ports go or are gone, go too.
  func remove(
    _ rows: [Row<PortTable>], ratesOf attachments: Set<Attachment>, _ comment: String,
    until deadline: Deadline
  ) throws(OVSDBError) -> RemovedPorts {
    var attachments = attachments
    var removed = RemovedPorts()
    var plain: [Reference] = []
    var departures: [GatewayDeparture] = []
    for row in rows {
      let network = row[.externalIDs]["network"] ?? ""
      if row[.externalIDs][MasqueradeRecord.key] != nil { removed.add(masqueraded: network) }
      guard let name = row[.externalIDs][GatewayRow.key] else {
        plain.append(row[.uuid])
        continue
      }
      let limited = AttachmentRecord(row[.externalIDs])?.attachment
      let member = GatewayDeparture.Member(
        reference: row[.uuid], name: row[.name],
        limited: limited.flatMap { attachments.remove($0) })
      if let index = departures.firstIndex(where: { $0.port == name && $0.network == network }) {
        departures[index].members.append(member)
      } else {
        departures.append(GatewayDeparture(port: name, network: network, members: [member]))
      }
    }
    if !plain.isEmpty || !attachments.isEmpty {
      let removal = Detaching.remove(plain, ratesOf: attachments, comment)
      let commit = try begin(removal).confirm(until: deadline)
      removed.add(commit, nil)
    }
    for departure in departures {
      let (commit, abandoned) = try departure.leave(self, comment, until: deadline)
      removed.add(commit, abandoned)
    }
    return removed
  }

  /// The row of the port that is a gateway; nil if there is none of that name.
  func gatewayRow(_ name: String, until deadline: Deadline) throws(OVSDBError) -> GatewayRow? {
    var question = Transaction()
    let ports = question.select(
      from: .port, where: [.equal(.name, name)], .uuid, .tag, .externalIDs)
    return try transact(question, until: deadline)[ports].first.map {
      GatewayRow(
        reference: $0[.uuid], tag: $0[.tag], type: "", externalIDs: $0[.externalIDs])
    }
  }
}

/// Attachments of one network that leave their gateway.
struct GatewayDeparture {
  struct Member {
    let reference: Reference
    let name: String
    /// The attachment, where it has rows of rates.
    let limited: Attachment?
  }
  /// The name of the gateway's port.
  let port: String
  let network: String
  var members: [Member]

  /// What leaves with them.
  private enum Extent: CaseIterable {
    /// They were the last of all.
    case gateway
    /// They were the last of their network.
    case network
    /// There are others.
    case members
  }

  /// Takes the ports off. Whether they are the last, ovsdb-server finds out in the very transaction.
  func leave(_ connection: Connection, _ comment: String, until deadline: Deadline)
    throws(OVSDBError) -> (commit: ConfirmedCommit, abandoned: AbandonedAddresses?)
  {
    guard let row = try connection.gatewayRow(port, until: deadline) else {
      return (try connection.begin(removal(comment)).confirm(until: deadline), nil)
    }
    for extent in Extent.allCases {
      var transaction = Transaction()
      let premise = requireLast(extent, &transaction)
      take(extent, row, &transaction)
      for operation in removal(comment).operations { transaction.append(operation) }
      do throws(OVSDBError) {
        let commit = try connection.begin(transaction).confirm(until: deadline)
        return (commit, abandoned(extent, row))
      } catch {
        guard let premise, case .transactionRefused(let refusal) = error,
          refusal.index == premise, refusal.refusal.reason == .timedOut
        else { throw error }
      }
    }
    return (try connection.begin(removal(comment)).confirm(until: deadline), nil)
  }

  private func removal(_ comment: String) -> Transaction {
    Detaching.remove(
      members.map(\.reference), ratesOf: Set(members.compactMap(\.limited)), comment)
  }

  /// Adds the requirement that no other attachment is there; answers its index.
  private func requireLast(_ extent: Extent, _ transaction: inout Transaction) -> Int? {
    var pairs = ["owner": AttachmentRecord.owner, GatewayRow.key: port]
    switch extent {
    case .gateway: break
    case .network: pairs["network"] = network
    case .members: return nil
    }
    transaction.append(
      .wait(
        for: .port, where: [.includes(.externalIDs, pairs)], until: .equal,
        members.map { [Cell(.name, $0.name)] }, .name))
    return transaction.operations.count - 1
  }

  private func take(_ extent: Extent, _ row: GatewayRow, _ transaction: inout Transaction) {
    switch extent {
    case .members: break
    case .network: takeMarks(row.marks.keys(of: network), row, &transaction)
    case .gateway:
      if row.isOurs {
        transaction.mutate(
          .bridge, where: [.includes(.ports, [row.reference])],
          [.delete([row.reference], from: .ports)])
        return
      }
      takeMarks(row.marks.all.map(\.pair.key), row, &transaction)
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

  /// The addresses that nobody needs any more, of a port that stays.
  private func abandoned(_ extent: Extent, _ row: GatewayRow) -> AbandonedAddresses? {
    switch extent {
    case .members: return nil
    case .gateway:
      return row.isOurs
        ? nil : AbandonedAddresses(port: port, addresses: row.marks.addresses(of: nil))
    case .network:
      let others = Set(row.marks.all).compactMap { mark -> IPPrefix? in
        guard case .address(let prefix, let name) = mark, name != network else { return nil }
        return prefix
      }
      return AbandonedAddresses(
        port: port,
        addresses: row.marks.addresses(of: network).filter { !others.contains($0) })
    }
  }
}
