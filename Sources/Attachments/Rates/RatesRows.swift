internal import CNI
internal import Linux
internal import OVSDB
internal import OpenVSwitch
internal import PluginCore

// The rows of rates. QoS and Queue rows live until they are deleted, whatever becomes of their
// port, so they have the `external_ids` of the attachment, by which they are found.

extension Rates {
  /// Adds the rows of QoS and queue; returns the port's columns.
  func insert(_ externalIDs: [String: String], into transaction: inout Transaction)
    -> [Cell<PortTable>]
  {
    guard let qosSettings, let queueSettings else { return [] }
    let queue = transaction.insert(
      into: .queue, [Cell(.otherConfiguration, queueSettings), Cell(.externalIDs, externalIDs)])
    let qos = transaction.insert(
      into: .qos,
      [
        Cell(.type, Self.qosType), Cell(.otherConfiguration, qosSettings),
        Cell(.queues, [0: queue.reference]), Cell(.externalIDs, externalIDs),
      ])
    return [Cell(.qos, qos.reference)]
  }

  /// The interface's columns.
  func interfaceCells(_ datapath: DatapathType) -> [Cell<InterfaceTable>] {
    [
      Cell(.ingressPolicingRate, policingRate(datapath)),
      Cell(.ingressPolicingBurst, policingBurst(datapath)),
    ]
  }
}

// MARK: - Removing

extension Connection {
  /// Deletes the rows of the rates of `attachments`, whose ports are about to go, or are gone.
  ///
  /// A row that something else refers to by now stays, and is the operator's from then on.
  func deleteRates(of attachments: Set<AttachmentKey>, until deadline: Deadline)
    throws(OVSDBError)
  {
    guard !attachments.isEmpty else { return }
    var all = Transaction()
    for attachment in attachments {
      Rates.deleteQoS(of: attachment, in: &all)
      Rates.deleteQueue(of: attachment, in: &all)
    }
    guard try !isCommitted(all, until: deadline) else { return }
    for attachment in attachments {
      var deletion = Transaction()
      Rates.deleteQoS(of: attachment, in: &deletion)
      if try !isCommitted(deletion, until: deadline) {
        try handOver(.qos, .externalIDs, of: attachment, until: deadline)
      }
      deletion = Transaction()
      Rates.deleteQueue(of: attachment, in: &deletion)
      if try !isCommitted(deletion, until: deadline) {
        try handOver(.queue, .externalIDs, of: attachment, until: deadline)
      }
    }
  }

  /// Leaves the rows of `attachment` in `table` to the operator, by taking our mark away.
  private func handOver<T>(
    _ table: T, _ externalIDs: Column<T, [String: String]>, of attachment: AttachmentKey,
    until deadline: Deadline
  ) throws(OVSDBError) where T.Schema == OpenVSwitchDatabase {
    var handover = Transaction()
    handover.mutate(
      table, where: [.includes(externalIDs, attachment.externalIDs)],
      [.delete(keys: [AttachmentRecord.Key.owner], from: externalIDs)])
    _ = try transact(handover, until: deadline)
  }

  /// Whether nothing referred to a row that `deletion` deletes.
  private func isCommitted(_ deletion: Transaction, until deadline: Deadline) throws(OVSDBError)
    -> Bool
  {
    do throws(OVSDBError) { _ = try transact(deletion, until: deadline) } catch {
      guard error.isRefusal(.referentialIntegrityViolation) else { throw error }
      return false
    }
    return true
  }
}

extension Rates {
  /// Deletes the QoS of `attachment`, which its port lets go of.
  fileprivate static func deleteQoS(
    of attachment: AttachmentKey, in transaction: inout Transaction
  ) {
    let own = attachment.externalIDs
    transaction.update(.port, where: [.includes(.externalIDs, own)], [Cell(.qos, nil)])
    transaction.delete(from: .qos, where: [.includes(.externalIDs, own)])
  }

  /// Deletes the queue of `attachment`, which its QoS lets go of.
  fileprivate static func deleteQueue(
    of attachment: AttachmentKey, in transaction: inout Transaction
  ) {
    transaction.delete(from: .queue, where: [.includes(.externalIDs, attachment.externalIDs)])
  }

