internal import Addresses
internal import CNI
internal import OVNNorthbound
internal import OVSDB
internal import PluginConfigurations

/// A logical port that was made beforehand, with the addresses that it has.
struct PresetPort {
  let name: String
  /// Nil for one that takes any.
  let mac: MACAddress?
  let addresses: [AttachmentResult.Address]
  /// `iface-id-ver`, which the interface must have too; nil where the port has none.
  let version: String?

  /// Refuses one that is not there, is something else, or is for another host, and addresses that
  /// OVN may change.
  init(
    _ name: String, _ row: Row<LogicalSwitchPortTable>?, _ switches: [Row<LogicalSwitchTable>],
    _ plan: LogicalPortPlan, _ northbound: NorthboundSession
  ) throws(AttachmentError) {
    func refusal(_ reason: String, _ details: String = "") -> AttachmentError {
      AttachmentError(.invalid, "OvnPort: \(reason)", details: details)
    }
    guard let row else { throw refusal("there is no logical port \"\(name)\"") }
    guard row[.type].isEmpty else {
      throw refusal("logical port \"\(name)\" is of type \"\(row[.type])\", not of a container")
    }
    if let other = row[.options]["requested-chassis"], !other.isEmpty,
      !other.split(separator: ",").contains(where: { $0 == plan.chassis.name })
    {
      throw refusal(
        "logical port \"\(name)\" is for chassis \"\(other)\"; this is \"\(plan.chassis.name)\"")
    }
    let home = switches.first { $0[.ports].contains(row[.uuid]) }
    let wanted = plan.configuration.logicalSwitch
    if !wanted.isEmpty, home?[.name] != wanted {
      throw refusal(
        "logical port \"\(name)\" is on switch \"\(home?[.name] ?? "")\", not on \"\(wanted)\"")
    }
    self.name = name
    version = row[.options]["iface-id-ver"]
    let words = row[.addresses].map { $0.split(separator: " ").map { String($0) } }
    if words.contains(where: { $0.contains { $0 == "dynamic" } }) {
      throw refusal(
        "logical port \"\(name)\" has an address of OVN's choice, which OVN may change",
        "set its addresses to what its dynamic_addresses are: ovn-nbctl lsp-set-addresses")
    }
    let fixed = words.first { $0.first.flatMap { MACAddress($0) } != nil } ?? []
    mac = fixed.first.flatMap { MACAddress($0) }
    var subnets: [Subnet]?
    var addresses: [AttachmentResult.Address] = []
    for word in fixed.dropFirst() {
      guard let address = IPAddress(word) else {
        throw refusal("logical port \"\(name)\" has the address \"\(word)\"")
      }
      let known: [Subnet]
      if let subnets { known = subnets } else { known = try Self.subnets(home, northbound) }
      subnets = known
      guard let subnet = known.first(where: { $0.prefix.contains(address) }) else {
        throw refusal(
          "no subnet of \(address) is known, of logical port \"\(name)\"",
          "set other_config:subnet (or ipv6_prefix) of its switch, or give it a router")
      }
      guard let prefix = IPPrefix(address, length: subnet.prefix.length) else { continue }
      addresses.append(AttachmentResult.Address(prefix, gateway: subnet.gateway))
    }
    self.addresses = addresses
  }

  private struct Subnet {
    let prefix: IPPrefix
    let gateway: IPAddress?
  }

  /// The subnets of a switch: those of its routers first, which are gateways, then what it says.
  private static func subnets(_ home: Row<LogicalSwitchTable>?, _ northbound: NorthboundSession)
    throws(AttachmentError) -> [Subnet]
  {
    guard let home else { return [] }
    var question = NorthboundTransaction()
    let ports = question.select(
      from: .logicalSwitchPort, where: [.equal(.type, "router")], .columns(.uuid, .options))
    let routers = question.select(from: .logicalRouterPort, .columns(.name, .networks))
    let results = try northbound.insist(question)
    let names = results[ports].filter { home[.ports].contains($0[.uuid]) }.compactMap {
      $0[.options]["router-port"]
    }
    var subnets: [Subnet] = []
    for router in results[routers] where names.contains(router[.name]) {
      for network in router[.networks] {
        guard let prefix = try? IPPrefix(network) else { continue }
        subnets.append(Subnet(prefix: prefix, gateway: prefix.address))
      }
    }
    let settings = home[.otherConfiguration]
    for text in [settings["subnet"], settings["ipv6_prefix"].map { "\($0)/64" }] {
      if let text, let prefix = try? IPPrefix(text) {
        subnets.append(Subnet(prefix: prefix, gateway: nil))
      }
    }
    return subnets
  }
}
