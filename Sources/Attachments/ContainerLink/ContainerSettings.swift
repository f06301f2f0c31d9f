internal import Addresses
internal import CNI
internal import Linux
internal import Netlink
internal import PluginConfigurations
internal import PluginCore

/// What of `/proc/sys/net` of the sandbox is set for the container end, before it is up.
struct ContainerSettings {
  /// What the attachment cannot do without.
  private(set) var needed: [NetworkNamespace.Setting] = []
  /// What makes it better. Where `/proc/sys` cannot be written it works all the same.
  private(set) var wanted: [NetworkNamespace.Setting] = []

  init(_ plan: Plan, of link: String, _ addresses: [AttachmentResult.Address]) {
    let interface = "ipv6/conf/\(link)"
    let hasIPv6 = addresses.contains { $0.address.address.isIPv6 }
    if hasIPv6 {
      needed.append(("\(interface)/disable_ipv6", "0"))
      wanted.append(Batch.announcementSetting(of: link))
      if plan.configuration.enableDAD {
        needed += [("\(interface)/enhanced_dad", "1"), ("\(interface)/accept_dad", "1")]
      }
    }
    // 2 is 1 that also holds in a sandbox that forwards.
    switch plan.configuration.acceptsRouterAdvertisements {
    case true?: needed.append(("\(interface)/accept_ra", "2"))
    case false?: needed.append(("\(interface)/accept_ra", "0"))
    case nil where plan.hasIPAM: wanted.append(("\(interface)/accept_ra", "0"))
    case nil: break
    }
  }

  func write(in sandbox: borrowing NetworkNamespace, _ context: Context, _ attempt: String)
    throws(AttachmentError)
  {
    if !needed.isEmpty {
      do { try sandbox.writeSettings(needed) } catch {
        throw AttachmentError(.failed, attempt, details: error.description)
      }
    }
    for setting in wanted {
      do { try sandbox.writeSettings([setting]) } catch {
        context.log.write(.warning, "\(attempt): \(error)")
      }
    }
  }
}
