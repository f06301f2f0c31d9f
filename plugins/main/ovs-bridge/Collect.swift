import CNI
import JSON
import Linux
import Netlink
import OVSDB
import OpenVSwitch
import PluginCore

extension OVSBridge {
  /// GC: frees what belongs to this network and to no valid attachment. It goes on past errors.
  ///
  /// A runtime that does not say which attachments are valid has not said that none is. What another
  /// command works on, or what began after this one, is left.
  static func gc(_ request: Request, _ plan: Plan, _ context: Context) throws(CNIError) {
    guard let valid = request.network.validAttachments else {
      return try Delegate.runIPAM(request, .gc, until: context.deadline)
    }
    var failures = Failures()
    var collection = try Collection(request, context)
    let rows = CollectedRows(plan, context, &failures)
    let links = CollectedLinks(context, &failures)
    var taken: Set<Attachment> = []
    for attachment in (rows?.attachments ?? []).union(links?.attachments(of: plan.network) ?? [])
    where !valid.contains(attachment) {
      do throws(CNIError) {
        if try collection.take(attachment) { taken.insert(attachment) }
      } catch { failures.add(error) }
    }
    rows?.select(taken, context, &failures)
    links?.delete(taken.subtracting(rows?.kept ?? []), plan.network, context, &failures)
    do throws(CNIError) {
      try collection.takeNetwork()
      // No ADD is under way now: what is there and was not freed is valid.
      let left = rows?.left(context, &failures) ?? []
      let kept = Set(valid).union(left)
      links?.deleteUnnamed(plan, except: kept, context, &failures)
      if collectLeases(request, rows, left, context, &failures) {
        rows?.remove(context, &failures)
      }
      collectGateways(plan, context, &failures)
      collectMasquerade(plan, Array(kept), context, &failures)
    } catch { failures.add(error) }
    try failures.throwIfAny("cannot free everything of network \"\(plan.network)\"")
  }

  /// Has the IPAM plugin free its leases, wherever attachments of the network have some; whether it
  /// did.
  ///
  /// - Parameter left: Attachments that the runtime does not know, and that are not freed.
  private static func collectLeases(
    _ request: Request, _ rows: CollectedRows?, _ left: Set<Attachment>, _ context: Context,
    _ failures: inout Failures
  ) -> Bool {
    let request = left.isEmpty ? request : request.withValid(left)
    let before = failures.all.count
    for remembered in rows?.remembered(request) ?? [nil] {
      do throws(CNIError) {
        try Delegate.runIPAM(request, .gc, remembered: remembered, until: context.deadline)
      } catch { failures.add(error) }
    }
    return failures.all.count == before
  }
}

extension Request {
  /// The same with these attachments besides those that are valid.
  fileprivate func withValid(_ left: Set<Attachment>) -> Request {
    guard case .object(var members)? = network.json.value, let valid = network.validAttachments
    else {
      return self
    }
    let all = JSONValue.array((valid + left).map { $0.json })
    for name in ["cni.dev/valid-attachments", "cni.dev/attachments"] where members[name] != nil {
      members[name] = all
    }
    return (try? Request(invocation, configuration: JSONCursor(.object(members)))) ?? self
  }
}

/// The rows of a network, of which GC removes those of attachments that are not valid.
private final class CollectedRows {
  private let connection: Connection
  private let network: String
  private let owner: [String: String]
  private let began: Int64
  private var ports: [Row<PortTable>] = []
  private var limited: Set<AttachmentKey> = []
  /// What goes.
  private var rows: [Row<PortTable>] = []
  private var rates: Set<AttachmentKey> = []
  /// The attachments whose ports stay.
  private(set) var kept: Set<Attachment> = []

  /// Nil where they cannot be read.
  init?(_ plan: Plan, _ context: Context, _ failures: inout Failures) {
    network = plan.network
    began = context.began
    owner = [
      AttachmentRecord.Key.owner: AttachmentRecord.owner, AttachmentRecord.Key.network: network,
    ]
    do throws(OVSDBError) {
      connection = try Connection(plan.endpoint, until: context.deadline)
      (ports, limited) = try read(context)
    } catch {
      failures.add(CNIError(error, "cannot free ports"))
      return nil
    }
  }

  private func read(_ context: Context) throws(OVSDBError) -> (
    [Row<PortTable>], Set<AttachmentKey>
  ) {
    var (question, ports) = Detaching.find(owner)
    let rates = Rates.Rows(where: owner, in: &question)
    let results = try connection.transact(question, until: context.deadline)
    return (results[ports], rates.attachments(results))
  }

  /// All attachments that have rows.
  var attachments: Set<Attachment> {
    Set(records(ports).map { $0.attachment }).union(limited.map { $0.attachment })
  }

  private func records(_ rows: [Row<PortTable>]) -> [AttachmentRecord] {
    rows.compactMap { AttachmentRecord($0[.externalIDs]) }
  }

