import TestSupport
import Testing

extension OVNTests {
  /// What a host does with a container that has the ID of another host's.
  enum Deed: String, CaseIterable {
    case add, addAgain, addInAnotherSandbox, check, del, gcOfAll, gcOfOthers, status
  }

  @Test(
    "on two hosts with the same container IDs, no command of one touches what the other has",
    arguments: Deed.allCases)
  func sameNames(_ deed: Deed) throws {
    let lab = try Lab.shared
    let one = try LogicalNetwork(lab)
    let two = one.on(2)
    let (first, second) = (try Sandbox(), try Sandbox())
    let other = try two.add("c", second).checked()
    let own = deed == .add ? nil : try one.add("c", first).checked()
    let before = try two.belongings()
    #expect(before.count == 4, "\(before)")
    var remains = true
    switch deed {
    case .add: #expect(try one.add("c", first).checked().firstAddress != other.firstAddress)
    case .addAgain: #expect(try one.add("c", first).code == 100)
    case .addInAnotherSandbox:
      // It replaces what this host has of it.
      let next = try Sandbox()
      let result = try one.add("c", next).checked()
      try one.check("c", next, result).checked()
      #expect(try one.belongings().count == 4)
      try one.del("c").checked()
      remains = false
    case .check:
      try one.check("c", first, own).checked()
      #expect(try one.check("c", first, other).status == 1, "it is not the other's")
    case .del:
      try one.del("c").checked()
      try one.del("c").checked()
      remains = false
    case .gcOfAll:
      try one.age()
      try one.gc([]).checked()
      remains = false
    case .gcOfOthers:
      try one.age()
      try one.gc(["c"]).checked()
      try one.gc(nil).checked()
    case .status: try one.host.plugin().status(one.configuration).checked()
    }
    #expect(try one.belongings().count == (remains ? 4 : 0))
    #expect(try two.belongings() == before)
    try two.check("c", second, other).checked()
    try one.del("c").checked()
    try two.del("c").checked()
    #expect(try one.traces() == [])
  }
}

extension LogicalNetwork {
  /// What the host has on the network, each line one thing with what makes it that: its logical
  /// ports, leases, ports and links.
  func belongings() throws -> [String] {
    let own = "\(host.name)/\(name)/"
    var lines = try lab.ports(of: logicalSwitch).filter {
      $0["name"].text?.hasPrefix(own) == true
    }.map { port in
      ["_uuid", "name", "addresses", "port_security", "options", "external_ids"].map {
        "\(port[$0])"
      }.joined(separator: " ")
    }
    lines += try lab.leases(name).filter { $0.value.hasPrefix(own) }.map { "\($0) \($1)" }
    for row in try host.openVSwitch.rows("Port")
    where row["external_ids"]["network"] == .string(name) {
      lines.append("port \(row["_uuid"]) \(row["name"]) \(row["external_ids"]["addresses"])")
    }
    for link in try TestSupport.ip(in: host.namespace, ["link", "show", "type", "veth"]).array
    where link["ifalias"].text?.contains(name) == true {
      lines.append("link \(link["ifindex"]) \(link["ifname"])")
    }
    return lines.sorted()
  }

  /// Has its leases be old, so that no ADD that goes on can be meant by them.
  func age() throws {
    try run(
      "ovsdb-client",
      [
        "-t", "\(10 * slowness)", "transact", lab.addresses,
        #"["CNI_IPAM",{"op":"update","table":"Lease","where":[["network","==","\#(name)"]],"#
          + #""row":{"created":1}}]"#,
      ]
    ).checked()
  }
}
