import Linux
import OVSDB
import OpenVSwitch

/// What Open vSwitch's database says, read in one transaction.
struct DatabaseReading {
  let root: HostReading.Root
  let bridges: [HostReading.Bridge]
  /// Whether an ovs-vswitchd serves the database: it holds a lock while it is connected.
  let isServed: Bool

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
          HostReading.Interface(
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
          HostReading.Port(
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
    var mirrorRows: [Reference: HostReading.Mirror] = [:]
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
      HostReading.Bridge(
        name: row[.name], datapath: row.datapath,
        failMode: row[.failMode], controllers: row[.controllers].compactMap { targets[$0] },
        hasSpanningTree: row[.hasSpanningTree] || row[.hasRapidSpanningTree],
        ports: row[.ports].compactMap { portRows[$0] },
        mirrors: row[.mirrors].compactMap { mirrorRows[$0] }.sorted { $0.name < $1.name })
    }.sorted { $0.name < $1.name }
  }
}
