import ArgumentParser
import CNIRuntime
import JSON
import LeaseDatabase
import Linux
import OVSDB
import PluginConfigurations

/// `patchbay cluster status`
struct ClusterStatus: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show the members of the database of addresses, and what it holds.",
    usage: "patchbay cluster status [<network>] [--json] [<options>]",
    discussion: """
      Of each member: whether it responds, is part of a majority, and leads. Of the networks: how \
      many leases each host has. The exit status is 1 where no member can give addresses now.

      Examples:
        patchbay cluster status lab
        patchbay cluster status --database tcp:192.0.2.1:6650,tcp:192.0.2.2:6650
      """)

  @Argument(
    help: "The network whose configuration names the members.", completion: .networks)
  var network: String?

  @Option(
    help: ArgumentHelp(
      "The members, with commas between: unix:PATH or tcp:IP:PORT.", valueName: "endpoints"))
  var database: String?

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  func validate() throws {
    if network != nil, database != nil {
      throw ValidationError("a network and --database exclude each other")
    }
  }

  func run() throws {
    let deadline = Deadline.after(.seconds(min(options.timeout, 10)))
    let place = try self.place
    let members = place.remotes.map { Member($0, until: min(deadline, .after(.seconds(2)))) }
    let isReady = members.contains { $0.state?.isConnected == true }
    var leases: [Count]?
    if isReady { leases = try counts(place, until: deadline) }
    if json { showJSON(members, leases) } else { showTables(members, leases) }
    guard isReady else {
      throw Failure(
        "no member is part of a majority: no address can be given",
        hint: "more than half of the members must run and reach each other")
    }
  }

  private var place: AddressDatabase {
    get throws {
      guard let network else {
        return try database.map { try AddressDatabase($0) } ?? AddressDatabase()
      }
      guard let found = try options.network(network).addressDatabases().first else {
        throw Failure(
          "network \"\(network)\" has no plugin with \"ipam\": {\"type\": \"cluster\"}",
          hint: "--database names the members, whatever the configuration says")
      }
      return AddressDatabase(found)
    }
  }

  /// One member, as it says of itself.
  private struct Member {
    let endpoint: Endpoint
    var state: (model: String, isConnected: Bool, isLeader: Bool)?
    var reason = ""

    init(_ endpoint: Endpoint, until deadline: Deadline) {
      self.endpoint = endpoint
      var question = DatabaseTransaction<ServerDatabase>()
      let rows = question.select(
        from: .database, where: [.equal(.name, LeaseSchema.name)],
        .columns(.model, .isConnected, .isLeader))
      do throws(OVSDBError) {
        let connection = try DatabaseConnection<ServerDatabase>(endpoint, until: deadline)
        if let row = try connection.transact(question, until: deadline)[rows].first {
          state = (row[.model], row[.isConnected], row[.isLeader])
        } else {
          reason = "it has no database \(LeaseSchema.name)"
        }
      } catch { reason = error.description }
    }

    var text: String {
      guard let state else { return reason }
      guard state.isConnected else { return "not part of a majority" }
      switch state.model {
      case "clustered": return state.isLeader ? "leads" : "follows"
      case "relay": return "relay"
      default: return "alone"
      }
    }
  }

  /// What one host has of one network.
  private struct Count {
    let network: String
    let host: String
    let leases: Int
  }

  private func counts(_ place: AddressDatabase, until deadline: Deadline) throws -> [Count] {
    var reading = place.leases(of: network ?? "", until: deadline)
    let all: [ClusterLease]
    do throws(ClusterError) {
      all = network == nil ? try reading.allLeases() : try reading.leases()
    } catch { throw Failure("cannot read the leases: \(error)") }
    var counts: [String: [String: Int]] = [:]
    for lease in all {
      counts[lease.holder.network, default: [:]][lease.holder.host, default: 0] += 1
    }
    return counts.sorted { $0.key < $1.key }.flatMap { network, hosts in
      hosts.sorted { $0.key < $1.key }.map { host, leases in
        Count(network: network, host: host, leases: leases)
      }
    }
  }

  private func showTables(_ members: [Member], _ counts: [Count]?) {
    var table = Table(["MEMBER", "STATE"], endsInProse: true)
    for member in members { table.add([member.endpoint.description, member.text]) }
    show(table.text())
    guard let counts else { return }
    show("")
    if counts.isEmpty { return show("no leases") }
    var leases = Table(["NETWORK", "HOST", "LEASES"])
    for count in counts { leases.add([count.network, count.host, "\(count.leases)"]) }
    show(leases.text())
  }

  private func showJSON(_ members: [Member], _ counts: [Count]?) {
    let members = members.map { member in
      JSONValue.object([
        ("endpoint", .string(member.endpoint.description)),
        ("model", member.state.map { .string($0.model) }),
        ("connected", .bool(member.state?.isConnected ?? false)),
        ("leader", .bool(member.state?.isLeader ?? false)),
        ("problem", member.reason.isEmpty ? nil : .string(member.reason)),
      ])
    }
    let leases = counts?.map { count in
      JSONValue.object([
        ("network", .string(count.network)), ("host", .string(count.host)),
        ("leases", .integer(Int64(count.leases))),
      ])
    }
    let document = JSONValue.object([
      ("members", .array(members)), ("leases", leases.map { .array($0) }),
    ])
    show(document)
  }
}
