public import OVSDB

/// What forwards the frames of a bridge: `Bridge.datapath_type`, of which empty means `system`.
public struct DatapathType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// As ovs-vswitchd.conf.db(5) has it; not empty.
  public let rawValue: String

  /// The content of the column.
  public init(rawValue: String) { self.rawValue = rawValue.isEmpty ? "system" : rawValue }

  /// The kernel's module.
  public static let system = DatapathType(rawValue: "system")
  /// ovs-vswitchd itself.
  public static let netdev = DatapathType(rawValue: "netdev")

  /// As ovs-vswitchd.conf.db(5) has it.
  public var description: String { rawValue }
}

extension Row<BridgeTable> {
  /// `datapath_type`
  public var datapath: DatapathType { DatapathType(rawValue: self[.datapathType]) }
}
