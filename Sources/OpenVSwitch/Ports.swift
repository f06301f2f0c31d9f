public import OVSDB

extension Transaction {
  /// A port and its only interface that a transaction adds.
  public struct NewPort: Hashable, Sendable {
    /// The row of the port.
    public let port: Inserted<PortTable>
    /// The row of the interface.
    public let interface: Inserted<InterfaceTable>
  }

  /// Makes a port and an interface called `name`, with these columns besides. The rows go again
  /// unless the same transaction puts the port on a bridge.
  ///
  /// Where there is such a port or interface already the transaction is refused as a
  /// `constraintViolation`.
  public mutating func insertPort(
    _ name: String, port cells: [Cell<PortTable>] = [],
    interface interfaceCells: [Cell<InterfaceTable>] = []
  ) -> NewPort {
    let interface = insert(into: .interface, [Cell(.name, name)] + interfaceCells)
    let port = insert(
      into: .port, [Cell(.name, name), Cell(.interfaces, [interface.reference])] + cells)
    return NewPort(port: port, interface: interface)
  }

  /// A port that a transaction adds to a bridge that is there.
  public struct AddedPort: Hashable, Sendable {
    /// The bridge must be there; that is unmet where it is not.
    public let bridge: Required
    /// The row of the port.
    public let port: Inserted<PortTable>
    /// The row of its only interface.
    public let interface: Inserted<InterfaceTable>
  }

  /// Makes a port, as `insertPort` does, on the bridge of which the condition is true.
  ///
  /// Where there is no such bridge the transaction is refused, and `AddedPort.bridge` is unmet.
  public mutating func addPort(
    _ name: String, to bridge: Condition<BridgeTable>, port cells: [Cell<PortTable>] = [],
    interface interfaceCells: [Cell<InterfaceTable>] = []
  ) -> AddedPort {
    let required = require(.bridge, where: [bridge])
    let new = insertPort(name, port: cells, interface: interfaceCells)
    plug(new.port.reference, into: bridge)
    return AddedPort(bridge: required, port: new.port, interface: new.interface)
  }

  /// Puts `port` on the bridge of which the condition is true.
  public mutating func plug(_ port: Reference, into bridge: Condition<BridgeTable>) {
    mutate(.bridge, where: [bridge], [.insert([port], into: .ports)])
  }

  /// Takes `port` off the bridge that has it, whichever that is; no row matches where none has.
  ///
  /// The rows of port and interface go by themselves when nothing points at them any more
  /// (ovs-vswitchd.conf.db(5), introduction), and mirrors forget the port.
  @discardableResult public mutating func removePort(_ port: Reference) -> Matched {
    mutate(.bridge, where: [.includes(.ports, [port])], [.delete([port], from: .ports)])
  }

  /// Makes a bridge with its local port, both called `name`, and these ports.
  ///
  /// Where there is such a bridge, port or interface already the transaction is refused as a
  /// `constraintViolation`.
  @discardableResult public mutating func addBridge(
    _ name: String, _ cells: [Cell<BridgeTable>] = [], local localCells: [Cell<PortTable>] = [],
    ports: [Reference] = []
  ) -> Inserted<BridgeTable> {
    let local = insertPort(name, port: localCells, interface: [Cell(.type, "internal")])
    let bridge = insert(
      into: .bridge,
      [Cell(.name, name), Cell(.ports, [local.port.reference] + ports)] + cells)
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
