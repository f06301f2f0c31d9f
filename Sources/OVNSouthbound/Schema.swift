// The tables of OVN's southbound database that are in use; ovn-sb(5) has them in full.
public import OVSDB

/// `OVN_Southbound`: what ovn-northd makes of the northbound database, and what chassis say of
/// themselves.
public enum SouthboundDatabase: DatabaseSchema {
  /// `OVN_Southbound`
  public static let name = "OVN_Southbound"
}

/// A transaction on the southbound database.
public typealias SouthboundTransaction = DatabaseTransaction<SouthboundDatabase>

/// `Chassis`: a host that ovn-controller runs on.
public struct ChassisTable: Table {
  /// The southbound database.
  public typealias Schema = SouthboundDatabase
  /// `Chassis`
  public let name = "Chassis"
}
/// `Datapath_Binding`: a logical switch or router.
public struct DatapathBindingTable: Table {
  /// The southbound database.
  public typealias Schema = SouthboundDatabase
  /// `Datapath_Binding`
  public let name = "Datapath_Binding"
}
/// `Port_Binding`: a logical port, and the chassis that has it.
public struct PortBindingTable: Table {
  /// The southbound database.
  public typealias Schema = SouthboundDatabase
  /// `Port_Binding`
  public let name = "Port_Binding"
}

extension Table where Self == ChassisTable {
  /// `Chassis`
  public static var chassis: Self { Self() }
}
extension Table where Self == DatapathBindingTable {
  /// `Datapath_Binding`
  public static var datapathBinding: Self { Self() }
}
extension Table where Self == PortBindingTable {
  /// `Port_Binding`
  public static var portBinding: Self { Self() }
}

// MARK: - Columns

extension Column where T == ChassisTable, Content == String {
  /// `name`: the `system-id` of its Open vSwitch.
  public static var name: Self { Self("name") }
  /// `hostname`
  public static var hostname: Self { Self("hostname") }
}

extension Column where T == DatapathBindingTable, Content == [String: String] {
  /// `external_ids`: `name` is that of the logical switch or router.
  public static var externalIDs: Self { Self("external_ids") }
}

extension Column where T == PortBindingTable, Content == String {
  /// `logical_port`: the name of the port in the northbound database.
  public static var logicalPort: Self { Self("logical_port") }
}
extension Column where T == PortBindingTable, Content == Reference {
  /// `datapath`: the switch or router that the port is of.
  public static var datapath: Self { Self("datapath") }
}
extension Column where T == PortBindingTable, Content == Reference? {
  /// `chassis`: where the port is bound.
  public static var chassis: Self { Self("chassis") }
}
extension Column where T == PortBindingTable, Content == [String: String] {
  /// `options`: those of the row in the northbound database.
  public static var options: Self { Self("options") }
}
