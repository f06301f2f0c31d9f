import Addresses
import ArgumentParser
import CNI
import CNIRuntime
import JSON

/// A network, and what a container wishes from it, as one word: `NAME[:KEY=VALUE[,KEY=VALUE…]]`, the
/// form that `podman run --network` has.
struct HookNetwork: Hashable {
  /// The network's name.
  let name: String
  /// The wished name of the interface.
  private(set) var interfaceName: String?
  /// The wished addresses, with or without prefix length, as they are written.
  private(set) var addresses: [String] = []
  /// The wished hardware address.
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

  private mutating func read(_ key: String, _ value: String, of text: String) throws {
    switch key {
    case "interface_name":
      do { try Names.checkInterfaceName(value) } catch { throw Self.fault(text, error.description) }
      interfaceName = value
    case "ip":
      guard Self.address(value) != nil else {
        throw Self.fault(text, "\"\(value)\" is no IP address, such as 192.168.0.9 or fd00::9")
      }
      addresses.append(value)
    case "mac":
      guard let mac = MACAddress(value), mac.isUnicast else {
        throw Self.fault(
          text, "\"\(value)\" is no hardware address of one link, such as 02:00:00:00:00:09")
      }
      self.mac = mac
    default:
      throw Self.fault(text, "\"\(key)\" is not one of interface_name, ip, mac")
    }
  }

  private static func fault(_ text: String, _ reason: String) -> Failure {
    Failure("network \"\(text)\": \(reason)")
  }

  /// The address that `text` is, or that it has before its prefix length.
  private static func address(_ text: String) -> IPAddress? {
    text.utf8.contains(UInt8(ascii: "/")) ? (try? IPPrefix(text))?.address : IPAddress(text)
  }

  /// The parameters of the attachment: wishes go where the plugins of `list` take them, to their
  /// capabilities, or else into `CNI_ARGS`.
  ///
  /// `K8S_POD_NAME` is the container's name, by which IPAM plugins know whom an address is for.
  func parameters(_ list: NetworkList, _ attachment: Attachment, sandboxPath: String) throws
    -> AttachmentParameters
  {
    let declared = list.plugins.flatMap(\.capabilities)
    var pairs = [
      (key: "IgnoreUnknown", value: "1"), (key: "K8S_POD_NAME", value: attachment.containerID),
    ]
    var capabilities = JSONObject()
    if let mac {
      if declared.contains("mac") {
        capabilities["mac"] = .string(mac.description)
      } else {
        pairs.append(("MAC", mac.description))
      }
    }
    if declared.contains("ips") {
      if !addresses.isEmpty { capabilities["ips"] = .array(addresses.map { .string($0) }) }
    } else if let address = addresses.first {
      guard addresses.count == 1 else {
        throw Failure(
          "network \"\(name)\" takes one address: no plugin of it has the capability \"ips\"")
      }
      pairs.append(("IP", address))
    }
    return AttachmentParameters(
      attachment, sandboxPath: sandboxPath, arguments: Arguments(pairs: pairs),
      capabilities: capabilities)
  }

  /// Refuses a result that is not what was wished: a plugin may have passed over the wish.
  func verify(_ result: JSONValue, _ interfaceName: String) throws {
    guard let decoded = try? AttachmentResult(JSONCursor(result), defaultVersion: .v0_1_0) else {
      return
    }
    let given = decoded.addresses.map(\.address)
    for text in addresses {
      guard let wished = Self.address(text), !given.contains(where: { $0.address == wished })
      else { continue }
      let list = given.map(\.description).joined(separator: ", ")
      throw Failure(
        "network \"\(name)\" gave \(list.isEmpty ? "no address" : list) and not \(text), which was "
          + "wished: its ipam plugin does not know the wish")
    }
    let own = decoded.interfaces.last { $0.name == interfaceName && $0.sandbox != nil }
    if let mac, let given = own?.mac, MACAddress(given) != mac {
      throw Failure(
        "network \"\(name)\" gave \(interfaceName) the hardware address \(given) and not \(mac), "
          + "which was wished: its plugins do not know the wish")
    }
  }
}
