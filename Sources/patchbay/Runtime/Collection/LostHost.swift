import Attachments
import CNIRuntime
import JSON
import LeaseDatabase
import Linux
import OVSDB
import PluginConfigurations

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

  /// Frees its logical ports, then its leases: addresses of a port that is there are not free.
  func free(_ options: RuntimeOptions) throws {
    let list = try options.network(network)
    let places = try list.logicalPortPlaces()
    let databases = try list.addressDatabases().map { AddressDatabase($0) }
    guard !places.isEmpty || !databases.isEmpty else {
      throw Failure(
        "network \"\(network)\" has nothing that hosts share",
        hint: "--host is for networks of \"ovn\", and with \"ipam\": {\"type\": \"cluster\"}")
    }
    guard !places.contains(where: { $0.isHere(name) }),
      !databases.contains(where: { $0.host.name == name })
    else {
      throw Failure("\"\(name)\" is this host; without --host, gc frees what has no sandbox here")
    }
    for place in places { try freePorts(at: place, options) }
    for database in databases { try freeLeases(in: database, options) }
  }

  private func freePorts(at place: LogicalPortPlace, _ options: RuntimeOptions) throws {
    let ports = HostLogicalPorts(
      NorthboundPlace(place.configured.northbound, host: name), network: network,
      until: .after(.seconds(options.timeout)))
    do throws(AttachmentError) {
      let found = isDryRun ? try ports.names() : try ports.remove()
      for port in found { tell("logical port \(port)") }
      if found.isEmpty { tellNone("logical ports") }
    } catch {
      throw Failure(
        "cannot free the logical ports of host \"\(name)\": \(error.message)", hint: error.details)
    }
  }

  private func freeLeases(in database: AddressDatabase, _ options: RuntimeOptions) throws {
    var leases = database.leases(of: network, until: .after(.seconds(options.timeout)))
    do throws(ClusterError) {
      let found = isDryRun ? try leases.leases(ofHost: name) : try leases.free(ofHost: name)
      for lease in found { tell("\(lease.address) of \(lease.holder)") }
      if found.isEmpty { tellNone("leases") }
    } catch { throw Failure("cannot free the leases of host \"\(name)\": \(error)") }
  }

  private func tell(_ what: String) {
    show("\(isDryRun ? "would free" : "freed") \(what)".controlCharactersEscaped)
  }
  private func tellNone(_ what: String) {
    show("host \"\(name)\" has no \(what)".controlCharactersEscaped)
  }
}
