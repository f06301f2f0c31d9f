internal import PluginConfigurations
import AttachmentPlugin
import Attachments
import CNI
import JSON
import Linux
import PluginCore

extension OVSBridge {
  /// ADD: the container end in the sandbox, the host end a port of the bridge, and both at work.
  static func add(_ request: Request, _ plan: Plan, _ context: Context) throws(CNIError)
    -> AttachmentResult
  {
    let sandbox = try Sandbox.open(request.invocation)
    let exclusion = try Exclusion(request, context)
    do throws(AttachmentError) {
      return try add(request, plan, in: sandbox, exclusion, context)
    } catch { throw CNIError(error) }
  }

  /// Nothing is made before everything that can be refused has been refused. What takes long is
  /// begun early: the IPAM plugin's process waits for its configuration before there is anything to
  /// ask it, and ovs-vswitchd makes the port while the container end is configured.
  ///
  /// ovs-vswitchd looks at all its ports when it hears of a link, and when it hears of a port:
  /// once, where it hears of both at once. So where it has many, it is told of the port, and the
  /// link is made before it has come round. Elsewhere the link comes first, as it does in any case
  /// where it is to have a guard, or to replace an earlier one.
  private static func add(
    _ request: Request, _ plan: Plan, in sandbox: borrowing NetworkNamespace,
    _ exclusion: borrowing Exclusion, _ context: Context
  ) throws(AttachmentError) -> AttachmentResult {
    let ipam = IPAMAddition()
    let survey = try Survey(
      plan, after: request.network.previousResult, in: sandbox, context,
      meanwhile: { ipam.prepare(request, plan) })
    let plan = plan.withMTU(survey, context)
    try Masquerading.requireProgram(plan)
    try GatewayIsolation.requireProgram(plan)
    try survey.requireHostShield(context)
    try Rates.prepare(plan, survey, context)
    let guarding = try AttachmentGuard.prepare(plan, survey, context)
    var rollback = Rollback(context.log)
    try ipam.begin(request, plan, survey.leasedAddresses, context, &rollback)
    // The IPAM plugin is at work meanwhile.
    let isPortFirst = guarding == nil && survey.isPortFirst
    var result = AttachmentResult()
    if !plan.needsWire { result = try plan.completed(ipam.addresses(request, context)) }
    var target = try Gateway.target(plan, result.addresses, survey, context)
    try plan.requireConfigurable(result)
    let remembered = RememberedIPAM(request.network.json[PluginMember.ipam])
    let end = try ContainerEnd(plan, result.addresses, in: sandbox)
    func attach(_ link: ContainerLink?, _ rollback: inout Rollback)
      throws(AttachmentError) -> SwitchPort
    {
      try SwitchPort(
        end, link, plan, survey, result.addresses, remembering: remembered, marks(plan, result),
        target, context, &rollback)
    }
    let policy = try guarding?.ready(end, plan.needsWire ? nil : result.addresses, plan)
    let early = isPortFirst ? try attach(nil, &rollback) : nil
    let link = try ContainerLink(plan, end, survey, in: sandbox, context, &rollback)
    try AttachmentGuard.begin(guarding, link, plan, survey, context, &rollback)
    try policy?.enforce(on: link, context)
    let port: SwitchPort
    if let early { port = early } else { port = try attach(link, &rollback) }
    try link.settle(plan, context)
    try AttachmentGuard.removeRemains(guarding, plan, context)
    var late = context
    if plan.needsWire {
      try link.configure(plan, result, port, in: sandbox, context)
      try port.waitUntilForwarding(link, context)
      late = try port.waitForSpanningTree(plan, context)
      result = try plan.completed(ipam.addresses(request, late))
      try guarding?.ready(end, result.addresses, plan).enforce(on: link, late)
      try plan.requireConfigurable(result)
      target = try Gateway.target(plan, result.addresses, survey, late)
      try port.complete(
        link, plan, result.addresses, remembering: remembered, marks(plan, result), target, late,
        &rollback)
    }
    let masquerade = try Masquerading.begin(plan, result.addresses, &rollback)
    let isolation = try GatewayIsolation.begin(plan, result.addresses, &rollback)
    try link.configure(plan, result, port, in: sandbox, late)
    try Promiscuity.make(link, plan, late)
    if !plan.needsWire { try port.waitUntilForwarding(link, context) }
    try Rates.require(link, port, plan, late)
    try GatewayIsolation.finish(isolation, late)
    try Forward.open(target, plan, late)
    let gateway = try Gateway.bringUp(target, port, link, plan, late, &rollback)
    try Masquerading.finish(masquerade, plan, late)
    if !plan.needsWire { late = try port.waitForSpanningTree(plan, context) }
    link.announce(result, late)
    rollback.disarm()
    survey.removeLostPorts(late)
    return AttachmentResult(request, plan, link, result, gateway)
  }

  /// What features have in the rows.
  private static func marks(_ plan: Plan, _ result: AttachmentResult) -> [String: String] {
    Gateway.externalIDs(plan, result.addresses)
      .adding(Masquerading.externalIDs(plan, result.addresses))
      .adding(GatewayIsolation.externalIDs(plan, result.addresses))
      .adding(AttachmentGuard.externalIDs(plan))
      .adding(Forward.externalIDs(plan, result.addresses)).externalIDs
  }
}
