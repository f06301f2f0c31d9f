import AttachmentPlugin
import Attachments
import CNI
import Linux
import PluginCore

extension OVN {
  /// CHECK: everything that ADD made, compared with the kernel and both databases. It changes
  /// nothing.
  static func check(_ request: Request, _ plan: OVNPlan, _ context: Context) throws(CNIError) {
    let context = patient(request, context)
    let sandbox = try Sandbox.open(request.invocation)
    let exclusion = try Exclusion(request, context)
    let ipam = try Delegate.ipam(for: request, .check, until: context.deadline)
    do throws(AttachmentError) {
      try compare(request, plan, in: sandbox, exclusion, context)
    } catch { throw CNIError(error) }
    if let ipam { try ipam.finish(.check, until: context.deadline) }
  }

  private static func compare(
    _ request: Request, _ plan: OVNPlan, in sandbox: borrowing NetworkNamespace,
    _ exclusion: borrowing Exclusion, _ context: Context
  ) throws(AttachmentError) {
    let chassis = try Chassis(plan.port, context)
    let logical = LogicalPortPlan(plan.port, plan.configuration, on: chassis, context)
    let plan = try logical.completing(plan.port.withMTUOfHostEnd(context), context)
    var expected = try Expectation(plan, request.network.previousResult, sandbox: sandbox.path)
    expected.expect(logical.externalIDs)
    var deviations = Deviations()
    let datapath = try SwitchPort.compare(plan, expected, context, &deviations)
    try ContainerLink.compare(plan, expected, datapath, in: sandbox, context, &deviations)
    try Promiscuity.compare(plan, in: sandbox, context, &deviations)
    try LogicalPort.compare(logical, plan, expected, context, &deviations)
    try deviations.throwIfAny(plan)
  }
}
