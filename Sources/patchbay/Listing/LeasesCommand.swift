import Addresses
import ArgumentParser
import CNI
import CNIRuntime
import JSON
import LeaseFiles
import Linux
import PluginConfigurations

/// `patchbay leases`
struct LeasesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "leases",
    abstract: "List the addresses that host-local or cluster has leased, and how full ranges are.",
    discussion: """
      Who has which address since when, what is reserved, and what is stale: left from before the \
      machine was started, or torn. Nothing is changed or locked. The reference plugin's leases \
      are shown as well. Of a network of cluster, the leases of all hosts.

      Examples:
        patchbay leases ovs-1
        patchbay leases ovs-1 --json | jq -r '.leases[].address'
        patchbay leases ovs-1 --data-dir /var/lib/cni/networks
      """)

  @Argument(help: "The network's name.", completion: .networks)
  var network: String

  @Option(
    name: .customLong("data-dir"),
    help: ArgumentHelp(
      "Directory of the leases, where the network's configuration is not to be asked.",
      valueName: "dir"),
    completion: .directory)
  var dataDirectory: String?

  @Flag(help: "Print JSON.")
  var json = false

  @Flag(name: .customLong("no-trunc"), help: "Print whole container IDs.")
  var isWhole = false

  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  func run() throws {
    var picture = try self.picture
    try picture.read(until: .after(.seconds(options.timeout)))
    show(
      json
        ? String(decoding: picture.json.encoded(indentedBy: 2), as: UTF8.self)
        : picture.text(isWhole: isWhole))
  }

  private var picture: LeasePicture {
    get throws {
      if let dataDirectory {
        return LeasePicture(
          .files(LeaseLocation(dataDirectory: dataDirectory, network: network)), [])
      }
      let list = try options.network(network)
      if let cluster = try list.addressDatabases().first {
        return LeasePicture(
          .database(AddressDatabase(cluster), network: network),
          cluster.addresses.sets.isEmpty ? [] : [cluster.addresses])
      }
      let configurations = try self.configurations(list)
      let directory =
        configurations.first?.dataDirectory ?? HostLocalConfiguration.defaultDataDirectory
      return LeasePicture(
        .files(LeaseLocation(dataDirectory: directory, network: network)), configurations)
    }
  }

  /// What the network's plugins say to host-local; mostly it is one.
  private func configurations(_ list: NetworkList) throws -> [HostLocalConfiguration] {
    let all = list.configurations(ofIPAM: "host-local")
    guard !all.isEmpty else {
      throw Failure(
        "network \"\(network)\" has no plugin with \"ipam\": {\"type\": \"host-local\"} or \"cluster\"",
        hint: "--data-dir shows the leases of a directory, whatever the configuration says")
    }
    return try all.map { json in
      do throws(JSONDecodingError) {
        let needsRuntime = json["ipam"]["ranges"].isAbsent && json["ipam"]["subnet"].isAbsent
        return needsRuntime
          ? HostLocalConfiguration(forReleasing: json) : try HostLocalConfiguration(json)
      } catch { throw Failure("network \"\(network)\": \(error.description)") }
    }
  }
}
