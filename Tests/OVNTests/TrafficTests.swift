import TestSupport
import Testing

extension OVNTests {
  @Test("TCP, UDP and packets of exactly the MTU pass by VXLAN, and one byte more is refused")
  func vxlan() throws {
    let lab = try Lab.shared
    func setTunnels(_ kind: String) throws {
      for host in lab.hosts { try host.setTunnels(kind) }
      try eventually("tunnels of \(kind)", timeout: .seconds(20)) {
        let kinds = try lab.ovn("sb", "--bare", "--columns=type", "list", "encap")
        return kinds.count == 2 && Set(kinds) == [kind]
      }
    }
    try setTunnels("vxlan")
    // Other tests count on it.
    defer { #expect(throws: Never.self) { try setTunnels("geneve") } }
    let one = try LogicalNetwork(lab)
    let two = one.on(2)
    let (first, second) = (try Sandbox(), try Sandbox())
    let left = try one.add("a", first).checked()
    let right = try two.add("b", second).checked()
    for result in [left, right] { #expect(result["interfaces"][1]["mtu"] == 1450) }
    try expectTraffic(from: first, to: second, at: right.firstAddress, mtu: 1450)
    // It is exact: what is larger does not arrive where the links let it through.
    for (network, sandbox, result) in [(one, first, left), (two, second, right)] {
      let name = result["interfaces"][0]["name"].text ?? ""
      try sandbox.runs("ip", "link", "set", "eth0", "mtu", "1500").checked()
      try network.host.namespace.runs("ip", "link", "set", name, "mtu", "1500").checked()
    }
    #expect(try !first.pings(right.firstAddress, size: 1451 - 28))
    try one.del("a").checked()
    try two.del("b").checked()
    #expect(try one.traces() == [])
  }

  @Test("with all of the central stopped, and ovn-controller restarted, existing traffic goes on")
  func stopped() throws {
    let lab = try Lab.shared
    let one = try LogicalNetwork(lab)
    let two = one.on(2)
    let (first, second) = (try Sandbox(), try Sandbox())
    let left = try one.add("a", first).checked()
    let right = try two.add("b", second).checked()
    try eventually("a way through the tunnel") { try first.pings(right.firstAddress) }
    let central = ["nb", "sb", "northd", "ipam"]
    for name in central { lab.daemon(name)?.suspend() }
    defer { for name in central { lab.daemon(name)?.resume() } }
    #expect(try first.pings(right.firstAddress, count: 5))
    try lab.hosts[0].restartController()
    // One of these meets the new one as it begins, and all of them a central that says nothing.
    for _ in 0..<3 { #expect(try first.pings(right.firstAddress, count: 5)) }
    for name in central { lab.daemon(name)?.resume() }
    try eventually("all is as ADD made it", timeout: .seconds(30)) {
      try one.check("a", first, left).status == 0 && two.check("b", second, right).status == 0
    }
    #expect(try second.pings(left.firstAddress, count: 3))
    try one.del("a").checked()
    try two.del("b").checked()
    #expect(try one.traces() == [])
  }
}
