import JSON
import Netavark
import PluginConfigurations

/// The options of the driver `ovs` that are members of the plugin ovs-bridge.
struct OVSOption {
  /// How the text of an option becomes the value of a member.
  enum Form {
    case text
    case number
    case flag
    /// `10,20-30`
    case vlans
    /// `key=value,key=value`
    case pairs
    /// A flag, `mac`, or an object as the plugin has it.
    case policy
  }
  let name: String
  /// The member; of an object in the configuration after a dot.
  let member: String
  let form: Form

  /// Of a network.
  static let ofNetwork = [
    OVSOption(name: "bridge", member: "bridge", form: .text),
    OVSOption(name: "create_bridge", member: "createBridge", form: .flag),
    OVSOption(name: "datapath", member: "datapath", form: .text),
    OVSOption(name: "force_address", member: "forceAddress", form: .flag),
    OVSOption(name: "forward", member: "forward", form: .text),
    OVSOption(name: "socket", member: "socket_file", form: .text),
    OVSOption(name: "timeout", member: "timeout", form: .number),
    OVSOption(name: "log_level", member: "logLevel", form: .text),
    OVSOption(name: "log_file", member: "logFile", form: .text),
  ]
  /// Of a network, and of each container.
  static let ofContainer = [
    OVSOption(name: "vlan", member: "vlan", form: .number),
    OVSOption(name: "trunk", member: "trunk", form: .vlans),
    OVSOption(name: "vlan_mode", member: "vlanMode", form: .text),
    OVSOption(name: "mtu", member: "mtu", form: .number),
    OVSOption(name: "isolate", member: "portIsolation", form: .flag),
    OVSOption(name: "guard", member: "guard", form: .policy),
    OVSOption(name: "ingress_rate", member: "bandwidth.ingressRate", form: .number),
    OVSOption(name: "ingress_burst", member: "bandwidth.ingressBurst", form: .number),
    OVSOption(name: "egress_rate", member: "bandwidth.egressRate", form: .number),
    OVSOption(name: "egress_burst", member: "bandwidth.egressBurst", form: .number),
    OVSOption(name: "external_ids", member: "external_ids", form: .pairs),
    OVSOption(name: "ofport_request", member: "ofport_request", form: .number),
    OVSOption(name: "accept_ra", member: "acceptRA", form: .flag),
    OVSOption(name: "enable_dad", member: "enableDAD", form: .flag),
    OVSOption(name: "promisc", member: "promisc", form: .flag),
    OVSOption(name: "stp", member: "stp", form: .flag),
  ]

  /// The configuration of ovs-bridge that `options` describe, all of it legal.
  static func configuration(_ options: DriverOptions) throws(DriverError) -> JSONObject {
    var plugin = JSONObject([("type", "ovs-bridge")])
    for option in ofNetwork + ofContainer {
      guard let text = options[option.name] else { continue }
      let value = try option.value(text, options)
      let path = option.member.split(separator: ".").map { String($0) }
      guard path.count == 2 else {
        plugin[option.member] = value
        continue
      }
      var part = plugin[path[0]]?.object ?? JSONObject()
      part[path[1]] = value
      plugin[path[0]] = .object(part)
    }
    return plugin
  }

  /// Refuses what ovs-bridge would refuse, in the words of podman's options.
  static func check(_ plugin: JSONObject) throws(DriverError) {
    do throws(JSONDecodingError) {
      _ = try OVSBridgeConfiguration(JSONCursor(.object(plugin)))
    } catch {
      var reason = error.description
      for option in ofNetwork + ofContainer where reason.hasPrefix(option.member) {
        reason = "-o \(option.name)" + reason.dropFirst(option.member.utf8.count)
        break
      }
      throw DriverError(reason)
    }
  }

  private func value(_ text: String, _ options: DriverOptions) throws(DriverError) -> JSONValue {
    switch form {
    case .text: return .string(text)
    case .number:
      guard let number = Int64(text) else {
        throw DriverError("-o \(name)=\(text): not a number")
      }
      return .integer(number)
    case .flag: return .bool(try options.flag(name) ?? false)
    case .vlans: return .array(try vlans(text))
    case .pairs: return .object(try pairs(text))
    case .policy:
      if text == "mac" { return .string(text) }
      if text.utf8.first == UInt8(ascii: "{") {
        do throws(JSONSyntaxError) { return try JSONValue(parsing: Array(text.utf8)) } catch {
          throw DriverError("-o \(name)=\(text): not JSON: \(error)")
        }
      }
      guard ["true", "1", "", "false", "0"].contains(text) else {
        throw DriverError(
          "-o \(name)=\(text): not one of true, mac, false, or an object as "
            + "{\"allowed\": [{\"ips\": [\"10.7.0.100\"]}]}")
      }
      return .bool(try options.flag(name) ?? false)
    }
  }

  private func vlans(_ text: String) throws(DriverError) -> [JSONValue] {
    var entries: [JSONValue] = []
    for word in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = word.split(separator: "-", omittingEmptySubsequences: false)
      let numbers = ends.compactMap { Int64($0) }.filter { (0...4095).contains($0) }
      guard numbers.count == ends.count, let first = numbers.first, let last = numbers.last,
        numbers.count <= 2, first <= last
      else { throw DriverError("-o \(name)=\(text): write VLANs, 0…4095, as 10,20-30") }
      entries.append(
        numbers.count == 1
          ? ["id": .integer(first)] : ["minID": .integer(first), "maxID": .integer(last)])
    }
    return entries
  }

  private func pairs(_ text: String) throws(DriverError) -> JSONObject {
    var object = JSONObject()
    for word in text.split(separator: ",") {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty else {
        throw DriverError("-o \(name)=\(text): write pairs as key=value,key=value")
      }
      object[String(parts[0])] = .string(String(parts[1]))
    }
    return object
  }
}
