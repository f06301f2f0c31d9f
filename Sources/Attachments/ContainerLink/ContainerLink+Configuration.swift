internal import Addresses
package import CNI
internal import Linux
internal import Netlink
internal import OpenVSwitch
internal import PluginConfigurations
package import PluginCore

extension ContainerLink {
  /// Both ends, as a result has them: the host end, then the container end in `sandbox`.
  package func interfaces(sandbox: String?) -> [AttachmentResult.Interface] {
    [
      .init(name: host.name, mac: host.mac?.description, mtu: host.mtu, sandbox: nil),
      .init(name: containerName, mac: mac.description, mtu: host.mtu, sandbox: sandbox),
    ]
  }

  /// Makes the container end work: settings, addresses, routes, and, where packets go through
  /// userspace, their checksums.
  func configure(
    _ plan: Plan, _ result: AttachmentResult, _ datapath: DatapathType,
    in sandbox: borrowing NetworkNamespace, _ context: Context
  ) throws(AttachmentError) {
    let attempt = "cannot configure interface \"\(containerName)\""
    try ContainerSettings(plan, of: containerName, result.addresses)
      .write(in: sandbox, context, attempt)
    do throws(RouteError) {
      if datapath == .netdev {
        try inside.setTransmitChecksumOffload(false, of: containerName)
      }
      try configure(plan, result, until: context.deadline)
      if plan.configuration.enableDAD { try waitForAddresses(until: context.deadline) }
    } catch { throw AttachmentError(error, attempt) }
    context.log.write(.debug, "configured the container end")
  }

  /// Has the kernel tell the neighbours, now that frames arrive: by gratuitous ARP and unsolicited
  /// neighbour advertisement. And marks the container end: everything is done.
  ///
  /// That the kernel refuses is no reason to fail.
  package func announce(_ result: AttachmentResult, _ context: Context) {
    do throws(RouteError) {
      try inside.request(until: context.deadline) {
        if !result.addresses.isEmpty {
          $0.announceAddresses(of: containerIndex, mac: mac)
        }
        $0.setLink(.index(containerIndex), group: 0)
      }
      context.log.write(.debug, "announced the addresses")
    } catch { context.log.write(.warning, "cannot announce the addresses: \(error)") }
  }
}
