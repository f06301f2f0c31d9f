// The tables of OVN's northbound database that are in use; ovn-nb(5) has them in full.
public import OVSDB

/// `OVN_Northbound`: logical switches and their ports, as people and their tools describe them.
public enum NorthboundDatabase: DatabaseSchema {
  /// `OVN_Northbound`
  public static let name = "OVN_Northbound"
}

/// A transaction on the northbound database.
public typealias NorthboundTransaction = DatabaseTransaction<NorthboundDatabase>

/// `Logical_Switch`. Its name is not unique.
public struct LogicalSwitchTable: Table {
  /// The northbound database.
  public typealias Schema = NorthboundDatabase
  /// `Logical_Switch`
  public let name = "Logical_Switch"
}
/// `Logical_Switch_Port`. Its rows live as long as `Logical_Switch.ports` points at them.
public struct LogicalSwitchPortTable: Table {
  /// The northbound database.
  public typealias Schema = NorthboundDatabase
  /// `Logical_Switch_Port`
  public let name = "Logical_Switch_Port"
}
/// `Logical_Router_Port`
public struct LogicalRouterPortTable: Table {
  /// The northbound database.
  public typealias Schema = NorthboundDatabase
  /// `Logical_Router_Port`
  public let name = "Logical_Router_Port"
}
/// `Port_Group`: ports to which the same rules apply.
public struct PortGroupTable: Table {
  /// The northbound database.
  public typealias Schema = NorthboundDatabase
  /// `Port_Group`
  public let name = "Port_Group"
}

extension Table where Self == LogicalSwitchTable {
  /// `Logical_Switch`
  public static var logicalSwitch: Self { Self() }
}
extension Table where Self == LogicalSwitchPortTable {
  /// `Logical_Switch_Port`
  public static var logicalSwitchPort: Self { Self() }
}
extension Table where Self == LogicalRouterPortTable {
  /// `Logical_Router_Port`
  public static var logicalRouterPort: Self { Self() }
}
extension Table where Self == PortGroupTable {
  /// `Port_Group`
  public static var portGroup: Self { Self() }
}

// MARK: - Columns

extension Column where T.Schema == NorthboundDatabase, Content == [String: String] {
  /// `external_ids`: facts of others about the row.
  public static var externalIDs: Self { Self("external_ids") }
}

extension Column where T == LogicalSwitchTable, Content == String {
  /// `name`: for people.
  public static var name: Self { Self("name") }
}
extension Column where T == LogicalSwitchTable, Content == [Reference] {
  /// `ports`: its ports.
  public static var ports: Self { Self("ports") }
}
extension Column where T == LogicalSwitchTable, Content == [String: String] {
  /// `other_config`: settings, as `subnet`, `ipv6_prefix`.
  public static var otherConfiguration: Self { Self("other_config") }
}

extension Column where T == LogicalSwitchPortTable, Content == String {
  /// `name`: unique in the database; `external_ids:iface-id` of the interface that is bound to it.
  public static var name: Self { Self("name") }
  /// `type`: empty for a container or a virtual machine; else `router`, `localnet`…
  public static var type: Self { Self("type") }
}
extension Column where T == LogicalSwitchPortTable, Content == [String] {
  /// `addresses`: each a MAC address and the IP addresses that go with it; or `unknown`, `dynamic`,
  /// `router`.
  public static var addresses: Self { Self("addresses") }
  /// `port_security`: what it may send from, in the same form; none means anything.
  public static var portSecurity: Self { Self("port_security") }
}
extension Column where T == LogicalSwitchPortTable, Content == Bool? {
  /// `up`: whether it is bound to an interface of a chassis; absent until ovn-northd saw the row.
  public static var isUp: Self { Self("up") }
}
extension Column where T == LogicalSwitchPortTable, Content == [String: String] {
  /// `options`: settings, as `requested-chassis`, `iface-id-ver`, `router-port`.
  public static var options: Self { Self("options") }
}

extension Column where T == LogicalRouterPortTable, Content == String {
  /// `name`: unique in the database.
  public static var name: Self { Self("name") }
}
extension Column where T == LogicalRouterPortTable, Content == [String] {
  /// `networks`: its addresses, with prefix lengths.
  public static var networks: Self { Self("networks") }
}

extension Column where T == PortGroupTable, Content == String {
  /// `name`: unique in the database.
  public static var name: Self { Self("name") }
}
extension Column where T == PortGroupTable, Content == [Reference] {
  /// `ports`: its ports. Weak: one that goes is taken out.
  public static var ports: Self { Self("ports") }
}
