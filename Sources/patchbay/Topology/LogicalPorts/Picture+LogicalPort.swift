import JSON

extension Picture {
  /// The logical port of OVN that a port is bound to, or asks for.
  struct LogicalPort: Hashable {
    let name: String
    /// The name of its switch; nil where it is not known.
    let logicalSwitch: String?
    /// The chassis that has it; nil where none has, or where it is not known.
    let chassis: String?
    /// Whether ovn-controller says that OVN forwards for the interface.
    let isInstalled: Bool
    /// Whether the northbound database has heard that it is up, for which it takes a moment; nil
    /// where that is not known.
    let isUp: Bool?
    /// Each a MAC address and the IP addresses that go with it, as OVN has them.
    let addresses: [String]

    /// `h1/net1/web/eth0`, `switch net1`, `up`
    var facts: [String] {
      let place = chassis.map { " on chassis \($0)" } ?? ""
      return [name] + (logicalSwitch.map { ["switch \($0)"] } ?? [])
        + [isInstalled ? "up\(place)" : "not up"]
    }

    var json: JSONValue {
      .object([
        ("name", .string(name)), ("switch", logicalSwitch.map { .string($0) }),
        ("chassis", chassis.map { .string($0) }), ("installed", .bool(isInstalled)),
        ("up", isUp.map { .bool($0) }),
        ("addresses", addresses.isEmpty ? nil : .array(addresses.map { .string($0) })),
      ])
    }
  }
}

extension Picture.Port {
  /// Takes over what OVN says of the logical port of its interface, and finds why it is not up.
  mutating func readLogicalPort(_ row: DatabaseReading.Port, _ reading: LogicalPortReading) {
    guard let interface = row.interfaces.first, let name = interface.logicalPort,
      let facts = reading.ports[name]
    else { return }
    var (chassis, isUp, addresses) = (nil as String?, nil as Bool?, [String]())
    if case .read(let binding?) = facts.southbound { chassis = binding.chassis?.name }
    if case .read(let described?) = facts.northbound {
      (isUp, addresses) = (described.isUp, described.addresses)
    }
    logicalPort = .init(
      name: name, logicalSwitch: facts.logicalSwitch, chassis: chassis,
      isInstalled: interface.isInstalled, isUp: isUp, addresses: addresses)
    if let problem = reading.problem(of: interface) { problems.append(problem.description) }
  }
}
