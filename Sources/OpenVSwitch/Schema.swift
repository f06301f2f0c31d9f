// The tables of the database `Open_vSwitch`; ovs-vswitchd.conf.db(5) has them in full.
public import OVSDB

/// `Open_vSwitch`: the database that ovs-vswitchd works from.
public enum OpenVSwitchDatabase: DatabaseSchema {
  /// `Open_vSwitch`
  public static let name = "Open_vSwitch"
}

/// A connection to the database of Open vSwitch.
public typealias Connection = DatabaseConnection<OpenVSwitchDatabase>
/// A transaction on the database of Open vSwitch.
public typealias Transaction = DatabaseTransaction<OpenVSwitchDatabase>
/// Rows of the database of Open vSwitch as they are.
public typealias Monitor = DatabaseMonitor<OpenVSwitchDatabase>

/// `Open_vSwitch`: one row, the configuration as a whole.
public struct OpenVSwitchTable: Table {
  /// The database of Open vSwitch.
  public typealias Schema = OpenVSwitchDatabase
  /// `Open_vSwitch`
  public let name = "Open_vSwitch"
}
/// `Bridge`. Its rows live as long as `Open_vSwitch.bridges` points at them.
public struct BridgeTable: Table {
  /// The database of Open vSwitch.
  public typealias Schema = OpenVSwitchDatabase
  /// `Bridge`
  public let name = "Bridge"
}
/// `Port`. Its rows live as long as `Bridge.ports` points at them.
public struct PortTable: Table {
  /// The database of Open vSwitch.
  public typealias Schema = OpenVSwitchDatabase
  /// `Port`
  public let name = "Port"
}
/// `Interface`. Its rows live as long as `Port.interfaces` points at them.
public struct InterfaceTable: Table {
  /// The database of Open vSwitch.
  public typealias Schema = OpenVSwitchDatabase
  /// `Interface`
  public let name = "Interface"
}
/// `Controller`. Its rows live as long as `Bridge.controller` points at them.
public struct ControllerTable: Table {
  /// The database of Open vSwitch.
  public typealias Schema = OpenVSwitchDatabase
  /// `Controller`
  public let name = "Controller"
}
/// `Mirror`. Its rows live as long as `Bridge.mirrors` points at them.
public struct MirrorTable: Table {
  /// The database of Open vSwitch.
  public typealias Schema = OpenVSwitchDatabase
  /// `Mirror`
  public let name = "Mirror"
}
/// `QoS`. Its rows live until they are deleted.
public struct QoSTable: Table {
  /// The database of Open vSwitch.
  public typealias Schema = OpenVSwitchDatabase
  /// `QoS`
  public let name = "QoS"
}
/// `Queue`. Its rows live until they are deleted.
public struct QueueTable: Table {
  /// The database of Open vSwitch.
  public typealias Schema = OpenVSwitchDatabase
  /// `Queue`
  public let name = "Queue"
}

extension Table where Self == OpenVSwitchTable {
  /// `Open_vSwitch`
  public static var openVSwitch: Self { Self() }
}
extension Table where Self == BridgeTable {
  /// `Bridge`
  public static var bridge: Self { Self() }
}
extension Table where Self == PortTable {
  /// `Port`
  public static var port: Self { Self() }
}
extension Table where Self == InterfaceTable {
  /// `Interface`
  public static var interface: Self { Self() }
}
extension Table where Self == ControllerTable {
  /// `Controller`
  public static var controller: Self { Self() }
}
extension Table where Self == MirrorTable {
  /// `Mirror`
  public static var mirror: Self { Self() }
}
extension Table where Self == QoSTable {
  /// `QoS`
  public static var qos: Self { Self() }
}
extension Table where Self == QueueTable {
  /// `Queue`
  public static var queue: Self { Self() }
}
