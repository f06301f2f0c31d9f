import Addresses
import CNI
import IPAM
import IPAMPlugin
import JSON
import LeaseFiles
import Linux
import PluginConfigurations
import PluginCore

/// The IPAM plugin `host-local`: addresses from ranges, kept in files on this host.
@main
enum HostLocal: Plugin {
  static let name = "host-local"

  static func configuration(_ request: Request) throws(JSONDecodingError)
    -> HostLocalConfiguration
  {
    switch request.invocation.command {
    case .del, .gc: HostLocalConfiguration(forReleasing: request.network.json)
    case .add, .check, .status, .version:
      try HostLocalConfiguration(request.network.json, for: request.invocation.command)
    }
  }

  static func add(
    _ request: Request, _ configuration: HostLocalConfiguration, _ context: Context
  ) throws(CNIError) -> AttachmentResult {
    let preferences = try AddressPreferences(request, configuration)
    var result = AttachmentResult()
    result.routes = configuration.routes
    if let path = configuration.resolverFile { result.dns = try DNS(resolverFile: path) }
    result.addresses = try lease(request, configuration, preferences, context).map {
      AttachmentResult.Address($0.prefix, gateway: $0.range.gateway)
    }
    return result
  }

  /// Leases one address of each range set, or none at all.
  private static func lease(
    _ request: Request, _ configuration: HostLocalConfiguration,
    _ preferences: AddressPreferences, _ context: Context
  ) throws(CNIError) -> [AddressChoice] {
    let outcome: Result<[AddressChoice], AllocationFailure>
    do throws(LeaseError) {
      guard let directory = try open(request, configuration, for: .leasing, context) else {
        return []
      }
      var leases = FileLeases(directory, of: LeaseHolder(request.attachment))
      outcome = try Allocation.make(configuration, preferences, in: &leases)
      leases.directory.commit()
      log(leases.directory.notes, context)
    } catch { throw CNIError(error, "cannot lease an address", request, configuration) }
    switch outcome {
    case .success(let choices): return choices
    case .failure(let failure): throw CNIError(failure)
    }
  }

  static func del(
    _ request: Request, _ configuration: HostLocalConfiguration, _ context: Context
  ) throws(CNIError) {
    do throws(LeaseError) {
      guard var store = try open(request, configuration, for: .releasing, context) else { return }
      let released = try store.releaseAll(of: LeaseHolder(request.attachment))
      store.commit()
      log(store.notes, context)
      context.log.write(.debug, "released: \(Allocation.list(released))")
    } catch { throw CNIError(error, "cannot release the addresses", request, configuration) }
  }

  static func gc(
    _ request: Request, _ configuration: HostLocalConfiguration, _ context: Context
  ) throws(CNIError) {
    guard let valid = request.network.validAttachments else { return }
    do throws(LeaseError) {
      guard var store = try open(request, configuration, for: .releasing, context) else { return }
      try store.releaseAll(but: Set(valid.map { LeaseHolder($0) }))
      log(store.notes, context)
    } catch {
      throw CNIError(
        error, "cannot release the addresses of attachments that are gone", request, configuration)
    }
  }

  // MARK: - Leases

  static func open(
    _ request: Request, _ configuration: HostLocalConfiguration, for access: LeaseDirectory.Access,
    _ context: Context
  ) throws(LeaseError) -> LeaseDirectory? {
    let location = LeaseLocation(
      dataDirectory: configuration.dataDirectory, network: request.network.name)
    return try .open(
      location, for: access, reclaims: configuration.reclaimsAfterReboot, until: context.deadline)
  }

  static func log(_ notes: [String], _ context: Context) {
    for note in notes { context.log.write(.warning, note) }
  }
}

extension LeaseHolder {
  /// As an attachment of this day.
  init(_ attachment: Attachment) {
    self.init(
      containerID: attachment.containerID, interfaceName: attachment.interfaceName)
  }
}

extension CNIError {
  /// Leases that cannot be read or changed.
  init(
    _ error: LeaseError, _ attempt: String, _ request: Request,
    _ configuration: HostLocalConfiguration
  ) {
    let location = LeaseLocation(
      dataDirectory: configuration.dataDirectory, network: request.network.name)
    switch error {
    case .lock(.held), .unstable:
      self.init(.tryAgainLater, attempt, details: error.description)
    case .system(let failure):
      // The reference plugin makes the directory in every command.
      let message = location.path.firstPartThatIsNoDirectory.map { failure.text(of: "mkdir", $0) }
      self.init(.ioFailure, message ?? attempt, details: error.description)
    case .lock: self.init(.ioFailure, attempt, details: error.description)
    }
  }
}

extension String {
  /// Of a path the shortest one above it, or itself, that is not there or is no directory.
  fileprivate var firstPartThatIsNoDirectory: String? {
    var end = startIndex
    while end < endIndex {
      end = self[index(after: end)...].firstIndex(of: "/") ?? endIndex
      let part = String(self[..<end])
      do throws(SystemError) {
        guard try FileStatus(path: part).kind == .directory else { return part }
      } catch { return part }
    }
    return nil
  }
}
