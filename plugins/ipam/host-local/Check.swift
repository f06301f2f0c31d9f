import Addresses
import CNI
import IPAM
import IPAMPlugin
import LeaseFiles
import Linux
import PluginConfigurations
import PluginCore

extension HostLocal {
  /// The attachment has leases, and `prevResult` says the same of them.
  static func check(
    _ request: Request, _ configuration: HostLocalConfiguration, _ context: Context
  ) throws(CNIError) {
    let holder = LeaseHolder(request.attachment)
    var held: [IPAddress] = []
    do throws(LeaseError) {
      if var store = try open(request, configuration, for: .reading, context) {
        for address in try store.addresses(of: holder)
        where store.holder(of: address)?.covers(holder) == true {
          held.append(address)
        }
      }
    } catch { throw CNIError(error, "cannot read the leases", request, configuration) }
    guard !held.isEmpty else {
      throw CNIError(
        .internalFailure,
        "host-local: Failed to find address added by container \(holder.containerID)",
        details: "interface \(request.invocation.interfaceName), "
          + "network \(request.network.name), in \(configuration.dataDirectory)")
    }
    let previous = (request.network.previousResult?.addresses ?? []).map { $0.address.address }
    if let mismatch = Allocation.mismatch(leased: held, reported: previous, configuration) {
      throw CNIError(
        .internalFailure,
        "host-local: the addresses of prevResult are not those leased to "
          + "container \(holder.containerID)", details: mismatch)
    }
  }

  /// An ADD now would find its directory, and an address in every range set.
  static func status(
    _ request: Request, _ configuration: HostLocalConfiguration, _ context: Context
  ) throws(CNIError) {
    let location = LeaseLocation(
      dataDirectory: configuration.dataDirectory, network: request.network.name)
    do throws(SystemError) {
      try Directory.checkRoom(at: Directory.nearest(to: location.path))
    } catch {
      throw CNIError(
        .notAvailable, "cannot keep leases in \(location.path)", details: error.description)
    }
    if let path = configuration.resolverFile { _ = try DNS(resolverFile: path, .notAvailable) }
    let full: [RangeSet]
    do throws(LeaseError) {
      guard let store = try open(request, configuration, for: .reading, context) else { return }
      var leases = FileLeases(store, of: LeaseHolder(request.attachment))
      full = try Allocation.exhaustedSets(of: configuration, in: &leases)
    } catch { throw CNIError(error, "cannot read the leases", request, configuration) }
    guard full.isEmpty else {
      throw CNIError(
        .notAvailable,
        "no IP addresses available in range set: \(full.map { $0.text }.joined(separator: "; "))",
        details: full.map { "\($0.path): every address that may be given is leased" }
          .joined(separator: "; "))
    }
  }
}
