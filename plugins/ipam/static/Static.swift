import Addresses
import CNI
import JSON
import PluginConfigurations
import PluginCore

/// The IPAM plugin `static`: the addresses that the configuration or the runtime names. It keeps
/// nothing.
@main
enum Static: Plugin {
  static let name = "static"

  static func configuration(_ request: Request) throws(JSONDecodingError) -> StaticConfiguration {
    switch request.invocation.command {
    case .del, .gc: StaticConfiguration()
    case .add, .check, .status, .version:
      try StaticConfiguration(
        request.network.json, request.arguments,
        mayLackIPAM: request.invocation.command == .status)
    }
  }

  static func add(_ request: Request, _ configuration: StaticConfiguration, _ context: Context)
    throws(CNIError) -> AttachmentResult
  {
    var result = AttachmentResult()
    result.addresses = configuration.addresses
    result.routes = configuration.routes
    result.dns = configuration.dns
    return result
  }

  /// Nothing was kept.
  static func del(_ request: Request, _ configuration: StaticConfiguration, _ context: Context)
    throws(CNIError)
  {}

  /// Every address is in `prevResult`, with its gateway.
  static func check(_ request: Request, _ configuration: StaticConfiguration, _ context: Context)
    throws(CNIError)
  {
    do throws(JSONDecodingError) { try request.network.checkUnusedMembers() } catch {
      throw CNIError(error)
    }
    let previous = request.network.previousResult?.addresses ?? []
    for address in configuration.addresses {
      let found = previous.filter { $0.address.address == address.address.address }
      let isAsMade = found.contains {
        $0.address == address.address && (address.gateway == nil || address.gateway == $0.gateway)
      }
      guard !isAsMade else { continue }
      func text(_ address: AttachmentResult.Address) -> String {
        "\(address.address)" + (address.gateway.map { " with gateway \($0)" } ?? "")
      }
      throw CNIError(
        .internalFailure,
        "static: Failed to match addr \(address.address.address) on interface "
          + request.invocation.interfaceName,
        details: "the configuration has \(text(address)); prevResult has "
          + (previous.isEmpty ? "none" : previous.map(text).joined(separator: ", ")))
    }
  }

  /// Nothing was kept.
  static func gc(_ request: Request, _ configuration: StaticConfiguration, _ context: Context)
    throws(CNIError)
  {}

  /// A configuration that can be decoded, and whose addresses an interface can have, is all there
  /// is to it.
  static func status(_ request: Request, _ configuration: StaticConfiguration, _ context: Context)
    throws(CNIError)
  {
    do throws(JSONDecodingError) {
      try StaticConfiguration.requireAssignable(
        request.network.json[PluginMember.ipam][StaticConfiguration.Member.addresses])
    } catch { throw CNIError(error) }
  }
}
