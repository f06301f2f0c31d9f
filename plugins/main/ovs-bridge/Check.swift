import AttachmentPlugin
import Attachments
import CNI
import Linux
import PluginCore

extension OVSBridge {
  /// CHECK: everything that ADD made, compared with the kernel and the database. It changes
  /// nothing.
  static func check(_ request: Request, _ plan: Plan, _ context: Context) throws(CNIError) {
    let sandbox = try Sandbox.open(request.invocation)
    let exclusion = try Exclusion(request, context)
    let ipam = try Delegate.ipam(for: request, .check, until: context.deadline)
    do throws(AttachmentError) {
      try compare(request, plan, in: sandbox, exclusion, context)
    } catch { throw CNIError(error) }
    if let ipam { try ipam.finish(.check, until: context.deadline) }
  }

  private static func compare(
    _ request: Request, _ plan: Plan, in sandbox: borrowing NetworkNamespace,
    _ exclusion: borrowing Exclusion, _ context: Context
  ) throws(AttachmentError) {
    let plan = plan.withMTUOfHostEnd(context)
    var expected = try Expectation(plan, request.network.previousResult, sandbox: sandbox.path)
    expected.expect(Gateway.externalIDs(plan, expected.addresses))
    expected.expect(Masquerading.externalIDs(plan, expected.addresses))
    expected.expect(GatewayIsolation.externalIDs(plan, expected.addresses))
    expected.expect(AttachmentGuard.externalIDs(plan))
    expected.expect(Forward.externalIDs(plan, expected.addresses))
    var deviations = Deviations()
    let datapath = try SwitchPort.compare(plan, expected, context, &deviations)
    try ContainerLink.compare(plan, expected, datapath, in: sandbox, context, &deviations)
    try AttachmentGuard.compare(plan, expected, datapath, context, &deviations)
    try Promiscuity.compare(plan, in: sandbox, context, &deviations)
    try Gateway.compare(plan, expected, context, &deviations)
    try Masquerading.compare(plan, expected, context, &deviations)
    try GatewayIsolation.compare(plan, expected, context, &deviations)
    try Forward.compare(plan, expected, context, &deviations)
    try deviations.throwIfAny(plan)
  }
}
