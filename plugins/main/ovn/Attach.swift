import AttachmentPlugin
import Attachments
import CNI
import JSON
import Linux
import PluginCore

extension OVN {
  /// ADD: the container end in the sandbox, the host end a port of the integration bridge, the
  /// logical port bound to it, and all at work.
  static func add(_ request: Request, _ plan: OVNPlan, _ context: Context) throws(CNIError)
    -> AttachmentResult
  {
    let context = patient(request, context)
    let sandbox = try Sandbox.open(request.invocation)
    let exclusion = try Exclusion(request, context)
    do throws(AttachmentError) {
      return try add(request, plan, in: sandbox, exclusion, context)
    } catch { throw CNIError(error) }
  }

  /// Nothing is made before everything that can be refused has been refused.
  private static func add(
    _ request: Request, _ plan: OVNPlan, in sandbox: borrowing NetworkNamespace,
    _ exclusion: borrowing Exclusion, _ context: Context
  ) throws(AttachmentError) -> AttachmentResult {
    let ipam = IPAMAddition()
    ipam.prepare(request, plan.port)
    let chassis = try Chassis(plan.port, context)
    let logical = LogicalPortPlan(plan.port, plan.configuration, on: chassis, context)
    let sized = try logical.completing(plan.port.withMTU(of: chassis, context))
    let survey = try Survey(sized, after: request.network.previousResult, in: sandbox, context)
    let switches = try LogicalPortSurvey(logical, sized, context)
    let plan = try switches.completing(sized)
    try survey.requireHostShield(context)
    try Rates.prepare(plan, survey, context)
    var rollback = Rollback(context.log)
    try ipam.begin(request, plan, survey.leasedAddresses, context, &rollback)
    var result = AttachmentResult()
    if !plan.needsWire { result = try ipam.addresses(request, context) }
    result.addresses += switches.addresses
    try plan.requireConfigurable(result)
    let end = try ContainerEnd(plan, result.addresses, in: sandbox)
    let link = try ContainerLink(plan, end, survey, in: sandbox, context, &rollback)
    // Before the other database is asked: by its answer ovs-vswitchd has heard of the link in any
    // case.
    try link.settle(plan, context)
    let logicalPort = try LogicalPort.make(switches, link, result.addresses, context, &rollback)
    let remembered = RememberedIPAM(request.network.json[PluginMember.ipam])
    let port = try SwitchPort(
      end, link, plan, survey, result.addresses, remembering: remembered,
      switches.externalIDs, nil, context, &rollback)
    try link.configure(plan, result, port, in: sandbox, context)
    try port.waitUntilForwarding(link, context)
    try logicalPort.waitUntilInstalled(plan, context)
    if plan.needsWire {
      result = try ipam.addresses(request, context)
      try plan.requireConfigurable(result)
      try logicalPort.complete(link, result.addresses)
      try port.complete(
        link, plan, result.addresses, remembering: remembered, switches.externalIDs, nil, context,
        &rollback)
      try link.configure(plan, result, port, in: sandbox, context)
    }
    try Promiscuity.make(link, plan, context)
    try Rates.require(link, port, plan, context)
    link.announce(result, context)
    rollback.disarm()
    survey.removeLostPorts(context)
    return AttachmentResult(request, plan, link, result)
  }
}
