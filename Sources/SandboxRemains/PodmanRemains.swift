package import CNI
package import CNIRuntime
internal import JSON
internal import Linux
internal import OVSDB
internal import OpenVSwitch
internal import PluginConfigurations
internal import PluginCore
internal import PluginExecution

/// What containers of podman have left whose network namespace is gone, and how it is removed.
///
/// netavark before 2.1 calls no driver when the namespace is gone, none after a setup that failed,
/// and nothing does after a loss of power. The drivers know their attachments from what they keep,
/// which they write before anything is made, and from the rows of Open vSwitch that name them as
/// the runtime.
package struct PodmanRemains {
  /// The value of `external_ids:runtime`.
  package static let runtimeName = "netavark"

  /// `runtime` as the drivers have it.
  ///
  /// Results are kept beside its own, from which a CNI runtime would remove, in GC, what it does
  /// not know.
  package static func runtime(like runtime: Runtime) -> Runtime {
    var runtime = runtime
    runtime.cache = ResultCache(directory: "\(runtime.cache.directory)/\(runtimeName)")
    runtime.environment.append("\(AttachmentRecord.runtimeVariable)=\(runtimeName)")
    runtime.keepsBeforeADD = true
    // podman itself listens on the ports, so that no other process takes them.
    runtime.defaults["portmap"] = JSONObject([
      (PortmapConfiguration.Member.checkListener.rawValue, false)
    ])
    return runtime
  }

  /// What one attachment has left.
  package struct Remains {
    /// With the list that it was made with, as far as that is known.
    package let list: NetworkList
    /// The attachment.
    package let stale: StaleAttachment
    /// Whether it is known from the rows of Open vSwitch alone.
    let isOfRow: Bool
  }

  private let runtime: Runtime
  private let configurations: ConfigurationDirectory
  /// How long to wait for the kernel to delete the links of namespaces that have just ended.
  private let patience: Duration

  /// - Parameter runtime: As the drivers have it.
  package init(
    _ runtime: Runtime, _ configurations: ConfigurationDirectory, patience: Duration
  ) {
    self.runtime = runtime
    self.configurations = configurations
    self.patience = patience
  }

  /// What there is now, of `network` alone where it is named.
  ///
  /// - Parameters:
  ///   - endpoints: Where ovsdb-server listens, besides the places that kept configurations name.
  ///   - failures: Gets what could not be read.
  package func all(
    of network: String? = nil, endpoints: [String] = [], _ failures: inout [String]
  ) -> [Remains] {
    let found = attachments(of: network, endpoints: endpoints, &failures)
    let gone = found.filter {
      Sandbox.isGone($0.sandbox, without: $0.key.attachment.interfaceName)
    }
    guard !gone.isEmpty else { return [] }
    var hostEnds = HostEnds()
    for one in gone { one.addHostEnds(to: &hostEnds) }
    hostEnds.settle(gone.map { $0.key }, within: patience)
    var remains: [Remains] = []
    for one in gone where !hostEnds.areThere(one.key) {
      guard let list = list(for: one) else { continue }
      var parameters =
        one.entry.map { AttachmentParameters($0) }
        ?? AttachmentParameters(one.key.attachment, sandboxPath: "")
      // Its path may lead to another's sandbox by now.
      parameters.sandboxPath = ""
      remains.append(
        Remains(
          list: list, stale: StaleAttachment(parameters, reason: "\(one.sandbox) is gone"),
          isOfRow: one.entry == nil))
    }
    return remains
  }

  /// Whether a driver has attached something to `network`.
  package func knows(_ network: String) -> Bool {
    var failures: [String] = []
    return !attachments(of: network, endpoints: [], &failures).isEmpty
  }

  /// What DEL of an attachment needs that is kept or that rows know; nil where neither does.
  package func list(of network: String, _ attachment: Attachment) -> NetworkList? {
    var failures: [String] = []
    return attachments(of: network, endpoints: [], &failures)
      .first { $0.key.attachment == attachment }.flatMap { list(for: $0) }
  }

  /// Runs DEL for `remains`, unless another command has done so, or has attached the container
  /// again; whether it did.
  package func remove(_ remains: Remains) throws(RuntimeError) -> Bool {
    try runtime.remove(remains.stale, of: remains.list) { stale in
      let name = stale.parameters.attachment
      guard let entry = try? runtime.cache.entry(remains.list.name, name) else {
        return remains.isOfRow
      }
      var hostEnds = HostEnds()
      hostEnds.add(of: entry)
      return entry.sandboxIsGone
        && !hostEnds.areThere(AttachmentKey(network: entry.network, entry.attachment))
    }
  }

  // MARK: - What is known

  /// An attachment that a driver made.
  private struct Known {
    let key: AttachmentKey
    let sandbox: String
    /// What is kept of it; nil where only rows know of it.
    let entry: CachedAttachment?
    /// Where its rows are, and the names of its ports.
    let rows: [(endpoint: String, port: String)]

    func addHostEnds(to hostEnds: inout HostEnds) {
      if let entry { hostEnds.add(of: entry) }
      for row in rows { hostEnds.add(row.port, of: key) }
    }
  }

  private func attachments(
    of network: String?, endpoints: [String], _ failures: inout [String]
  ) -> [Known] {
    var entries: [CachedAttachment] = []
    do throws(SystemError) {
      entries = try runtime.cache.entries().filter { network == nil || $0.network == network }
    } catch { failures.append(RuntimeError.unreadableCache(error).description) }
    var places = [Self.standardEndpoint] + endpoints
    for entry in entries {
      guard let list = try? NetworkList(parsing: entry.configuration) else { continue }
      places += Self.endpoints(of: list)
    }
    var rows: [AttachmentKey: [(endpoint: String, port: String)]] = [:]
    var sandboxes: [AttachmentKey: String] = [:]
    for (index, place) in places.enumerated() where places.firstIndex(of: place) == index {
      do throws(OVSDBError) {
        for (record, port) in try Self.rows(of: network, at: Endpoint(place)) {
          rows[record.key, default: []].append((place, port))
          sandboxes[record.key] = record.sandbox
        }
      } catch {
        // Where Open vSwitch does not run, what is kept says enough.
        if network != nil, endpoints.contains(place) { failures.append(error.description) }
      }
    }
    var known: [Known] = []
    for entry in entries {
      let key = AttachmentKey(network: entry.network, entry.attachment)
      known.append(
        Known(
          key: key, sandbox: entry.knownSandboxPath, entry: entry, rows: rows[key] ?? []))
      sandboxes[key] = nil
    }
    for (key, sandbox) in sandboxes.sorted(by: { $0.key.description < $1.key.description }) {
      known.append(Known(key: key, sandbox: sandbox, entry: nil, rows: rows[key] ?? []))
    }
    return known
  }

  private static let standardEndpoint = Endpoint.standard.description

  /// Where the plugins of `list` find ovsdb-server.
  package static func endpoints(of list: NetworkList) -> [String] {
    list.plugins.filter { $0.type == "ovs-bridge" || $0.type == "ovn" }.map { plugin in
      let text = plugin.json[OVSBridgeConfiguration.PortMember.socketFile]?.text ?? ""
      return text.isEmpty ? standardEndpoint : text
    }
  }

  private static func rows(of network: String?, at endpoint: Endpoint) throws(OVSDBError)
    -> [(AttachmentRecord, String)]
  {
    let deadline = Deadline.after(.seconds(2))
    var pairs = network.map { AttachmentRecord.mark(of: $0) } ?? AttachmentRecord.mark
    pairs[AttachmentRecord.Key.runtime] = runtimeName
    var question = Transaction()
    let ports = question.select(
      from: .port, where: [.includes(.externalIDs, pairs)], .columns(.name, .externalIDs))
    let results = try Connection(endpoint, until: deadline).transact(question, until: deadline)
    var rows: [(AttachmentRecord, String)] = []
    for row in results[ports] {
      let found = row[.externalIDs]
      guard let record = AttachmentRecord(externalIDs: { found[$0] }) else { continue }
      rows.append((record, row[.name]))
    }
    return rows
  }

  /// The list that an attachment was made with; of one that only rows know of, those that DEL
  /// needs.
  private func list(for known: Known) -> NetworkList? {
    if let entry = known.entry {
      let kept = try? runtime.list(
        of: entry.network, attachedAs: entry.attachment, in: configurations
      ).list
      if let kept { return kept }
    }
    let endpoint = known.rows.first?.endpoint ?? Self.standardEndpoint
    return Self.list(
      of: known.key.network, endpoint: endpoint, publishes: runtime.hasPlugin("portmap"))
  }

  /// What DEL of an attachment to Open vSwitch needs where nothing else is known of it.
  package static func list(of network: String, endpoint: String, publishes: Bool) -> NetworkList? {
    let port: JSONValue = ["type": "ovs-bridge", "socket_file": .string(endpoint)]
    let list: JSONValue = [
      "cniVersion": .string(SpecificationVersion.current.rawValue), "name": .string(network),
      "plugins": .array(publishes ? [port, ["type": "portmap"]] : [port]),
    ]
    return try? NetworkList(parsing: list.encoded())
  }
}

extension Runtime {
  /// Whether there is a plugin `type`.
  package func hasPlugin(_ type: String) -> Bool {
    (try? PluginSearch.executable(of: type, in: pluginPath)) != nil
  }
}
