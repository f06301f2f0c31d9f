import Linux
import OVSDB
import OpenVSwitch

/// What Open vSwitch's database says, read in one transaction.
struct DatabaseReading {
  let root: HostReading.Root
  let bridges: [HostReading.Bridge]
  /// Whether an ovs-vswitchd serves the database: it holds a lock while it is connected.
  let isServed: Bool

  /// Reads it when ovs-vswitchd has taken over the last changes, for which it has a second: DEL does
  /// not wait for it.
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
      .columns(.version, .nextConfiguration, .currentConfiguration, .otherConfiguration))
    let bridges = question.select(
      from: .bridge,
      .columns(
        .name, .datapathType, .failMode, .ports, .mirrors, .controllers, .hasSpanningTree,
        .hasRapidSpanningTree))
    let controllers = question.select(
      from: .controller, .columns(.uuid, .target, .isConnected))
    let mirrors = question.select(from: .mirror, .columns(.uuid, .outputPort))
    let ports = question.select(
      from: .port,
      .columns(
        .uuid, .name, .interfaces, .vlanMode, .tag, .trunks, .isProtected, .externalIDs, .status,
        .rapidSpanningTreeStatus))
    let tunnels = question.select(from: .port, .columns(.uuid, .customerVLANs))
    let interfaces = question.select(
      from: .interface,
      .columns(.uuid, .name, .type, .ofport, .ofportRequest, .ifindex, .error, .options))
    let connection = try Connection(endpoint, until: deadline)
    let results = try connection.transact(question, until: deadline)
    isServed = (try? connection.isSwitchConnected(until: deadline)) ?? true

    let row = results[root].first
    self.root = .init(
      version: row?[.version],
      nextConfiguration: row?[.nextConfiguration] ?? 0,
      currentConfiguration: row?[.currentConfiguration] ?? 0,
      otherConfiguration: row?[.otherConfiguration] ?? [:])
    let interfaceRows = Dictionary(
      results[interfaces].map {
        (
          $0[.uuid],
          HostReading.Interface(
            name: $0[.name], type: $0[.type].isEmpty ? "system" : $0[.type], ofport: $0[.ofport],
            ofportRequest: $0[.ofportRequest], index: $0[.ifindex], error: $0[.error],
            options: $0[.options])
        )
      }
    ) { first, _ in first }
    var customers: [Reference: [Int64]] = [:]
    for row in results[tunnels] { customers[row[.uuid]] = row[.customerVLANs] }
    let portRows = Dictionary(
      results[ports].map { row in
        (
          row[.uuid],
          HostReading.Port(
            name: row[.name],
            vlans: .init(
              mode: row[.vlanMode], tag: row[.tag], trunks: row[.trunks],
              customers: customers[row[.uuid]] ?? []),
            isProtected: row[.isProtected], externalIDs: row[.externalIDs],
            status: row[.status].merging(row[.rapidSpanningTreeStatus]) { first, _ in first },
            interfaces: row[.interfaces].compactMap { interfaceRows[$0] })
        )
      }
    ) { first, _ in first }
    var outputs: [Reference: Reference] = [:]
    for row in results[mirrors] { outputs[row[.uuid]] = row[.outputPort] }
    var targets: [Reference: (target: String, isConnected: Bool)] = [:]
    for row in results[controllers] {
      targets[row[.uuid]] = (target: row[.target], isConnected: row[.isConnected])
    }
    self.bridges = results[bridges].map { row in
      let mirrored = row[.mirrors].compactMap { outputs[$0] }.compactMap { portRows[$0]?.name }
      return HostReading.Bridge(
        name: row[.name], datapath: row.datapath,
        failMode: row[.failMode], controllers: row[.controllers].compactMap { targets[$0] },
        hasSpanningTree: row[.hasSpanningTree] || row[.hasRapidSpanningTree],
        ports: row[.ports].compactMap { portRows[$0] },
        mirrorOutputs: Set(mirrored))
    }.sorted { $0.name < $1.name }
  }
}
