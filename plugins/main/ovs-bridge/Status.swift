import AttachmentPlugin
import Attachments
import CNI
import PluginCore

extension OVSBridge {
  /// STATUS: whether ADD could succeed now. Code 50 says that it could not; 51, that attachments
  /// that exist suffer, too.
  static func status(_ request: Request, _ plan: Plan, _ context: Context) throws(CNIError) {
    let ipam = try IPAMStatus(request, context)
    do throws(AttachmentError) {
      try SwitchPort.require(plan, context)
      try HostShield.requireForStatus(context)
      try AttachmentGuard.require(plan, context)
      try Rates.require(plan, context)
      try Gateway.require(plan, context)
      try Masquerading.require(plan, context)
      try GatewayIsolation.require(plan, context)
      try Forward.require(plan, context)
    } catch { throw CNIError(error) }
    try ipam.finish(context)
  }
}
