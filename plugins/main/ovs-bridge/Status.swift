import Attachments
import CNI
import PluginCore

extension OVSBridge {
  /// STATUS: whether ADD could succeed now. Code 50 says that it could not; 51, that attachments
  /// that exist suffer, too.
  static func status(_ request: Request, _ plan: Plan, _ context: Context) throws(CNIError) {
    let ipam = try startIPAM(request, context)
    do throws(AttachmentError) {
      try SwitchPort.require(plan, context)
      try HostShield.requireForStatus(context)
      try Gateway.require(plan, context)
      try Masquerading.require(plan, context)
      try GatewayIsolation.require(plan, context)
    } catch { throw CNIError(error) }
    try finish(ipam, context)
  }

  /// A delegate that is not there means that ADD cannot succeed.
  private static func startIPAM(_ request: Request, _ context: Context) throws(CNIError)
    -> Delegate?
  {
    do throws(CNIError) {
      return try Delegate.ipam(for: request, .status, until: context.deadline)
    } catch {
      throw CNIError(.notAvailable, error.message, details: error.details)
    }
  }

  private static func finish(_ ipam: consuming Delegate?, _ context: Context) throws(CNIError) {
    guard let ipam else { return }
    do throws(CNIError) { try ipam.finish(.status, until: context.deadline) } catch {
      let isStatus = error.code == .notAvailable || error.code == .limitedConnectivity
      throw CNIError(
        isStatus ? error.code : .notAvailable, error.message, details: error.details)
    }
  }
}
