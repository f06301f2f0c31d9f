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
    abstract: "List the addresses that host-local has leased, and how full its ranges are.",
    discussion: """
      Who has which address since when, what is reserved, and what is stale: left from before the \
      machine was started, or torn. Nothing is changed or locked. The reference plugin's leases \
      are shown as well.

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
    let configurations = try dataDirectory == nil ? self.configurations() : []
    let directory =
      dataDirectory ?? configurations.first?.dataDirectory ?? LeaseLocation.defaultDataDirectory
    var picture = LeasePicture(
      LeaseLocation(dataDirectory: directory, network: network), configurations)
    do throws(SystemError) { try picture.read() } catch {
      throw Failure(
        "cannot read the leases in \(picture.location.path): \(error)")
    }
    show(
      json
        ? String(decoding: picture.json.encoded(indentedBy: 2), as: UTF8.self)
        : picture.text(isWhole: isWhole))
  }

  /// What the network's plugins say to host-local; mostly it is one.
  private func configurations() throws -> [HostLocalConfiguration] {
    let list = try options.network(network)
    let plugins = list.plugins.filter { $0.json["ipam"]?["type"] == "host-local" }
    guard !plugins.isEmpty else {
      throw Failure(
        "network \"\(network)\" has no plugin with \"ipam\": {\"type\": \"host-local\"}",
        hint: "--data-dir shows the leases of a directory, whatever the configuration says")
    }
    return try plugins.map { plugin in
      var object = plugin.json
      object["name"] = .string(list.name)
      object["cniVersion"] = .string(list.version)
      let json = JSONCursor(.object(object))
      do throws(JSONDecodingError) {
        let needsRuntime = json["ipam"]["ranges"].isAbsent && json["ipam"]["subnet"].isAbsent
        return needsRuntime
          ? HostLocalConfiguration(forReleasing: json) : try HostLocalConfiguration(json)
      } catch { throw Failure("network \"\(network)\": \(error.description)") }
    }
  }
}
