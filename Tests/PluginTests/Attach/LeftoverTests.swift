import TestSupport
import Testing

extension AttachTests {
  @Test("replaces whatever an ADD that never ended has left, and what has lost its link")
  func leftovers() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let configuration = network.configuration()
    let first = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox).checked()
    let name = first["interfaces"][0]["name"].text ?? ""

    // The link is there without its port; the mark of an ADD that ended is not; the port is there
    // without its link.
    try network.host.openVSwitch.vsctl("del-port", "br1", name)
    try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox).checked()
    try sandbox.exec("ip", ["link", "set", "eth0", "group", "\(0x6000_0000)"]).checked()
    try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox).checked()
    try network.host.namespace.exec("ip", ["link", "del", name]).checked()
    let last = try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox).checked()

    try network.plugin.check(configuration, previous: last, containerID: "c1", sandbox: sandbox)
      .checked()
    #expect(try network.host.openVSwitch.ports(of: "br1") == [name])
  }

  @Test("removes ports of ours whose links are gone, on any bridge, and no others")
  func stalePorts() throws {
    let network = try Network()
    let ovs = network.host.openVSwitch
    try ovs.addBridge("br2")
    let (gone, here) = (try Sandbox(), try Sandbox())
    let elsewhere = network.configuration(["bridge": "br2"])
    try network.plugin.add(elsewhere, containerID: "gone", sandbox: gone).checked()
    // A port of others without a link has an error, too.
    try ovs.vsctl("--no-wait", "add-port", "br2", "alien0")
    gone.delete()
    try eventually("ovs-vswitchd sees that the link is gone") {
      try ovs.rows("Interface").contains {
        $0["external_ids"]["containerID"] == "gone" && ($0["ifindex"] == 0 || $0["error"] != [])
      }
    }
    try network.plugin.add(network.configuration(), containerID: "here", sandbox: here).checked()
    #expect(try ovs.ports(of: "br2") == ["alien0"])
    #expect(try ovs.ports(of: "br1").count == 1)
  }
}
