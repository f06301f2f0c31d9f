import Addresses
import CNI
import IPAM
import IPAMPlugin
import JSON
import LeaseDatabase
import Linux
import OVSDB
import PluginConfigurations
import PluginCore

/// What a command works with: the database, and who asks.
struct ClusterPlan {
  let configuration: ClusterConfiguration

  init(_ request: Request) throws(JSONDecodingError) {
    let json = request.network.json
    switch request.invocation.command {
    case .del, .gc: configuration = try ClusterConfiguration(forReleasing: json)
    case .add, .check, .status, .version:
      configuration = try ClusterConfiguration(json, for: request.invocation.command)
    }
  }
}

/// The IPAM plugin `cluster`: addresses from ranges, kept in a database for all hosts.
@main
enum Cluster: Plugin {
  static let name = "cluster"

  static func configuration(_ request: Request) throws(JSONDecodingError) -> ClusterPlan {
    try ClusterPlan(request)
  }

  static func add(_ request: Request, _ plan: ClusterPlan, _ context: Context) throws(CNIError)
    -> AttachmentResult
  {
    let configuration = plan.configuration.addresses
    let preferences = try AddressPreferences(request, configuration)
    var result = AttachmentResult()
    result.routes = configuration.routes
    if let path = configuration.resolverFile { result.dns = try DNS(resolverFile: path) }
    let outcome: Result<[AddressChoice], AllocationFailure>
    do throws(ClusterError) {
      var leases = try leases(request, plan, context)
      outcome = try Allocation.make(configuration, preferences, in: &leases)
    } catch { throw CNIError(error, "cannot lease an address") }
    switch outcome {
    case .success(let choices):
      result.addresses = choices.map {
        AttachmentResult.Address($0.prefix, gateway: $0.range.gateway)
      }
      return result
    case .failure(let failure): throw CNIError(failure)
    }
  }

  static func del(_ request: Request, _ plan: ClusterPlan, _ context: Context) throws(CNIError) {
    do throws(ClusterError) {
      var leases = try leases(request, plan, context)
      try leases.releaseAll()
    } catch { throw CNIError(error, "cannot release the addresses") }
  }

  static func check(_ request: Request, _ plan: ClusterPlan, _ context: Context) throws(CNIError) {
    let held: [IPAddress]
    do throws(ClusterError) {
      var leases = try leases(request, plan, context)
      held = try leases.leased()
    } catch { throw CNIError(error, "cannot read the leases") }
    let id = request.invocation.containerID
    guard !held.isEmpty else {
      throw CNIError(
        .internalFailure, "cluster: Failed to find address added by container \(id)",
        details: "interface \(request.invocation.interfaceName), network \(request.network.name)")
    }
    let previous = (request.network.previousResult?.addresses ?? []).map { $0.address.address }
    if let mismatch = Allocation.mismatch(
      leased: held, reported: previous, plan.configuration.addresses)
    {
      throw CNIError(
        .internalFailure,
        "cluster: the addresses of prevResult are not those leased to container \(id)",
        details: mismatch)
    }
  }

  static func gc(_ request: Request, _ plan: ClusterPlan, _ context: Context) throws(CNIError) {
    guard let valid = request.network.validAttachments else { return }
    do throws(ClusterError) {
      var leases = try leases(request, plan, context)
      let holders = valid.map { holder(leases.host.name, request, $0) }
      let freed = try leases.collect(
        keeping: Set(holders), grace: Int64(request.network.timeout))
      context.log.write(.debug, "released: \(Allocation.list(freed))")
    } catch {
      throw CNIError(error, "cannot release the addresses of attachments that are gone")
    }
  }

  static func status(_ request: Request, _ plan: ClusterPlan, _ context: Context) throws(CNIError) {
    if let path = plan.configuration.addresses.resolverFile {
      _ = try DNS(resolverFile: path, .notAvailable)
    }
    let full: [RangeSet]
    do throws(ClusterError) {
      var leases = try leases(request, plan, context)
      full = try leases.exhaustedSets(of: plan.configuration.addresses)
    } catch {
      throw CNIError(
        .notAvailable, "the database of addresses is not available", details: error.description)
    }
    guard full.isEmpty else {
      throw CNIError(
        .notAvailable,
        "no IP addresses available in range set: \(full.map { $0.text }.joined(separator: "; "))",
        details: full.map { "\($0.path): every address that may be given is leased" }
          .joined(separator: "; "))
    }
  }

  // MARK: - Leases

  private static func leases(_ request: Request, _ plan: ClusterPlan, _ context: Context)
    throws(ClusterError) -> DatabaseLeases
  {
    let host = ClusterHost.this(named: plan.configuration.host)
    return DatabaseLeases(
      plan.configuration.database, host, holder(host.name, request, request.attachment),
      sets: plan.configuration.addresses.sets,
      reclaims: plan.configuration.addresses.reclaimsAfterReboot,
      takesAddresses: [.add, .status].contains(request.invocation.command),
      until: context.deadline)
  }

  private static func holder(_ host: String, _ request: Request, _ attachment: Attachment)
    -> ClusterHolder
  {
    ClusterHolder(
      host: host, network: request.network.name, containerID: attachment.containerID,
      interfaceName: attachment.interfaceName)
  }
}

extension CNIError {
  /// Leases that cannot be read or changed.
  init(_ error: ClusterError, _ attempt: String) {
    let code: Code =
      switch error {
      case .nameTaken: .invalidConfiguration
      case .database, .overtaken, .tooManyAddresses:
        error.isTransient ? .tryAgainLater : .internalFailure
      }
    self.init(code, attempt, details: error.description)
  }
}
