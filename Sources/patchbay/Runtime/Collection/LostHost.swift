import CNIRuntime
import LeaseDatabase
import Linux

/// What a host that is gone has left in the databases that all hosts share.
struct LostHost {
  let name: String
  let network: String
  let isDryRun: Bool

  init(name: String, network: String, _ isDryRun: Bool) {
    self.name = name
    self.network = network
    self.isDryRun = isDryRun
  }

  /// Frees its leases.
  func free(_ options: RuntimeOptions) throws {
    let list = try options.network(network)
    let configurations = try list.addressDatabases()
    guard !configurations.isEmpty else {
      throw Failure(
        "network \"\(network)\" has nothing that hosts share",
        hint: "--host is for networks with \"ipam\": {\"type\": \"cluster\"}")
    }
    for configuration in configurations {
      let database = AddressDatabase(configuration)
      guard database.host.name != name else {
        throw Failure(
          "\"\(name)\" is this host; without --host, gc frees what has no sandbox here")
      }
      var leases = database.leases(of: network, until: .after(.seconds(options.timeout)))
      do throws(ClusterError) {
        let found = isDryRun ? try leases.leases(ofHost: name) : try leases.free(ofHost: name)
        for lease in found {
          show(
            "\(isDryRun ? "would free" : "freed") \(lease.address) of \(lease.holder)"
              .controlCharactersEscaped)
        }
        if found.isEmpty { show("host \"\(name)\" has no leases".controlCharactersEscaped) }
      } catch { throw Failure("cannot free the leases of host \"\(name)\": \(error)") }
    }
  }
}
