import TestSupport
import Testing

extension DetachTests {
  /// Deletes the sandbox of `c1`, and waits until ovs-vswitchd has seen it.
  private func lose(_ attached: Attached) throws {
    attached.sandbox.delete()
    try eventually("ovs-vswitchd sees that the link is gone") {
      try attached.network.host.openVSwitch.rows("Interface").contains {
        $0["external_ids"]["containerID"] == "c1" && ($0["ifindex"] == 0 || $0["error"] != [])
      }
    }
  }

  @Test(
    "frees the lease of a row that another ADD has removed, where other rows tell its place",
    arguments: [.absent, [:], ["type": "host-local"]] as [Document])
  func removedRow(ipam: Document) throws {
    let attached = try Attached()
    let (plugin, ovs) = (attached.network.plugin, attached.network.host.openVSwitch)
    try lose(attached)
    let other = try Sandbox()
    try plugin.add(attached.configuration, containerID: "c2", sandbox: other).checked()
    #expect(try ovs.ports(of: "br1").count == 1, "the row of c1 is gone")
    #expect(attached.leases == ["10.1.0.2", "10.1.0.3"])
    let stripped = attached.configuration.with(["ipam": ipam, "bridge": .absent])
    try plugin.del(stripped, containerID: "c1", sandbox: nil).checked()
    #expect(attached.leases == ["10.1.0.3"])
    try plugin.del(stripped, containerID: "c2", sandbox: nil).checked()
    #expect(try attached.leftovers() == [])
  }

  @Test("finds the row that alone tells the place of a lease: no ADD of another network removes it")
  func keptRow() throws {
    let attached = try Attached()
    let (plugin, ovs) = (attached.network.plugin, attached.network.host.openVSwitch)
    // Of this one nothing has to be known.
    let plain = attached.network.configuration([
      "name": "net2", "ipam": ["type": "static", "addresses": [["address": "10.2.0.2/24"]]],
    ])
    try plugin.add(plain, containerID: "c1", sandbox: attached.sandbox, ifname: "net1").checked()
    try lose(attached)
    let other = try Sandbox()
    let another = attached.network.configuration(["name": "net3"])
    try eventually("only the row without a lease is removed") {
      try plugin.add(another, containerID: "c2", sandbox: other).checked()
      defer { _ = try? plugin.del(another, containerID: "c2", sandbox: other) }
      return try ovs.ports(of: "br1").count == 2
    }
    try plugin.del(
      attached.configuration.with(["ipam": ["type": "host-local"]]), containerID: "c1",
      sandbox: nil
    ).checked()
    #expect(try attached.leftovers() == [])
  }
}
