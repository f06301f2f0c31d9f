import Addresses
import CNI
import Leases
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
    } catch { throw CNIError(error, "cannot read the leases") }
    guard !held.isEmpty else {
      throw CNIError(
        .internalFailure,
        "host-local: Failed to find address added by container \(holder.containerID)",
        details: "interface \(request.invocation.interfaceName), "
          + "network \(request.network.name), in \(configuration.dataDirectory)")
    }
    let previous = (request.network.previousResult?.addresses ?? []).map { $0.address.address }
    let ours = previous.filter { configuration.place(of: $0.canonical) != nil }.map { $0.canonical }
    let unleased = ours.filter { !held.contains($0) }
    let unreported = held.filter { configuration.place(of: $0) != nil && !ours.contains($0) }
    guard unleased.isEmpty, unreported.isEmpty else {
      throw CNIError(
        .internalFailure,
        "host-local: the addresses of prevResult are not those leased to "
          + "container \(holder.containerID)",
        details: "prevResult has: \(list(previous)); leased are: \(list(held))")
    }
  }

  /// An ADD now would find its directory, and an address in every range set.
  static func status(
    _ request: Request, _ configuration: HostLocalConfiguration, _ context: Context
  ) throws(CNIError) {
    let location = LeaseLocation(
      dataDirectory: configuration.dataDirectory, network: request.network.name)
    do throws(SystemError) { try checkRoom(at: location.path) } catch {
      throw CNIError(
        .notAvailable, "cannot keep leases in \(location.path)", details: error.description)
    }
    if let path = configuration.resolverFile { _ = try resolver(path, .notAvailable) }
    var full: [RangeSet] = []
    do throws(LeaseError) {
      guard var store = try open(request, configuration, for: .reading, context) else { return }
      for set in configuration.sets where try isExhausted(set, &store) { full.append(set) }
    } catch { throw CNIError(error, "cannot read the leases") }
    guard full.isEmpty else {
      throw CNIError(
        .notAvailable,
        "no IP addresses available in range set: \(full.map { $0.text }.joined(separator: "; "))",
        details: full.map { "\($0.path): every address that may be given is leased" }
          .joined(separator: "; "))
    }
  }

  private static func isExhausted(_ set: RangeSet, _ store: inout LeaseStore) throws(LeaseError)
    -> Bool
  {
    for part in set.ranges.flatMap({ $0.open }) {
      if try store.firstFree(in: part, leavingRemembered: false) != nil { return false }
    }
    return true
  }

  /// Whether there is room for a file at `path`, or in the nearest directory above that is there.
  private static func checkRoom(at path: String) throws(SystemError) {
    var directory = path[...]
    while true {
      do throws(SystemError) {
        return try Directory.checkRoom(at: directory.isEmpty ? "/" : String(directory))
      } catch {
        guard error.errno == .noSuchFileOrDirectory, !directory.isEmpty else { throw error }
      }
      guard let slash = directory.lastIndex(of: "/") else {
        return try Directory.checkRoom(at: ".")
      }
      directory = directory[..<slash]
    }
  }
}
