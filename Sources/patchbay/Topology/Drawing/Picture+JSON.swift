import Addresses
import CNI
import JSON
import Netlink
import OpenVSwitch
import PluginCore

extension Picture {
  /// The picture for programs. What is not known is left out; `problems` is always there.
  var json: JSONValue {
    .object([
      ("endpoint", .string(endpoint)), ("version", version.map { .string($0) }),
      ("bridges", .array(bridges.map(\.json))),
      ("notes", notes.isEmpty ? nil : strings(notes)), ("problems", strings(problems)),
    ])
  }
}

extension Picture.Port {
  /// The addresses that the container end has; those that it was given where it cannot be read.
  ///
  /// Without those that every IPv6 link makes itself.
  var addressTexts: [String] {
    guard let container else { return record?.addresses ?? [] }
    return container.addresses.map(\.description).filter {
      !$0.hasPrefix("fe80:") || record?.addresses.contains($0) == true
    }
  }
}

private func strings(_ items: [String]) -> JSONValue { .array(items.map { .string($0) }) }

extension Picture.Bridge {
  fileprivate var json: JSONValue {
    .object([
      ("name", .string(name)), ("datapath", .string(datapath.rawValue)),
      ("failMode", failMode.map { .string($0) }),
      ("spanningTree", hasSpanningTree ? true : nil),
      (
        "controllers",
        controllers.isEmpty
          ? nil
          : .array(
            controllers.map {
              ["target": .string($0.target), "connected": .bool($0.isConnected)]
            })
      ),
      ("mirrors", mirrors.isEmpty ? nil : .array(mirrors.map(\.json))),
      ("ports", .array(ports.map(\.json))), ("problems", strings(problems)),
    ])
  }
}

extension Picture.Port {
  fileprivate var json: JSONValue {
    .object([
      ("name", .string(name)), ("vlanMode", vlans.mode.map { .string($0) }),
      ("tag", vlans.tag.map { .integer($0) }),
      ("trunks", vlans.trunks.isEmpty ? nil : .array(vlans.trunks.map { .integer($0) })),
      ("owner", owner.map { .string($0) }), ("interfaces", .array(interfaces.map(\.json))),
      ("attachment", attachment), ("logicalPort", logicalPort?.json), ("guard", guarding?.json),
      ("peer", peer.map { .string($0) }),
      ("isolated", isIsolated ? true : nil), ("rates", rates?.json), ("gateway", gateway?.json),
      (
        "gatewayAddresses",
        gatewayAddresses.isEmpty ? nil : strings(gatewayAddresses.map(\.description))
      ),
      ("problems", strings(problems)),
    ])
  }

  private var attachment: JSONValue? {
    guard let record else { return nil }
    return .object([
      ("network", .string(record.network)),
      ("containerID", .string(record.attachment.containerID)),
      ("containerName", record.containerName.map { .string($0) }),
      ("interface", .string(record.attachment.interfaceName)),
      ("sandbox", .string(record.sandbox)), ("addresses", strings(record.addresses)),
      ("mac", record.mac.map { .string($0) }),
      (
        "link",
        container.map { container in
          let link = container.link.json
          guard case .object(var object) = link else { return link }
          object["addresses"] = strings(container.addresses.map(\.description))
          return .object(object)
        }
      ),
    ])
  }
}

extension Picture.Interface {
  fileprivate var json: JSONValue {
    .object([
      ("name", .string(name)), ("type", .string(type)),
      ("ofport", openFlowPort.map { .integer($0) }),
      ("ofportRequest", requestedPort.map { .integer($0) }),
      ("target", target.map { .string($0) }), ("link", link?.json),
    ])
  }
}

extension Link {
  fileprivate var json: JSONValue {
    .object([
      ("name", .string(name)), ("index", .integer(Int64(index))), ("up", .bool(isUp)),
      ("mtu", .integer(Int64(mtu))), ("mac", mac.map { .string($0.description) }),
      ("kind", kind.map { .string($0) }),
    ])
  }
}
