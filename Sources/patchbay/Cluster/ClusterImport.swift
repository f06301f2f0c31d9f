import Addresses
import ArgumentParser
import CNI
import CNIRuntime
import JSON
import LeaseDatabase
import LeaseFiles
import Linux
import OVSDB
import OpenVSwitch
import PluginConfigurations
import PluginCore

/// `patchbay cluster import`
struct ClusterImport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Take the leases of this host's host-local into the database.",
    usage: "patchbay cluster import <network> [--dry-run] [<options>]",
    discussion: """
      A network moves in three steps. On every host: import while its configuration still says \
      host-local; the leases are copied, so that no other host gives these addresses. Then change \
      the configuration to cluster. Then import on every host again: what is left is moved, the \
      files are removed, and the rows of Open vSwitch say from now on that cluster frees the \
      addresses. To repeat it does no harm.

      The exit status is 1 where an address is another's by now; that attachment keeps working, \
      and has to be made again.

      Examples:
        patchbay cluster import lab --database tcp:192.0.2.1:6650,tcp:192.0.2.2:6650
        patchbay cluster import lab --dry-run
      """)

  @Argument(help: "The network's name.", completion: .networks)
  var network: String

  @Option(
    help: ArgumentHelp(
      "The members, where the configuration does not name them.", valueName: "endpoints"))
  var database: String?

  @Option(
    name: .customLong("data-dir"),
    help: ArgumentHelp(
      "Directory of host-local's leases, where the configuration does not name it.",
      valueName: "dir"),
    completion: .directory)
  var dataDirectory: String?

  @Flag(name: [.customShort("n"), .customLong("dry-run")], help: "Only say what would be taken.")
  var isDryRun = false

  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  func run() throws {
    let list = try options.network(network)
    let configured = try list.addressDatabases().first
    let place = try self.place(configured)
    let location = LeaseLocation(dataDirectory: directory(list), network: network)
    let attachments = try held(at: location)
    guard !isDryRun else {
      for (holder, addresses) in attachments { tell("would take", holder, addresses) }
      return
    }
    var failures: [String] = []
    var moved: [LeaseHolder] = []
    for (holder, addresses) in attachments {
      let others = try take(addresses, for: holder, place)
      for (address, other) in others.sorted(by: { $0.key < $1.key }) {
        failures.append("\(address) of \(holder) is another's by now: \(other)")
      }
      tell("took", holder, addresses.filter { others[$0] == nil })
      if others.isEmpty { moved.append(holder) }
    }
    if configured != nil { failures += settle(moved, list, location) }
    show(
      "\(moved.count) of \(attachments.count) attachments "
        + (configured == nil
          ? "are in the database; change \"type\" to \"cluster\", then import again"
          : "were moved into the database"))
    guard failures.isEmpty else { throw Failure(failures.joined(separator: "\n")) }
  }

  private func place(_ configured: ClusterConfiguration?) throws -> AddressDatabase {
    if let database { return try AddressDatabase(database, host: configured?.host) }
    if let configured { return AddressDatabase(configured) }
    return AddressDatabase()
  }

  private func directory(_ list: NetworkList) -> String {
    let configured = list.configurations(ofIPAM: "host-local").lazy.compactMap {
      $0[PluginMember.ipam][HostLocalConfiguration.Member.dataDir].value?.text
    }.first { !$0.isEmpty }
    return dataDirectory ?? configured ?? HostLocalConfiguration.defaultDataDirectory
  }

  /// The attachments that have leases. Of a file of the old form it is the container as a whole,
  /// whose first DEL frees the address.
  private func held(at location: LeaseLocation) throws -> [(LeaseHolder, [IPAddress])] {
    let entries: [LeaseEntry]
    do throws(SystemError) { entries = try LeaseList.entries(at: location) } catch {
      throw Failure("cannot read the leases in \(location.path): \(error)")
    }
    var attachments: [(LeaseHolder, [IPAddress])] = []
    for entry in entries where entry.state == .held {
      guard let holder = entry.holder else { continue }
      if let index = attachments.firstIndex(where: { $0.0 == holder }) {
        attachments[index].1.append(entry.address)
      } else {
        attachments.append((holder, [entry.address]))
      }
    }
    return attachments
  }

  private func tell(_ what: String, _ holder: LeaseHolder, _ addresses: [IPAddress]) {
    guard !addresses.isEmpty else { return }
    let list = addresses.map(\.description).joined(separator: ", ")
    show("\(what) \(list) of \(holder)".controlCharactersEscaped)
  }

  private func take(
    _ addresses: [IPAddress], for holder: LeaseHolder, _ place: AddressDatabase
  ) throws -> [IPAddress: String] {
    do throws(ClusterError) {
      var leases = place.leases(
        of: network, (holder.containerID, holder.interfaceName ?? ""), takesAddresses: true,
        until: .after(.seconds(options.timeout)))
      return try leases.take(addresses)
    } catch { throw Failure("cannot take the leases of \(holder): \(error)") }
  }

  // MARK: - Once the configuration says so

  /// Removes the files of what was taken, and has the rows of Open vSwitch say who frees the
  /// addresses. Returns what could not be done.
  private func settle(_ moved: [LeaseHolder], _ list: NetworkList, _ location: LeaseLocation)
    -> [String]
  {
    var failures: [String] = []
    let deadline = Deadline.after(.seconds(options.timeout))
    // The rows come first: while a file is there, the next import does this again.
    for json in list.configurations(ofIPAM: "cluster") {
      guard let ipam = RememberedIPAM(json[PluginMember.ipam]) else { continue }
      let text = json[OVSBridgeConfiguration.PortMember.socketFile].value?.text ?? ""
      do throws(OVSDBError) {
        let endpoint = text.isEmpty ? Endpoint.standard : try Endpoint(text)
        try remember(ipam, for: moved, at: endpoint, until: deadline)
      } catch { failures.append("cannot change the rows of Open vSwitch: \(error)") }
    }
    guard failures.isEmpty, !moved.isEmpty else { return failures }
    do throws(LeaseError) {
      guard
        var directory = try LeaseDirectory.open(
          location, for: .releasing, reclaims: true, until: deadline)
      else { return failures }
      for holder in moved { _ = try directory.releaseAll(of: holder) }
      directory.commit()
    } catch { failures.append("cannot remove the leases in \(location.path): \(error)") }
    return failures
  }

  /// Has the rows of these attachments that remember host-local remember `ipam`.
  private func remember(
    _ ipam: RememberedIPAM, for moved: [LeaseHolder], at endpoint: Endpoint,
    until deadline: Deadline
  ) throws(OVSDBError) {
    let key = AttachmentRecord.Key.ipam
    let connection = try Connection(endpoint, until: deadline)
    var question = Transaction()
    let ports = question.select(
      from: .port, where: [.includes(.externalIDs, AttachmentRecord.mark(of: network))],
      .columns(.externalIDs))
    var change = Transaction()
    for row in try connection.transact(question, until: deadline)[ports] {
      guard let record = AttachmentRecord(externalIDs: { row[.externalIDs][$0] }),
        let old = record.ipam, old.type == "host-local",
        moved.contains(where: {
          $0.covers(
            LeaseHolder(
              containerID: record.attachment.containerID,
              interfaceName: record.attachment.interfaceName))
        })
      else { continue }
      var pairs = record.key.externalIDs
      pairs[key] = old.text
      change.mutate(
        .port, where: [.includes(.externalIDs, pairs)],
        [.delete(keys: [key], from: .externalIDs), .insert([key: ipam.text], into: .externalIDs)])
      change.mutate(
        .interface, where: [.includes(.externalIDs, pairs)],
        [.delete(keys: [key], from: .externalIDs), .insert([key: ipam.text], into: .externalIDs)])
    }
    if !change.operations.isEmpty { _ = try connection.transact(change, until: deadline) }
  }
}
