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
}
