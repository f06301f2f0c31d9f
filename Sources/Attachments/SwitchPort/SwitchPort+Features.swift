package import CNI
package import Linux
package import PluginCore

// What other features need of the port: they know nothing of it themselves.

extension ContainerLink {
  /// Makes the container end work: settings, addresses, routes, and, where packets go through
  /// userspace, their checksums.
  package func configure(
    _ plan: Plan, _ result: AttachmentResult, _ port: SwitchPort,
    in sandbox: borrowing NetworkNamespace, _ context: Context
  ) throws(AttachmentError) {
    try configure(plan, result, port.datapath, in: sandbox, context)
  }
}

extension Rates {
  /// Requires that ovs-vswitchd limits what is to be limited.
  package static func require(
    _ link: ContainerLink, _ port: SwitchPort, _ plan: Plan, _ context: Context
  ) throws(AttachmentError) {
    try plan.rates?.require(of: link.host, port.datapath, link.outside, context)
  }
}

extension Gateway {
  /// What the gateway of an attachment is to have, and its link as it is; nil where there is none.
  package static func target(
    _ plan: Plan, _ addresses: [AttachmentResult.Address], _ survey: Survey, _ context: Context
  ) throws(AttachmentError) -> GatewayTarget? {
    try Gateway(plan, addresses)?.target(survey.links.outside, plan, context)
  }

  /// Makes the gateway work, now that ovs-vswitchd has made its port.
  package static func bringUp(
    _ target: GatewayTarget?, _ port: SwitchPort, _ link: ContainerLink, _ plan: Plan,
    _ context: Context, _ rollback: inout Rollback
  ) throws(AttachmentError) -> AttachmentResult.Interface? {
    guard let target else { return nil }
    defer { target.presence.end() }
    let gateway = target.gateway
    let index = try port.database.connection.index(of: gateway.port, until: port.database.deadline)
    let made = try gateway.bringUp(index, link.outside, plan, context, &rollback)
    return .init(name: made.name, mac: made.mac, mtu: made.mtu, sandbox: nil)
  }
}
