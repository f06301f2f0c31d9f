public import OVSDB

extension Transaction {
  /// A bridge, port and interface that a transaction adds.
  public struct AddedPort: Hashable, Sendable {
    /// The bridge must be there; that is unmet where it is not.
    public let bridge: Required
    /// The row of the port.
    public let port: Inserted<PortTable>
    /// The row of its only interface.
    public let interface: Inserted<InterfaceTable>
  }

  /// Plugs the link `name` into `bridge`: a port and an interface of that name, with these columns
  /// besides.
  ///
  /// Where there is no such bridge the transaction is refused, and `AddedPort.bridge` is unmet;
  /// where there is such a port or interface already it is a `constraintViolation`.
  public mutating func addPort(
    _ name: String, to bridge: String, port cells: [Cell<PortTable>] = [],
    interface interfaceCells: [Cell<InterfaceTable>] = []
  ) -> AddedPort {
    let required = require(.bridge, where: [.equal(.name, bridge)])
    let interface = insert(into: .interface, [Cell(.name, name)] + interfaceCells)
    let port = insert(
      into: .port, [Cell(.name, name), Cell(.interfaces, [interface.reference])] + cells)
    mutate(
      .bridge, where: [.equal(.name, bridge)], [.insert([port.reference], into: .ports)])
    return AddedPort(bridge: required, port: port, interface: interface)
  }

  /// Takes `port` off the bridge that has it, whichever that is; no row matches where none has.
  ///
  /// The rows of port and interface go by themselves when nothing points at them any more
  /// (ovs-vswitchd.conf.db(5), introduction), and mirrors forget the port.
  @discardableResult public mutating func removePort(_ port: Reference) -> Matched {
    mutate(.bridge, where: [.includes(.ports, [port])], [.delete([port], from: .ports)])
  }

  /// Makes a bridge with its local port, both called `name`.
  ///
  /// Where there is such a bridge, port or interface already the transaction is refused as a
  /// `constraintViolation`.
  public mutating func addBridge(_ name: String, _ cells: [Cell<BridgeTable>] = [])
    -> Inserted<BridgeTable>
  {
    let interface = insert(into: .interface, [Cell(.name, name), Cell(.type, "internal")])
    let port = insert(
      into: .port, [Cell(.name, name), Cell(.interfaces, [interface.reference])])
    let bridge = insert(
      into: .bridge, [Cell(.name, name), Cell(.ports, [port.reference])] + cells)
    mutate(.openVSwitch, where: [], [.insert([bridge.reference], into: .bridges)])
    return bridge
  }

  /// Takes a bridge away, and with it its ports, interfaces and mirrors; no row matches where there
  /// is no such bridge.
  @discardableResult public mutating func removeBridge(_ bridge: Reference) -> Matched {
    mutate(
      .openVSwitch, where: [.includes(.bridges, [bridge])], [.delete([bridge], from: .bridges)])
  }
}
