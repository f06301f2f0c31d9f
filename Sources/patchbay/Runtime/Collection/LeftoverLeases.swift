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

  /// When a lease must have been made to be left over: nanoseconds since 1970-01-01T00:00:00Z.
  static var newest: Int64 { Clock.nanosecondsSinceEpoch - longestADD.nanoseconds }

  /// Those beside the attachments that are known.
  func leases(beside known: Set<Attachment>) -> [StaleAttachment] {
    var stale: [StaleAttachment] = []
    for plugin in list.plugins where plugin.type == "ovs-bridge" || plugin.type == "ovn" {
      guard failures.isEmpty else { break }
      let entries: [LeaseEntry]
      switch plugin.json[PluginMember.ipam]?[IPAMMember.type]?.text {
      case "host-local":
        let location = LeaseLocation(of: plugin.json, network: list.name)
        do { entries = try LeaseList.entries(at: location) } catch {
          failures.append(.survey("cannot read the leases in \(location.path): \(error)"))
          continue
        }
      case "cluster":
        do { entries = try list.ownLeases(until: .after(.seconds(10))) } catch {
          failures.append(.survey("\(error)"))
          continue
        }
      default: continue
      }
      for entry in entries { add(entry, beside: known, to: &stale) }
    }
    return stale
  }

  /// The attachment that has a lease from before `newest` or from an earlier boot; nil for a newer
  /// one, which may be of an ADD that has not ended, and for one of a whole container.
  static func attachment(of entry: LeaseEntry, before newest: Int64) -> Attachment? {
    guard entry.state == .held || entry.state == .stale, let holder = entry.holder,
      let interfaceName = holder.interfaceName,
      entry.state == .stale || entry.since.map({ $0 < newest }) ?? false
    else { return nil }
    return Attachment(containerID: holder.containerID, interfaceName: interfaceName)
  }

  private func add(
    _ entry: LeaseEntry, beside known: Set<Attachment>, to stale: inout [StaleAttachment]
  ) {
    guard let attachment = Self.attachment(of: entry, before: Self.newest),
      !known.contains(attachment), !(valid ?? []).contains(attachment),
      !stale.contains(where: { $0.parameters.attachment == attachment })
    else { return }
    stale.append(
      StaleAttachment(
        AttachmentParameters(attachment, sandboxPath: ""),
        reason: "\(entry.address) is leased, and there is no port"))
  }
}

extension LeaseLocation {
  /// Where the plugin of this configuration, whose IPAM is host-local, keeps those of `network`.
  init(of plugin: JSONObject, network: String) {
    let text = plugin[PluginMember.ipam]?[HostLocalConfiguration.Member.dataDir]?.text ?? ""
    self.init(
      dataDirectory: text.isEmpty ? HostLocalConfiguration.defaultDataDirectory : text,
      network: network)
  }
}

extension NetworkList {
  /// What this host has in the databases of the network.
  func ownLeases(until deadline: Deadline) throws -> [LeaseEntry] {
    try addressDatabases().flatMap { configuration in
      let database = AddressDatabase(configuration)
      var reading = database.leases(of: name, until: deadline)
      return try reading.leases(ofHost: database.host.name).map {
        LeaseEntry($0, on: database.host)
      }
    }
  }
}
