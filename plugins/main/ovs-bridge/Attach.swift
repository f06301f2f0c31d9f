import Addresses
import CNI
import JSON
import Linux
import Netlink
import OVSDB
import OpenVSwitch
import PluginConfigurations
import PluginCore

extension OVSBridge {
  /// ADD: the container end in the sandbox, the host end a port of the bridge, and both at work.
  static func add(_ request: Request, _ plan: Plan, _ context: Context) throws(CNIError)
    -> AttachmentResult
  {
    let sandbox = try Sandbox.open(request.invocation)
    return try add(request, plan, in: sandbox, Exclusion(request, context), context)
  }

  /// Nothing is made before everything that can be refused has been refused.
  ///
  /// Two others work meanwhile: the IPAM plugin, while the veth pair is made; ovs-vswitchd, while the
  /// container end is configured.
  private static func add(
    _ request: Request, _ plan: Plan, in sandbox: borrowing NetworkNamespace,
    _ exclusion: borrowing Exclusion, _ context: Context
  ) throws(CNIError) -> AttachmentResult {
    let plan = try plan.withMTU(context)
    let database = try Database(plan.endpoint, context)
    let survey = database.begin(Survey(plan))
    let links = try LinkSurvey(plan, in: sandbox, context)
    let findings = try database.findings(of: survey)
    let leftovers = try Leftovers(request, plan, links, findings)
    _ = try database.datapath(plan, findings)
    try BridgeName.require(
      plan, isThere: findings.bridge != nil, database.connection, context)
    try findings.gateway?.refuse(plan)
    context.log.write(.debug, "has looked at what is there")
    try HostShield.require(context)
    context.log.write(.debug, "closed host ends to the host")

    var rollback = Rollback(context.log)
    let ipam = try IPAMAddition(request, leftovers, context, &rollback)
    context.log.write(.debug, "started the IPAM plugin")
    var ends = try Ends(plan, in: sandbox, links, replacing: leftovers, context, &rollback)
    context.log.write(.debug, "made the veth pair")
    let addresses = try plan.completed(ipam.addresses(request, context))
    context.log.write(.debug, "has the addresses")
    let gateway = try Gateway(plan, addresses.addresses)?.target(ends.outside, plan, context)
    try plan.requireMTU(for: addresses.addresses)

    do { try ends.chooseMAC(addresses.addresses, until: context.deadline) } catch {
      throw CNIError(error, "cannot read interface \"\(ends.containerName)\"")
    }
    var record = plan.record(
      sandbox: sandbox.path, addresses: addresses.addresses, mac: ends.mac)
    record.began = context.began
    record.ipam = RememberedIPAM(request.network.json["ipam"])
    var externalIDs = record.externalIDs(plan)
    externalIDs[GatewayRow.key] = gateway?.gateway.port.name
    if isMasqueraded(plan, addresses.addresses) { externalIDs[MasqueradeRecord.key] = "true" }
    let port = try database.attach(
      plan, externalIDs, gateway, findings, replacing: leftovers, ends, &rollback)
    context.log.write(.debug, "put the port on its bridge")
    let masquerade = try beginMasquerade(plan, addresses.addresses, &rollback)
    try configure(ends, plan, addresses, port, in: sandbox, context)
    context.log.write(.debug, "configured the container end")
    try database.waitUntilForwarding(port, ends, context)
    context.log.write(.debug, "ovs-vswitchd forwards for the port")
    try plan.rates?.requireQueue(of: ends.host, ends.outside, context)
    let gatewayLink = try bringUp(gateway, database, ends, plan, context, &rollback)
    try finish(masquerade, plan, context)
    let late = try SpanningTree.waitUntilForwarding(plan, request, database.connection, context)
    announce(ends, plan, addresses, late)
    context.log.write(.debug, "announced the addresses")

    rollback.disarm()
    database.removeStalePorts(findings.stale, ends.outside, context.log)
    return result(request, plan, ends, addresses, gatewayLink)
  }

  /// Makes the container end work: settings, addresses, routes, and, where packets go through
  /// userspace, their checksums.
  private static func configure(
    _ ends: Ends, _ plan: Plan, _ result: AttachmentResult, _ port: AttachedPort,
    in sandbox: borrowing NetworkNamespace, _ context: Context
  ) throws(CNIError) {
    let attempt = "cannot configure interface \"\(ends.containerName)\""
    try ContainerSettings(plan, of: ends.containerName, result.addresses)
      .write(in: sandbox, context, attempt)
    do throws(RouteError) {
      if port.datapath == "netdev" {
        try ends.inside.setTransmitChecksumOffload(false, of: ends.containerName)
      }
      try ends.configure(plan, result, until: context.deadline)
      if plan.configuration.enableDAD { try ends.waitForAddresses(until: context.deadline) }
    } catch { throw CNIError(error, attempt) }
  }

  /// Has the kernel tell the neighbours, now that frames arrive: by gratuitous ARP and unsolicited
  /// neighbour advertisement. And marks the container end: everything is done.
  ///
  /// That the kernel refuses is no reason to fail.
  private static func announce(
    _ ends: Ends, _ plan: Plan, _ result: AttachmentResult, _ context: Context
  ) {
    do throws(RouteError) {
      try ends.inside.request(until: context.deadline) {
        if let mac = ends.mac, !result.addresses.isEmpty {
          $0.announceAddresses(of: ends.containerIndex, mac: mac)
        }
        $0.setLink(.index(ends.containerIndex), alias: HostLink.finished)
      }
    } catch { context.log.write(.warning, "cannot announce the addresses: \(error)") }
  }

  /// What ADD answers: what earlier plugins of the chain made, then both ends, the gateway, and the
  /// addresses.
  private static func result(
    _ request: Request, _ plan: Plan, _ ends: Ends, _ addresses: AttachmentResult,
    _ gateway: GatewayLink?
  ) -> AttachmentResult {
    var result = request.network.previousResult ?? AttachmentResult()
    let container = result.interfaces.count + 1
    result.interfaces += [
      .init(
        name: ends.host.name, mac: ends.host.mac?.description, mtu: ends.host.mtu, sandbox: nil),
      .init(
        name: ends.containerName, mac: ends.mac?.description, mtu: ends.host.mtu,
        sandbox: request.invocation.sandboxPath),
    ]
    if let gateway {
      result.interfaces.append(
        .init(name: gateway.name, mac: gateway.mac, mtu: gateway.mtu, sandbox: nil))
    }
    result.addresses += addresses.addresses.map {
      var address = $0
      address.interface = container
      return address
    }
    result.routes += addresses.routes
    if let dns = plan.configuration.dns ?? (addresses.dns.isEmpty ? nil : addresses.dns) {
      result.dns = dns
    }
    return result
  }
}
