// The tables of the database `Open_vSwitch`; ovs-vswitchd.conf.db(5) has them in full.
public import OVSDB

/// `Open_vSwitch`: one row, the configuration as a whole.
public struct OpenVSwitchTable: Table {
  /// `Open_vSwitch`
  public let name = "Open_vSwitch"
}
/// `Bridge`. Its rows live as long as `Open_vSwitch.bridges` points at them.
public struct BridgeTable: Table {
  /// `Bridge`
  public let name = "Bridge"
}
/// `Port`. Its rows live as long as `Bridge.ports` points at them.
public struct PortTable: Table {
  /// `Port`
  public let name = "Port"
}
/// `Interface`. Its rows live as long as `Port.interfaces` points at them.
public struct InterfaceTable: Table {
  /// `Interface`
  public let name = "Interface"
}
/// `Mirror`. Its rows live as long as `Bridge.mirrors` points at them.
public struct MirrorTable: Table {
  /// `Mirror`
  public let name = "Mirror"
}
/// `QoS`. Its rows live until they are deleted.
public struct QoSTable: Table {
  /// `QoS`
  public let name = "QoS"
}
/// `Queue`. Its rows live until they are deleted.
public struct QueueTable: Table {
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
