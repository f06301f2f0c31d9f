import Addresses
import JSON
import LeaseDatabase
import LeaseFiles
import Linux
import PluginConfigurations

/// The leases of a network beside its configuration.
struct LeasePicture {
  /// Where leases are kept.
  enum Source {
    /// Files of this host.
    case files(LeaseLocation)
    /// The database for all hosts.
    case database(AddressDatabase, network: String)

    /// For people.
    var description: String {
      switch self {
      case .files(let location): location.path
      case .database(let database, let network):
        "the pool \"\(network)\" at \(database.endpoints.joined(separator: ", "))"
      }
    }
  }

  private let source: Source
  /// Whose ranges are counted; none where no configuration was asked.
  private let configurations: [HostLocalConfiguration]
  private var entries: [LeaseEntry] = []
  private var cursors: [IPAddress?] = []
  /// Which hosts hold the addresses; empty where all are of this host.
  private var hosts: [IPAddress: String] = [:]

  init(_ source: Source, _ configurations: [HostLocalConfiguration]) {
    self.source = source
    self.configurations = configurations
  }

  mutating func read(until deadline: Deadline) throws {
    do {
      switch source {
      case .files(let location):
        entries = try LeaseList.entries(at: location)
        cursors =
          configurations.first?.sets.indices.map { LeaseList.cursor(of: $0, at: location) } ?? []
      case .database(let database, let network):
        var leases = database.leases(of: network, until: deadline)
        for lease in try leases.leases() {
          hosts[lease.address] = lease.holder.host
          entries.append(LeaseEntry(lease, on: database.host))
        }
      }
    } catch { throw Failure("cannot read the leases in \(source.description): \(error)") }
  }

  // MARK: - What is seen

  /// What the file is to this network, which may keep leases of an earlier boot.
  private func state(_ entry: LeaseEntry) -> LeaseEntry.State {
    entry.state == .stale && configurations.first?.reclaimsAfterReboot == false
      ? .held : entry.state
  }

  private func isInUse(_ entry: LeaseEntry) -> Bool {
    switch state(entry) {
    case .held, .foreign: true
    case .stale, .torn: false
    }
  }

  private func remark(_ entry: LeaseEntry) -> String {
    var remarks: [String] = []
    switch entry.state {
    case .held: break
    case .stale:
      remarks.append(
        isInUse(entry)
          ? "from before the machine was started"
          : "stale: from before the machine was started, free")
    case .torn: remarks.append("torn: the file names no holder, free")
    case .foreign:
      remarks.append("no lease: the file is something else or cannot be read, never given")
    }
    if let reservation = reservation(of: entry.address) {
      remarks.append("reserved for \(reservation.subject)")
    }
    if !configurations.isEmpty, place(of: entry.address) == nil { remarks.append("in no range") }
    return remarks.isEmpty ? "-" : remarks.joined(separator: "; ")
  }

  private func reservation(of address: IPAddress) -> Reservation? {
    configurations.flatMap(\.reservations).first { $0.address == address }
  }

  private func place(of address: IPAddress) -> AddressRange? {
    configurations.flatMap(\.sets).flatMap(\.ranges).first { $0.subnet.contains(address) }
  }

  private var idleReservations: [Reservation] {
    let taken = Set(entries.filter(isInUse).map(\.address))
    return configurations.flatMap(\.reservations).filter { !taken.contains($0.address) }
  }

  private struct Range {
    let set: Int
    let range: AddressRange
    let used: Int
    /// Addresses that can be given to anybody.
    let usable: UInt128
    let cursor: IPAddress?

    /// In percent, of what can be given to anybody.
    var share: Double { usable == 0 ? 100 : min(100, Double(used) * 100 / Double(usable)) }
  }

  private var ranges: [Range] {
    let used = entries.filter(isInUse).map(\.address)
    var ranges: [Range] = []
    for configuration in configurations {
      for (set, ranked) in configuration.sets.enumerated() {
        for range in ranked.ranges {
          let cursor = cursors.indices.contains(set) ? cursors[set] : nil
          ranges.append(
            Range(
              set: set, range: range,
              used: used.count { address in range.open.contains { $0.contains(address) } },
              usable: range.open.reduce(0) { $0 &+ $1.count },
              cursor: cursor.flatMap { range.range.contains($0) ? $0 : nil }))
        }
      }
    }
    return ranges
  }

  private static func time(_ nanoseconds: Int64?) -> String? {
    nanoseconds.map { Clock.timestamp(milliseconds: $0 / 1_000_000) }
  }

  /// For people: to the second.
  private static func shortTime(_ nanoseconds: Int64?) -> String? {
    time(nanoseconds).map { $0.prefix(19) + "Z" }
  }