  /// Chooses what goes, of the attachments that are `taken`. Before they were, another command may
  /// have replaced them.
  func select(_ taken: Set<Attachment>, _ context: Context, _ failures: inout Failures) {
    do throws(OVSDBError) {
      (ports, limited) = try read(context)
      rows = ports.filter { row in
        AttachmentRecord(row[.externalIDs]).map { taken.contains($0.attachment) && isStale($0) }
          ?? false
      }
    } catch { failures.add(CNIError(error, "cannot free ports")) }
    let going = Set(rows.map { $0[.uuid] })
    kept = Set(records(ports.filter { !going.contains($0[.uuid]) }).map { $0.attachment })
    rates = limited.filter {
      taken.contains($0.attachment) && !kept.contains($0.attachment)
    }
  }

  /// Whether an attachment was made by a CNI plugin, and did not begin after this GC. A time yet to
  /// come says that the clock was set back.
  private func isStale(_ record: AttachmentRecord) -> Bool {
    let isLater = record.began.map { $0 >= began && $0 <= Clock.nanosecondsSinceEpoch } ?? false
    return record.runtime == nil && !isLater
  }

  /// The attachments of the network that are not freed, as they are now.
  func left(_ context: Context, _ failures: inout Failures) -> Set<Attachment> {
    let going = Set(rows.map { $0[.uuid] })
    do throws(OVSDBError) {
      let (ports, _) = try read(context)
      return Set(records(ports.filter { !going.contains($0[.uuid]) }).map { $0.attachment })
    } catch {
      failures.add(CNIError(error, "cannot free ports"))
      return []
    }
  }

  /// What the configuration says of IPAM, as nil, and what rows remember besides.
  func remembered(_ request: Request) -> [RememberedIPAM?] {
    let json = request.network.json
    var all: [RememberedIPAM?] = [nil]
    for record in records(ports) {
      guard let ipam = record.ipam, !all.contains(ipam) else { continue }
      if ipam.merged(into: json)["ipam"].value != json["ipam"].value { all.append(ipam) }
    }
    return all
  }

  /// Removes what goes.
  func remove(_ context: Context, _ failures: inout Failures) {
    guard !rows.isEmpty || !rates.isEmpty else { return }
    do throws(OVSDBError) {
      let removed = try connection.remove(
        rows, ratesOf: rates, "free ports of network \(network)", until: context.deadline)
      for failure in removed.failures { failures.add(failure) }
      for row in rows { context.log.write(.info, "freed port \"\(row[.name])\"") }
    } catch { failures.add(CNIError(error, "cannot free ports")) }
  }
}

/// The links of the host, of which GC deletes those of attachments that are not valid, also those that
/// never became a port.
private struct CollectedLinks {
  private let socket: RouteSocket
  private let links: [Link]

  /// Nil where they cannot be read.
  init?(_ context: Context, _ failures: inout Failures) {
    do throws(RouteError) {
      socket = try RouteSocket()
      links = try socket.links(until: context.deadline).filter { $0.kind == "veth" }
    } catch {
      failures.add(CNIError(error, "cannot list the links"))
      return nil
    }
  }

  /// The attachments to `network` that host ends say they are for.
  func attachments(of network: String) -> Set<Attachment> {
    Set(links.compactMap { Self.attachment($0, network) })
  }

  private static func attachment(_ link: Link, _ network: String) -> Attachment? {
    guard let attachment = HostLink.attachment(link.alias, to: network),
      HostLink(of: attachment).name == link.name
    else { return nil }
    return attachment
  }

  /// Deletes the host ends of these attachments.
  func delete(
    _ attachments: Set<Attachment>, _ network: String, _ context: Context,
    _ failures: inout Failures
  ) {
    for link in links {
      guard let attachment = Self.attachment(link, network), attachments.contains(attachment) else {
        continue
      }
      delete(link, context, &failures)
    }
  }

  /// Deletes those whose group says for which network they are, and nothing for which attachment.
  func deleteUnnamed(
    _ plan: Plan, except valid: Set<Attachment>, _ context: Context, _ failures: inout Failures
  ) {
    let names = Set(valid.map { HostLink(of: $0).name })
    for link in links where link.group == HostLink.group(network: plan.network) {
      // Two networks may share a group; the alias, where there is one, tells them apart.
      let isNamed = Self.attachment(link, plan.network) != nil
      let isOurs = link.alias == nil || HostLink.belongs(link.alias, to: plan.network)
      guard isOurs, !isNamed, !names.contains(link.name) else { continue }
      delete(link, context, &failures)
    }
  }

  private func delete(_ link: Link, _ context: Context, _ failures: inout Failures) {
    do throws(RouteError) {
      // An index is not given again soon, and the link that has it may have got its alias since.
      guard let now = try socket.linkIfPresent(.index(link.index), until: context.deadline),
        now.name == link.name, now.alias == link.alias
      else { return }
      try socket.request(until: context.deadline) { $0.deleteLink(.index(link.index)) }
      context.log.write(.info, "deleted link \"\(link.name)\"")
    } catch {
      if error.errno == .noSuchDevice { return }
      failures.add(CNIError(error, "cannot delete link \"\(link.name)\""))
    }
  }
}