  /// The rows of the attachments to one network, or of one attachment.
  struct Rows {
    private let qos: Transaction.Selected<QoSTable>
    private let queues: Transaction.Selected<QueueTable>

    /// Asks for the rows whose `external_ids` have these pairs.
    init(where pairs: [String: String], in transaction: inout Transaction) {
      qos = transaction.select(
        from: .qos, where: [.includes(.externalIDs, pairs)], .columns(.externalIDs))
      queues = transaction.select(
        from: .queue, where: [.includes(.externalIDs, pairs)], .columns(.externalIDs))
    }

    /// The attachments that have such rows.
    func attachments(_ results: TransactionResults) -> Set<AttachmentKey> {
      let pairs = results[qos].map { $0[.externalIDs] } + results[queues].map { $0[.externalIDs] }
      return Set(pairs.compactMap { AttachmentRecord($0)?.key })
    }
  }
}

// MARK: - Comparing

/// The rows of a port's rates, as they are.
struct RatesQuestion {
  private let port: Transaction.Selected<PortTable>
  private let qos: Transaction.Selected<QoSTable>
  private let queues: Transaction.Selected<QueueTable>
  private let interface: Transaction.Selected<InterfaceTable>

  /// Asks for what the port called `name`, of `attachment`, has.
  init(_ name: String, _ attachment: AttachmentKey, in transaction: inout Transaction) {
    let key = attachment.externalIDs
    port = transaction.select(from: .port, where: [.equal(.name, name)], .columns(.qos))
    qos = transaction.select(
      from: .qos, where: [.includes(.externalIDs, key)],
      .columns(.uuid, .type, .otherConfiguration, .queues))
    queues = transaction.select(
      from: .queue, where: [.includes(.externalIDs, key)], .columns(.uuid, .otherConfiguration))
    interface = transaction.select(
      from: .interface, where: [.equal(.name, name)],
      .columns(.ingressPolicingRate, .ingressPolicingBurst))
  }

  /// Notes what is not as `rates` want it. Without any, an operator's own QoS is none of our
  /// business.
  func compare(
    _ rates: Rates?, _ name: String, _ datapath: DatapathType?, _ results: TransactionResults,
    _ deviations: inout Deviations
  ) {
    guard let rates, let port = results[port].first else { return }
    let subject = "port \"\(name)\""
    if rates.limitsIngress {
      let row = results[qos].first { $0[.uuid] == port[.qos] }
      guard let row else {
        deviations.add(
          "\(subject): qos is \(port[.qos] == nil ? "absent" : "another one"), should be the one "
            + "that ADD made")
        return
      }
      compareQoS(rates, row, results, subject, &deviations)
    }
    if rates.limitsEgress, let row = results[interface].first {
      let subject = "Open vSwitch interface \"\(name)\""
      deviations.expect(
        "\(subject): ingress_policing_rate", is: row[.ingressPolicingRate],
        shouldBe: rates.policingRate(datapath))
      deviations.expect(
        "\(subject): ingress_policing_burst", is: row[.ingressPolicingBurst],
        shouldBe: rates.policingBurst(datapath))
    }
  }

  private func compareQoS(
    _ rates: Rates, _ row: Row<QoSTable>, _ results: TransactionResults, _ subject: String,
    _ deviations: inout Deviations
  ) {
    deviations.expect("\(subject): type of qos", is: row[.type], shouldBe: Rates.qosType)
    compare(
      row[.otherConfiguration], rates.qosSettings ?? [:], "\(subject): qos", &deviations)
    guard let queue = results[queues].first(where: { $0[.uuid] == row[.queues][0] }) else {
      deviations.add("\(subject): queue 0 of qos is not the one that ADD made")
      return
    }
    compare(
      queue[.otherConfiguration], rates.queueSettings ?? [:], "\(subject): queue 0 of qos",
      &deviations)
  }

  private func compare(
    _ found: [String: String], _ wanted: [String: String], _ subject: String,
    _ deviations: inout Deviations
  ) {
    for (key, value) in wanted.sorted(by: { $0.key < $1.key }) {
      deviations.expect("\(subject): \(key)", is: found[key], shouldBe: value)
    }
  }
}
