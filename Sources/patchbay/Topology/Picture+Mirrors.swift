import JSON

extension DatabaseReading.Mirror {
  /// Where the copies go: `vethaaaaaaaaaaa`, `VLAN 99`; nil where they go nowhere.
  private var output: String? { outputPort ?? outputVLAN.map { "VLAN \($0)" } }

  /// `, of VLAN 10`; empty where all are copied.
  private var selection: String {
    guard !vlans.isEmpty else { return "" }
    return " of VLAN " + vlans.map { String($0) }.joined(separator: ", ")
  }

  /// What it does with the port called `name`.
  func roles(of name: String) -> [String] {
    var roles: [String] = []
    if outputPort == name { roles.append("output of mirror \(self.name)") }
    let what =
      switch (sources.contains(name), destinations.contains(name)) {
      case (true, true): "mirrored"
      case (true, false): "what it sends is mirrored"
      case (false, true): "what it gets is mirrored"
      case (false, false): ""
      }
    guard !what.isEmpty else { return roles }
    return roles + ["\(what)\(output.map { " to \($0)" } ?? "")"]
  }

  /// What a bridge says of it, which no port of it says: what is copied of all ports.
  var setting: String? {
    guard selectsAll || sources.isEmpty && destinations.isEmpty && !vlans.isEmpty else {
      return nil
    }
    let what = vlans.isEmpty ? " of everything" : selection
    return "mirror \(name)\(what)\(output.map { " to \($0)" } ?? "")"
  }

  var json: JSONValue {
    .object([
      ("name", .string(name)), ("selectAll", selectsAll ? true : nil),
      ("sources", sources.isEmpty ? nil : .array(sources.sorted().map { .string($0) })),
      (
        "destinations",
        destinations.isEmpty ? nil : .array(destinations.sorted().map { .string($0) })
      ),
      ("vlans", vlans.isEmpty ? nil : .array(vlans.map { .integer($0) })),
      ("outputPort", outputPort.map { .string($0) }),
      ("outputVLAN", outputVLAN.map { .integer($0) }),
    ])
  }
}
