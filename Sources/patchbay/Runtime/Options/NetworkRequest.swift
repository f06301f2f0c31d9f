import Addresses
import ArgumentParser
import CNI
import CNIRuntime
import JSON
import PluginConfigurations

/// A network, and what is requested of it, as one word: `NAME[:KEY=VALUE[,KEY=VALUE…]]`, the form
/// that `podman run --network` has.
struct NetworkRequest: Hashable {
  /// The network's name.
  let name: String
  /// The requested name of the interface.
  private(set) var interfaceName: String?
  /// The requested addresses, with or without prefix length, as they are written.
  private(set) var addresses: [String] = []
  /// The requested MAC address.
  private(set) var mac: MACAddress?

  /// Reads a word; the error says what is legal.
  init(_ text: String) throws {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    name = parts.first.map { String($0) } ?? ""
    do { try Names.checkNetworkName(name) } catch { throw Self.fault(text, error.description) }
    guard parts.count > 1 else { return }
    for pair in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
      let words = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard words.count == 2 else { throw Self.fault(text, "\"\(pair)\" has no \"=\"") }
      try read(String(words[0]), String(words[1]), of: text)
    }
  }

  /// Requests more, as the options `--ip` and `--mac` do.
  mutating func add(addresses: [String], mac: String?) throws {
    for address in addresses { try read("ip", address, of: "--ip \(address)") }
    if let mac { try read("mac", mac, of: "--mac \(mac)") }
  }

  private mutating func read(_ key: String, _ value: String, of text: String) throws {
    switch key {
    case "interface_name":
      do { try Names.checkInterfaceName(value) } catch { throw Self.fault(text, error.description) }
      interfaceName = value
    case "ip":
      guard Self.address(value) != nil else {
        throw Self.fault(text, "\"\(value)\" is not an IP address, such as 192.168.0.9 or fd00::9")
      }
      addresses.append(value)
    case "mac":
      guard let mac = MACAddress(value), mac.isUnicast else {
        throw Self.fault(
          text, "\"\(value)\" is not the MAC address of one link, such as 02:00:00:00:00:09")
      }
      self.mac = mac
    default:
      throw Self.fault(text, "\"\(key)\" is not one of interface_name, ip, mac")
    }
  }

  private static func fault(_ text: String, _ reason: String) -> Failure {
    Failure(text.hasPrefix("--") ? reason : "network \"\(text)\": \(reason)")
  }

  /// The address that `text` is, or that it has before its prefix length.
  private static func address(_ text: String) -> IPAddress? {
    text.utf8.contains(UInt8(ascii: "/")) ? (try? IPPrefix(text))?.address : IPAddress(text)
  }

  /// Puts what is requested where the plugins of `list` take it: into their capabilities, or else
  /// into `CNI_ARGS`.
  func apply(to parameters: inout AttachmentParameters, _ list: NetworkList) throws {
    let declared = list.plugins.flatMap(\.capabilities)
    var pairs: [(key: String, value: String)] = []
    if let mac {
      if declared.contains("mac") {
        parameters.capabilities[Capability.mac] = .string(mac.description)
      } else {
        pairs.append((ArgumentKeys.mac, mac.description))
      }
    }
    if declared.contains("ips") {
      if !addresses.isEmpty {
        parameters.capabilities[Capability.ips] = .array(addresses.map { .string($0) })
      }
    } else if let address = addresses.first {
      guard addresses.count == 1 else {
        throw Failure(
          "network \"\(name)\" takes one address: no plugin of it has the capability \"ips\"")
      }
      pairs.append((ArgumentKeys.ip, address))
    }
    guard !pairs.isEmpty else { return }
    let present = parameters.arguments.pairs
    // Plugins of the chain that do not know them would refuse them.
    let ignore = present.contains { $0.key == "IgnoreUnknown" } ? [] : [("IgnoreUnknown", "1")]
    parameters.arguments = Arguments(
      pairs: ignore + present.map { ($0.key, $0.value) } + pairs.map { ($0.key, $0.value) })
  }

  /// The parameters of a container's attachment.
  ///
  /// `K8S_POD_NAME` is the container's name, by which IPAM plugins know whom an address is for.
  func parameters(
    _ list: NetworkList, _ attachment: Attachment, containerName: String, sandboxPath: String
  ) throws -> AttachmentParameters {
    // What ends a value in CNI_ARGS cannot be in one.
    let isExpressible = !containerName.contains { $0 == ";" || $0 == "=" }
    let name = isExpressible ? containerName : attachment.containerID
    var parameters = AttachmentParameters(
      attachment, sandboxPath: sandboxPath,
      arguments: Arguments(pairs: [("IgnoreUnknown", "1"), (ArgumentKeys.podName, name)]))
    try apply(to: &parameters, list)
    return parameters
  }

  /// Refuses a result that is not what was requested: a plugin may have ignored it.
  func verify(_ result: JSONValue, _ interfaceName: String) throws {
    guard let decoded = try? AttachmentResult(JSONCursor(result), defaultVersion: .v0_1_0) else {
      return
    }
    let given = decoded.addresses.map(\.address)
    for text in addresses {
      guard let wanted = Self.address(text), !given.contains(where: { $0.address == wanted })
      else { continue }
      let list = given.map(\.description).joined(separator: ", ")
      throw Failure(
        "network \"\(name)\" gave \(list.isEmpty ? "no address" : list) and not \(text), which was "
          + "requested: its ipam plugin ignores requested addresses")
    }
    let own = decoded.interfaces.last { $0.name == interfaceName && $0.sandbox != nil }
    if let mac, let given = own?.mac, MACAddress(given) != mac {
      throw Failure(
        "network \"\(name)\" gave \(interfaceName) the MAC address \(given) and not \(mac), "
          + "which was requested: its plugins ignore requested MAC addresses")
    }
  }
}
