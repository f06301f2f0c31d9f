import Attachments
import Linux
import OVNNorthbound
import OVNSouthbound
import OVSDB
import PluginConfigurations

/// What OVN's databases say of the logical ports of this host, as far as this host knows where they
/// are: the southbound one by `ovn-remote`, the northbound one by what rows of attachments
/// remember.
struct LogicalPortReading {
  /// `system-id`, by which OVN knows this host.
  let chassis: String
  /// By their names.
  private(set) var ports: [String: LogicalPortFacts] = [:]
  /// Why something could not be read that was to be read, a sentence each.
  private(set) var problems: [String] = []
  /// Why something was not read, and need not be.
  private(set) var notes: [String] = []
  private let whole: Deadline

  /// For one of them: what does not respond is passed by, since all else is to be shown.
  private var deadline: Deadline { min(whole, .after(.seconds(2))) }

  /// Reads it; nil where this host has no logical ports of OVN.
  init?(_ host: HostReading) {
    let root = host.root.externalIDs
    var names: Set<String> = []
    var places: [NorthboundPlace: Set<String>] = [:]
    for interface in host.bridges.flatMap({ $0.ports.flatMap(\.interfaces) }) {
      guard let name = interface.logicalPort else { continue }
      let place = interface.externalIDs[LogicalPort.key.rawValue]
      // Others than OVN name their ports so, too.
      guard place != nil || root["ovn-remote"] != nil else { continue }
      names.insert(name)
      if let place = place.flatMap({ NorthboundPlace(text: $0) }) {
        places[place, default: []].insert(name)
      }
    }
    guard !names.isEmpty else { return nil }
    chassis = root["system-id"] ?? ""
    whole = host.deadline
    for name in names { ports[name] = LogicalPortFacts() }
    readSouthbound(names.sorted(), at: root["ovn-remote"] ?? "")
    for (place, names) in places { readNorthbound(names.sorted(), at: place) }
    problems.sort()
  }

  private mutating func readSouthbound(_ names: [String], at text: String) {
    guard !text.isEmpty else {
      problems.append(
        "Open vSwitch has no external_ids:ovn-remote, so ovn-controller does not know OVN's "
          + "southbound database")
      return
    }
    guard !text.contains("ssl:") else {
      notes.append("not asked: OVN's southbound database, which takes TLS (\(text))")
      return
    }
    do throws(OVSDBError) {
      var remotes: [Endpoint] = []
      for part in text.split(separator: ",") { remotes.append(try Endpoint(String(part))) }
      var client = ClusterClient<SouthboundDatabase>(remotes, until: deadline)
      try readSouthbound(names, &client)
    } catch {
      problems.append("OVN's southbound database cannot be read: \(error)")
    }
  }

  private mutating func readSouthbound(
    _ names: [String], _ client: inout ClusterClient<SouthboundDatabase>
  ) throws(OVSDBError) {
    var question = SouthboundTransaction()
    let own = question.select(from: .chassis, where: [.equal(.name, chassis)], .columns(.name))
    let bindings = names.map { name in
      question.select(
        from: .portBinding, where: [.equal(.logicalPort, name)],
        .columns(.datapath, .chassis, .options))
    }
    let results = try client.insist(question)
    let isRegistered = !results[own].isEmpty
    var rows: [String: Row<PortBindingTable>] = [:]
    for (name, binding) in zip(names, bindings) { rows[name] = results[binding].first }

    var details = SouthboundTransaction()
    let chassis = Set(rows.values.compactMap { $0[.chassis] }).map { reference in
      (
        reference,
        details.select(
          from: .chassis, where: [.equal(.uuid, reference)], .columns(.name, .hostname))
      )
    }
    let datapaths = Set(rows.values.map { $0[.datapath] }).map { reference in
      (
        reference,
        details.select(
          from: .datapathBinding, where: [.equal(.uuid, reference)], .columns(.externalIDs))
      )
    }
    let found = try client.insist(details)
    var hosts: [Reference: LogicalPortFacts.Chassis] = [:]
    for (reference, row) in chassis {
      guard let row = found[row].first else { continue }
      hosts[reference] = .init(name: row[.name], hostname: row[.hostname])
    }
    var switches: [Reference: String] = [:]
    for (reference, row) in datapaths {
      switches[reference] = found[row].first?[.externalIDs]["name"]
    }
    for name in names {
      let binding = rows[name].map { row in
        LogicalPortFacts.Binding(
          chassis: row[.chassis].flatMap { hosts[$0] }, options: row[.options])
      }
      ports[name]?.southbound = .read(binding)
      ports[name]?.isChassisRegistered = isRegistered
      ports[name]?.logicalSwitch = rows[name].flatMap { switches[$0[.datapath]] }
    }
  }

  private mutating func readNorthbound(_ names: [String], at place: NorthboundPlace) {
    do throws(OVSDBError) {
      var client = ClusterClient<NorthboundDatabase>(place.remotes, until: deadline)
      var question = NorthboundTransaction()
      let rows = names.map { name in
        question.select(
          from: .logicalSwitchPort, where: [.equal(.name, name)], .columns(.addresses, .isUp))
      }
      let results = try client.insist(question)
      for (name, row) in zip(names, rows) {
        ports[name]?.northbound = .read(
          results[row].first.map { .init(addresses: $0[.addresses], isUp: $0[.isUp] ?? false) })
      }
    } catch {
      problems.append("OVN's northbound database cannot be read: \(error)")
    }
  }
}

/// What the databases say of one logical port.
struct LogicalPortFacts {
  /// What one of them says.
  enum Answer<Value> {
    case unread
    /// Nil where it has no such port.
    case read(Value?)
  }
  struct Chassis: Hashable {
    let name: String
    let hostname: String

    /// `h2`, or `3f2a… (node2)` where it has another hostname.
    var description: String {
      hostname.isEmpty || hostname == name ? "\"\(name)\"" : "\"\(name)\" (\(hostname))"
    }
  }
  struct Binding {
    let chassis: Chassis?
    let options: [String: String]
  }
  struct Described {
    let addresses: [String]
    let isUp: Bool
  }
  var northbound = Answer<Described>.unread
  var southbound = Answer<Binding>.unread
  /// The name of its switch; nil where it is not known.
  var logicalSwitch: String?
  /// Whether the southbound database has this host as a chassis.
  var isChassisRegistered = false
}

extension DatabaseReading.Interface {
  /// The name of the logical port that the interface asks for; nil without one.
  var logicalPort: String? {
    externalIDs["iface-id"].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Whether ovn-controller says that OVN forwards for it.
  var isInstalled: Bool { externalIDs[LogicalPort.installed] == "true" }
}
