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
    usage: "patchbay leases [<network>] [--json] [--no-trunc] [<options>]",
    discussion: """
      Who has which address since when, what is reserved, and what is stale: left from before the \
      machine was started, or torn. Nothing is changed or locked. The reference plugin's leases \
      are shown as well. Of a network of cluster, the leases of all hosts. Without a network, each \
      of the directory that has leases is shown.

      Examples:
        patchbay leases
        patchbay leases ovs-1
        patchbay leases ovs-1 --json | jq -r '.leases[].address'
        patchbay leases ovs-1 --data-dir /var/lib/cni/networks
      """)

  @Argument(help: "The network's name; all without one.", completion: .networks)
  var network: String?

  @Option(
    name: .customLong("data-dir"),
    help: ArgumentHelp(
      "Directory of the leases, where the network's configuration is not to be asked.",
      valueName: "dir"),
    completion: .directory)
  var dataDirectory: String?

  @Flag(help: "Print JSON.")
  var json = false

  @Flag(name: .customLong("no-trunc"), help: "Print whole names and container IDs.")
  var isWhole = false

  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  func validate() throws {
    if dataDirectory != nil, network == nil {
      throw ValidationError("--data-dir needs the name of a network")
    }
  }

  func run() throws {
    guard let network else { return try showAll() }
    var picture: LeasePicture
    if let dataDirectory {
      picture = LeasePicture(
        .files(LeaseLocation(dataDirectory: dataDirectory, network: network)), [])
    } else {
      picture = try self.picture(try options.network(network))
    }
    try picture.read(until: .after(.seconds(options.timeout)))
    if json { show(picture.json) } else { show(picture.text(isWhole: isWhole)) }
  }

  private func showAll() throws {
    let every = try EveryNetwork(options.directory)
    var documents: [JSONValue] = []
    var isFirst = true
    defer { if json { show(["networks": .array(documents)]) } }
    try every.forEach { list in
      guard list.hasLeases else { return }
      var picture = try picture(list)
      try picture.read(until: .after(.seconds(options.timeout)))
      if json {
        guard case .object(var object) = picture.json else { return }
        object["network"] = .string(list.name)
        documents.append(.object(object))
        return
      }
      show("\(isFirst ? "" : "\n")network \(list.name)\n\(picture.text(isWhole: isWhole))")
      isFirst = false
    }
  }

  private func picture(_ list: NetworkList) throws -> LeasePicture {
    if let cluster = try list.addressDatabases().first {
      return LeasePicture(
        .database(AddressDatabase(cluster), network: list.name),
        cluster.addresses.sets.isEmpty ? [] : [cluster.addresses])
    }
    let configurations = try self.configurations(list)
    let directory =
      configurations.first?.dataDirectory ?? HostLocalConfiguration.defaultDataDirectory
    return LeasePicture(
      .files(LeaseLocation(dataDirectory: directory, network: list.name)), configurations)
  }

  /// What the network's plugins say to host-local; mostly it is one.
  private func configurations(_ list: NetworkList) throws -> [HostLocalConfiguration] {
    let all = list.configurations(ofIPAM: "host-local")
    guard !all.isEmpty else {
      throw Failure(
        "network \"\(list.name)\" has no plugin with \"ipam\": {\"type\": \"host-local\"} or "
          + "\"cluster\"",
        hint: "--data-dir shows the leases of a directory, whatever the configuration says")
    }
    return try all.map { json in
      do throws(JSONDecodingError) {
        let needsRuntime =
          json[PluginMember.ipam][HostLocalConfiguration.Member.ranges].isAbsent
          && json[PluginMember.ipam][AddressRange.Member.subnet].isAbsent
        return needsRuntime
          ? HostLocalConfiguration(forReleasing: json) : try HostLocalConfiguration(json)
      } catch { throw Failure("network \"\(list.name)\": \(error.description)") }
    }
  }
}

extension NetworkList {
  /// Whether a plugin of it keeps leases that can be listed.
  fileprivate var hasLeases: Bool {
    !configurations(ofIPAM: "host-local").isEmpty || !configurations(ofIPAM: "cluster").isEmpty
  }
}
