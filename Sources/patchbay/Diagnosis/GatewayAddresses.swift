import Addresses
import Netlink
import OpenVSwitch
import PluginConfigurations
import PluginCore

extension DatabaseReading.Port {
  /// The addresses that networks need on it as their gateway, by the marks of `ovs-bridge` in its
  /// row: `patchbay-gateway/NETWORK/ADDRESS/LENGTH`.
  var gatewayMarks: [(network: String, prefix: IPPrefix)] {
    externalIDs.keys.sorted().compactMap { key in
      let mark = ExternalIDKey.gatewayMark
      let parts = key.dropFirst(mark.count).split(separator: "/")
      guard key.hasPrefix(mark), parts.count == 3,
        let prefix = try? IPPrefix("\(parts[1])/\(parts[2])")
      else { return nil }
      return (network: String(parts[0]), prefix: prefix)
    }
  }
}

extension HostReading {
  /// The marks of the gateway's port whose addresses its link does not have.
  func missingMarks(ofGateway name: String) -> [(network: String, prefix: IPPrefix)] {
    guard let link = link(name) else { return [] }
    let present = addresses(of: link.index).map(\.prefix)
    return port(name)?.gatewayMarks.filter { !present.contains($0.prefix) } ?? []
  }

  /// The port called `name`.
  func port(_ name: String) -> DatabaseReading.Port? {
    bridges.lazy.flatMap(\.ports).first { $0.name == name }
  }

  /// The command after which the gateway called `name`, whose link is gone, is there again; nil
  /// where another runtime has to do so.
  func remaking(gateway name: String, of attachment: AttachmentReading) -> String? {
    // A bridge's own port is not made by attachments.
    guard bridge(name) == nil else {
      return "\(SwitchService.restart) && patchbay repair \(attachment.record.network)"
    }
    return attachment.reattaching.map {
      (port(name) == nil ? "" : "ovs-vsctl del-port \(name.shellWord) && ") + $0
    }
  }
}
