import Linux
import OVSDB
import OpenVSwitch

/// What Open vSwitch's database says, read in one transaction.
struct DatabaseReading {
  let root: DatabaseReading.Root
  let bridges: [DatabaseReading.Bridge]
  /// Whether an ovs-vswitchd serves the database: it holds a lock while it is connected.
  let isServed: Bool

  struct Root {
    /// What the database says of Open vSwitch's release; nil where it does not.
    let version: String?
    let nextConfiguration: Int64
    let currentConfiguration: Int64
    let otherConfiguration: [String: String]
    /// `system-id`, `ovn-remote` and the like.
    let externalIDs: [String: String]

    /// Whether ovs-vswitchd has taken over all changes.
    var isSettled: Bool { nextConfiguration == currentConfiguration }
  }

  struct Bridge {
    let name: String
    /// `system` or `netdev`.
    let datapath: DatapathType
    /// `standalone` or `secure`; nil where it is not set.
    let failMode: String?
    /// The targets of its controllers, each with whether it is connected.
    let controllers: [(target: String, isConnected: Bool)]
    let hasSpanningTree: Bool
    let ports: [Port]
    /// In the order of their names.
    let mirrors: [Mirror]

    /// The names of the ports that mirrors copy to.
    var mirrorOutputs: Set<String> { Set(mirrors.compactMap(\.outputPort)) }
  }

  /// A mirror of a bridge; ports by their names.
  struct Mirror: Hashable {
    let name: String
    let selectsAll: Bool
    /// The ports of which it copies what arrives by them at the bridge.
    let sources: Set<String>
    /// The ports of which it copies what leaves the bridge by them.
    let destinations: Set<String>
    /// Those that are copied; none means all.
    let vlans: [Int64]
    let outputPort: String?
    let outputVLAN: Int64?
  }

  struct Port {
    let name: String
    let vlans: VLANs
    let isProtected: Bool
    let externalIDs: [String: String]
    /// `status` and `rstp_status`: `stp_state` and the like.
    let status: [String: String]
    /// Bits per second that may leave the bridge by it; nil without limit.
    let maximumRate: UInt64?
    let interfaces: [Interface]
  }

  struct Interface {
    let name: String
    let type: String
    let ofport: Int64?
    let ofportRequest: Int64?
    let index: Int64?
    let error: String?
    /// `remote_ip` of a tunnel, `peer` of a patch port.
    let options: [String: String]
    /// Kilobits per second that may come into the bridge by it; 0 without limit.
    let policingRate: Int64
    let externalIDs: [String: String]
  }

  /// Reads it when ovs-vswitchd has taken over the last changes, for which it has a second: DEL
  /// does not wait for it.
  init(settled endpoint: Endpoint, until deadline: Deadline) throws(OVSDBError) {
    let patience = min(deadline, .after(.seconds(1)))
    var reading = try Self(endpoint, until: deadline)
    while reading.isServed, !reading.root.isSettled, !patience.hasPassed {
      Clock.sleep(.milliseconds(20))
      reading = try Self(endpoint, until: deadline)
    }
    self = reading
  }

