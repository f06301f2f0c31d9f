package import Attachments
package import CNI
internal import PluginConfigurations

extension AttachmentResult {
  /// What ADD returns: what earlier plugins of the chain made, then both ends, the gateway, and the
  /// addresses.
  package init(
    _ request: Request, _ plan: Plan, _ link: ContainerLink, _ made: AttachmentResult,
    _ gateway: Interface? = nil
  ) {
    self = request.network.previousResult ?? AttachmentResult()
    let container = interfaces.count + 1
    interfaces += link.interfaces(sandbox: request.invocation.sandboxPath)
    if let gateway { interfaces.append(gateway) }
    addresses += made.addresses.map {
      var address = $0
      address.interface = container
      return address
    }
    routes += made.routes
    if let dns = plan.configuration.dns ?? (made.dns.isEmpty ? nil : made.dns) { self.dns = dns }
  }
}
