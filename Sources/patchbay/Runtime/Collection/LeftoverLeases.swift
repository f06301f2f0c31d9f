import CNI
import CNIRuntime
import JSON
import LeaseDatabase
import LeaseFiles
import Linux
import PluginConfigurations

/// Leases of attachments that have neither a result nor a port: every attachment of a plugin of
/// this project that is up has a port. Other plugins have none, so of theirs nothing is known.
extension Leftovers {
  /// How old a lease must be to be left over: longer than ADD and its rollback take, after which
  /// there is a port.
  static let longestADD = Duration.seconds(60)

  /// Those beside the attachments that are known.
  func leases(beside known: Set<Attachment>) -> [StaleAttachment] {
    var stale: [StaleAttachment] = []
    for plugin in list.plugins where plugin.type == "ovs-bridge" || plugin.type == "ovn" {
      guard failures.isEmpty else { break }
      let entries: [LeaseEntry]
      switch plugin.json[PluginMember.ipam]?[IPAMMember.type]?.text {
      case "host-local":
        let text =
          plugin.json[PluginMember.ipam]?[HostLocalConfiguration.Member.dataDir]?.text ?? ""
        let location = LeaseLocation(
          dataDirectory: text.isEmpty ? HostLocalConfiguration.defaultDataDirectory : text,
          network: list.name)
        do { entries = try LeaseList.entries(at: location) } catch {
          failures.append(.survey("cannot read the leases in \(location.path): \(error)"))
          continue
        }
      case "cluster":
        do { entries = try ownLeases() } catch {
          failures.append(.survey("\(error)"))
          continue
        }
      default: continue
      }
      for entry in entries { add(entry, beside: known, to: &stale) }
    }
    return stale
  }

  /// What this host has in the databases of the network.
  private func ownLeases() throws -> [LeaseEntry] {
    try list.addressDatabases().flatMap { configuration in
      let database = AddressDatabase(configuration)
      var reading = database.leases(of: list.name, until: .after(.seconds(10)))
      return try reading.leases(ofHost: database.host.name).map {
        LeaseEntry($0, on: database.host)
      }
    }
  }

  private func add(
    _ entry: LeaseEntry, beside known: Set<Attachment>, to stale: inout [StaleAttachment]
  ) {
    let newest = Clock.nanosecondsSinceEpoch - Self.longestADD.nanoseconds
    guard entry.state == .held || entry.state == .stale, let holder = entry.holder,
      let interfaceName = holder.interfaceName,
      entry.state == .stale || entry.since.map({ $0 < newest }) ?? false
    else { return }
    let attachment = Attachment(
      containerID: holder.containerID, interfaceName: interfaceName)
    guard !known.contains(attachment), !(valid ?? []).contains(attachment),
      !stale.contains(where: { $0.parameters.attachment == attachment })
    else { return }
    stale.append(
      StaleAttachment(
        AttachmentParameters(attachment, sandboxPath: ""),
        reason: "\(entry.address) is leased, and there is no port"))
  }
}