  init(_ endpoint: Endpoint, until deadline: Deadline) throws(OVSDBError) {
    var question = Transaction()
    let root = question.select(
      from: .openVSwitch,
      .columns(
        .version, .nextConfiguration, .currentConfiguration, .otherConfiguration, .externalIDs))
    let bridges = question.select(
      from: .bridge,
      .columns(
        .name, .datapathType, .failMode, .ports, .mirrors, .controllers, .hasSpanningTree,
        .hasRapidSpanningTree))
    let controllers = question.select(
      from: .controller, .columns(.uuid, .target, .isConnected))
    let mirrors = question.select(
      from: .mirror,
      .columns(
        .uuid, .name, .selectsAll, .sourcePorts, .destinationPorts, .selectedVLANs, .outputPort,
        .outputVLAN))
    let limits = question.select(from: .qos, .columns(.uuid, .otherConfiguration))
    let ports = question.select(
      from: .port,
      .columns(
        .uuid, .name, .interfaces, .vlanMode, .tag, .trunks, .isProtected, .externalIDs, .status,
        .rapidSpanningTreeStatus))
    let additions = question.select(from: .port, .columns(.uuid, .customerVLANs, .qos))
    let interfaces = question.select(
      from: .interface,
      .columns(
        .uuid, .name, .type, .ofport, .ofportRequest, .ifindex, .error, .options,
        .ingressPolicingRate, .externalIDs))
    let connection = try Connection(endpoint, until: deadline)
    let results = try connection.transact(question, until: deadline)
    isServed = (try? connection.isSwitchConnected(until: deadline)) ?? true

    let row = results[root].first
    self.root = .init(
      version: row?[.version],
      nextConfiguration: row?[.nextConfiguration] ?? 0,
      currentConfiguration: row?[.currentConfiguration] ?? 0,
      otherConfiguration: row?[.otherConfiguration] ?? [:],
      externalIDs: row?[.externalIDs] ?? [:])
    let interfaceRows = Dictionary(
      results[interfaces].map {
        (
          $0[.uuid],
          Interface(
            name: $0[.name], type: $0[.type].isEmpty ? "system" : $0[.type], ofport: $0[.ofport],
            ofportRequest: $0[.ofportRequest], index: $0[.ifindex], error: $0[.error],
            options: $0[.options], policingRate: $0[.ingressPolicingRate],
            externalIDs: $0[.externalIDs])
        )
      }
    ) { first, _ in first }
    var settings: [Reference: [String: String]] = [:]
    for row in results[limits] { settings[row[.uuid]] = row[.otherConfiguration] }
    var customers: [Reference: [Int64]] = [:]
    var rates: [Reference: UInt64] = [:]
    for row in results[additions] {
      customers[row[.uuid]] = row[.customerVLANs]
      rates[row[.uuid]] = row[.qos].flatMap { settings[$0]?["max-rate"] }.flatMap { UInt64($0) }
    }
    let portRows = Dictionary(
      results[ports].map { row in
        (
          row[.uuid],
          Port(
            name: row[.name],
            vlans: .init(
              mode: row[.vlanMode], tag: row[.tag], trunks: row[.trunks],
              customers: customers[row[.uuid]] ?? []),
            isProtected: row[.isProtected], externalIDs: row[.externalIDs],
            status: row[.status].merging(row[.rapidSpanningTreeStatus]) { first, _ in first },
            maximumRate: rates[row[.uuid]],
            interfaces: row[.interfaces].compactMap { interfaceRows[$0] })
        )
      }
    ) { first, _ in first }
    func names(_ ports: [Reference]) -> Set<String> {
      Set(ports.compactMap { portRows[$0]?.name })
    }
    var mirrorRows: [Reference: DatabaseReading.Mirror] = [:]
    for row in results[mirrors] {
      mirrorRows[row[.uuid]] = .init(
        name: row[.name], selectsAll: row[.selectsAll], sources: names(row[.sourcePorts]),
        destinations: names(row[.destinationPorts]), vlans: row[.selectedVLANs].sorted(),
        outputPort: row[.outputPort].flatMap { portRows[$0]?.name }, outputVLAN: row[.outputVLAN])
    }
    var targets: [Reference: (target: String, isConnected: Bool)] = [:]
    for row in results[controllers] {
      targets[row[.uuid]] = (target: row[.target], isConnected: row[.isConnected])
    }
    self.bridges = results[bridges].map { row in
      Bridge(
        name: row[.name], datapath: row.datapath,
        failMode: row[.failMode], controllers: row[.controllers].compactMap { targets[$0] },
        hasSpanningTree: row[.hasSpanningTree] || row[.hasRapidSpanningTree],
        ports: row[.ports].compactMap { portRows[$0] },
        mirrors: row[.mirrors].compactMap { mirrorRows[$0] }.sorted { $0.name < $1.name })
    }.sorted { $0.name < $1.name }
  }
}
