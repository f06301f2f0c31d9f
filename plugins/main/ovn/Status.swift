import AttachmentPlugin
import Attachments
import CNI
import PluginCore

extension OVN {
  /// STATUS: whether ADD could succeed now. Code 50 says that it could not; 51, that attachments
  /// that exist suffer, too.
  static func status(_ request: Request, _ plan: OVNPlan, _ context: Context) throws(CNIError) {
    let ipam = try IPAMStatus(request, context)
    do throws(AttachmentError) {
      try SwitchPort.require(plan.port, context)
      try HostShield.requireForStatus(context)
      try Rates.require(plan.port, context)
      try LogicalPort.require(plan.port, plan.configuration, context)
    } catch { throw CNIError(error) }
    try ipam.finish(context)
  }
}