  // MARK: - For people

  /// - Parameter isWhole: Without container IDs that are cut.
  func text(isWhole: Bool) -> String {
    var table = Table(
      ["ADDRESS", "HOST", "CONTAINER", "INTERFACE", "SINCE", "REMARK"], shortening: ["CONTAINER"],
      cutting: ["HOST"], endsInProse: true, isWhole: isWhole)
    for entry in entries {
      table.add([
        entry.address.description, hosts[entry.address] ?? "-", entry.holder?.containerID ?? "-",
        entry.holder?.interfaceName ?? "-", Self.shortTime(entry.since) ?? "-", remark(entry),
      ])
    }
    for reservation in idleReservations {
      table.add([
        reservation.address.description, "-", "-", "-", "-", "reserved for \(reservation.subject)",
      ])
    }
    var parts =
      entries.isEmpty && idleReservations.isEmpty
      ? ["no leases in \(source.description)"] : [table.text()]
    if !ranges.isEmpty {
      var table = Table(
        ["RANGE SET", "RANGE", "LEASED", "OF", "FULL", "GIVEN LAST"], isWhole: isWhole)
      for range in ranges {
        let ends = [range.range.range.first, range.range.range.last].map(\.description)
        // Two long addresses do not fit beside the rest.
        let isLong = !isWhole && ends.reduce(0) { $0 + $1.count } > 40
        table.add([
          "\(range.set)", isLong ? "\(ends[0])-" : range.range.text, "\(range.used)",
          Self.count(range.usable),
          range.used > 0 && range.share < 1 ? "<1 %" : "\(Int(range.share)) %",
          range.cursor?.description ?? "-",
        ])
        if isLong { table.add(["", ends[1], "", "", "", ""]) }
      }
      parts.append(table.text())
    } else if !configurations.isEmpty {
      parts.append("the runtime gives the ranges, so how full they are is not known here")
    }
    return parts.joined(separator: "\n\n")
  }

  /// A number that a person can read.
  private static func count(_ number: UInt128) -> String {
    number < 1_000_000_000 ? "\(number)" : "2^\(UInt128.bitWidth - number.leadingZeroBitCount - 1)"
  }

  // MARK: - For programs

  var json: JSONValue {
    let leases = entries.map { entry in
      JSONValue.object([
        ("address", .string(entry.address.description)),
        ("host", hosts[entry.address].map { .string($0) }),
        ("containerID", entry.holder.map { .string($0.containerID) }),
        ("interface", entry.holder?.interfaceName.map { .string($0) }),
        ("since", Self.time(entry.since).map { .string($0) }),
        ("state", .string(state(entry).rawValue)),
        (
          "reservedFor",
          reservation(of: entry.address).map { .string($0.subject.description) }
        ),
      ])
    }
    let reservations = configurations.flatMap(\.reservations).map { reservation in
      JSONValue.object([
        ("address", .string(reservation.address.description)),
        ("for", .string(reservation.subject.description)),
      ])
    }
    let ranges = ranges.map { range in
      JSONValue.object([
        ("set", .integer(Int64(range.set))), ("path", .string(range.range.path.description)),
        ("first", .string(range.range.range.first.description)),
        ("last", .string(range.range.range.last.description)),
        ("leased", .integer(Int64(range.used))),
        (
          "usable", Int64(exactly: range.usable).map { .integer($0) } ?? .real(Double(range.usable))
        ), ("givenLast", range.cursor.map { .string($0.description) }),
      ])
    }
    return .object(
      place + [
        ("leases", .array(leases)), ("reservations", .array(reservations)),
        ("ranges", configurations.isEmpty ? nil : .array(ranges)),
      ])
  }

  /// Where the leases are.
  private var place: [(String, JSONValue?)] {
    switch source {
    case .files(let location):
      [("network", .string(location.network)), ("dataDir", .string(location.dataDirectory))]
    case .database(let database, let network):
      [
        ("network", .string(network)),
        ("database", .array(database.endpoints.map { .string($0) })),
      ]
    }
  }
}

extension LeaseEntry {
  /// A lease of the database, as `host` sees it.
  init(_ lease: ClusterLease, on host: ClusterHost) {
    let isStale = lease.holder.host == host.name && lease.boot != host.boot
    self.init(
      address: lease.address, state: isStale ? .stale : .held,
      holder: LeaseHolder(
        containerID: lease.holder.containerID,
        interfaceName: lease.holder.interfaceName.isEmpty ? nil : lease.holder.interfaceName),
      since: lease.created > Int64.max / 1_000_000_000 || lease.created < 0
        ? nil : lease.created * 1_000_000_000)
  }
}
