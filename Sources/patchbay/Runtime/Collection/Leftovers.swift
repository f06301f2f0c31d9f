import CNI
import CNIRuntime
import JSON
import Linux
import OVSDB
import OpenVSwitch
import PluginConfigurations
import PluginCore
import SandboxRemains

/// What `gc` frees of a network: attachments without sandbox, known from results that are kept,
/// from rows of Open vSwitch, from logical ports of OVN and from leases.
///
/// A sandbox is gone where its path is gone and the host end is: the kernel deletes a veth pair
/// with its namespace, and a namespace whose name was deleted lives on while something uses it.
final class Leftovers: StaleAttachmentSource {
  /// Where attachments of the network are remembered.
  let list: NetworkList
  private let cache: ResultCache
  /// Nil: what has no sandbox is stale.
  let valid: [Attachment]?
  /// Whether a namespace that nothing uses is treated as gone.
  private let includesUnusedNamespaces: Bool
  /// What could not be read.
  var failures: [RuntimeError] = []
  private var hostEnds = HostEnds()

  init(
    of list: NetworkList, _ cache: ResultCache, valid: [Attachment]?,
    includesUnusedNamespaces: Bool
  ) {
    self.list = list
    self.cache = cache
    self.valid = valid
    self.includesUnusedNamespaces = includesUnusedNamespaces
  }

  func all() throws(RuntimeError) -> [StaleAttachment] {
    let kept: [CachedAttachment]
    do throws(SystemError) { kept = try cache.entries().filter { $0.network == list.name } } catch {
      throw .unreadableCache(error)
    }
    let rows = rows()
    let known = Set(kept.map(\.attachment)).union(rows.map(\.attachment))
    hostEnds = HostEnds()
    for entry in kept { hostEnds.add(of: entry) }
    for row in rows { hostEnds.add(row.port, of: key(row.attachment)) }
    awaitLinks(kept, rows)

    var stale = kept.compactMap { self.stale(AttachmentParameters($0)) }
    // At 1.1.0 the plugins free what is not valid by themselves.
    guard valid == nil || !list.has(.gc) else { return stale }
    for row in rows
    where !row.isOfOtherRuntime && !kept.contains(where: { $0.attachment == row.attachment }) {
      let parameters = AttachmentParameters(row.attachment, sandboxPath: row.sandbox)
      if let found = self.stale(parameters) { stale.append(found) }
    }
    stale += logicalPorts(beside: known)
    // An attachment that has left a port frees its lease, too.
    return stale + leases(beside: known.union(stale.map(\.parameters.attachment)))
  }

  func stillHas(_ attachment: StaleAttachment) -> Bool {
    let name = attachment.parameters.attachment
    let entry = try? cache.entry(list.name, name)
    var parameters = entry.map { AttachmentParameters($0) } ?? attachment.parameters
    if entry == nil, attachment.parameters.sandboxPath.isEmpty {
      // Of a row or a lease: what is attached again has its host end.
      return valid != nil || !hasHostEnd(name)
    }
    parameters.sandboxPath = entry?.knownSandboxPath ?? attachment.parameters.sandboxPath
    return stale(parameters) != nil
  }

  // MARK: - What is stale

  private func stale(_ parameters: AttachmentParameters) -> StaleAttachment? {
    var parameters = parameters
    let path = parameters.sandboxPath
    let isGone =
      CNIRuntime.Sandbox.isGone(path, without: parameters.attachment.interfaceName)
      && !hasHostEnd(parameters.attachment)
    // Its path may lead to another's sandbox by now.
    if isGone { parameters.sandboxPath = "" }
    if let valid {
      guard !valid.contains(parameters.attachment) else { return nil }
      return StaleAttachment(parameters, reason: isGone ? "\(path) is gone" : "")
    }
    if isGone { return StaleAttachment(parameters, reason: "\(path) is gone") }
    guard includesUnusedNamespaces, NamespaceUse.isUnused(path) else { return nil }
    return StaleAttachment(parameters, reason: "nothing uses \(path)")
  }

  private func key(_ attachment: Attachment) -> AttachmentKey {
    AttachmentKey(network: list.name, attachment)
  }

  func hasHostEnd(_ attachment: Attachment) -> Bool { hostEnds.areThere(key(attachment)) }

  /// Counts the link `name` among the host ends of `attachment`.
  func addHostEnd(_ name: String, of attachment: Attachment) {
    hostEnds.add(name, of: key(attachment))
  }

  /// Waits until the kernel has deleted the links of namespaces that have just ended; 2 s at most.
  private func awaitLinks(_ kept: [CachedAttachment], _ rows: [AttachmentRow]) {
    var waiting = kept.filter(\.sandboxIsGone).map(\.attachment)
    waiting += rows.filter {
      CNIRuntime.Sandbox.isGone($0.sandbox, without: $0.attachment.interfaceName)
    }.map(\.attachment)
    hostEnds.settle(waiting.map { key($0) }, within: .seconds(2))
  }

  // MARK: - Rows

  private struct AttachmentRow {
    let attachment: Attachment
    let sandbox: String
    /// The name of the port, which is the host end's.
    let port: String
    /// Whether a runtime's driver made it that keeps its own account.
    let isOfOtherRuntime: Bool
  }

  /// The ports of the network in the databases that its plugins name.
  private func rows() -> [AttachmentRow] {
    let plugins = list.plugins.filter { $0.type == "ovs-bridge" || $0.type == "ovn" }
    var endpoints: [String] = []
    for plugin in plugins {
      let text = plugin.json[OVSBridgeConfiguration.PortMember.socketFile]?.text ?? ""
      let endpoint = text.isEmpty ? Endpoint.standard.description : text
      if !endpoints.contains(endpoint) { endpoints.append(endpoint) }
    }
    var rows: [AttachmentRow] = []
    for endpoint in endpoints {
      do throws(OVSDBError) { rows += try Self.rows(of: list.name, at: Endpoint(endpoint)) } catch {
        failures.append(.survey("cannot read the ports of network \"\(list.name)\": \(error)"))
      }
    }
    return rows
  }

  private static func rows(of network: String, at endpoint: Endpoint) throws(OVSDBError)
    -> [AttachmentRow]
  {
    let deadline = Deadline.after(.seconds(10))
    var transaction = Transaction()
    let ports = transaction.select(
      from: .port,
      where: [
        .includes(.externalIDs, AttachmentRecord.mark(of: network))
      ], .columns(.name, .externalIDs))
    let results = try Connection(endpoint, until: deadline).transact(transaction, until: deadline)
    var rows: [AttachmentRow] = []
    for row in results[ports] {
      guard let record = AttachmentRecord(externalIDs: { row[.externalIDs][$0] }) else { continue }
      rows.append(
        AttachmentRow(
          attachment: record.attachment, sandbox: record.sandbox, port: row[.name],
          isOfOtherRuntime: record.runtime != nil))
    }
    return rows
  }
}
