import TestSupport
import Testing

@Suite("The netavark driver ovs", .privateHost) struct DriverOVSTests {
  @Test("gives podman's addresses, the gateway of its network and VLANs, and takes all away")
  func routed() throws {
    let podman = try PodmanHost()
    let network = podman.routed(["vlan": "7"])
    let sandboxes = [try Sandbox(), try Sandbox()]
    let containers = (0..<2).map {
      podman.container("c\($0)", network, ["static_ips": [.string("10.7.0.\($0 + 5)")]])
    }
    for (sandbox, container) in zip(sandboxes, containers) {
      let status = try podman.setup(sandbox, container)
      #expect(status["interfaces"]["eth0"]["subnets"][0]["gateway"] == "10.7.0.1")
    }
    #expect(try sandboxes[0].reaches("10.7.0.6"))
    #expect(try sandboxes[0].reaches("10.7.0.1"))
    let route = try sandboxes[0].ip("route", "show", "default")
    #expect(route[0]["gateway"] == "10.7.0.1")
    #expect(route[0]["metric"] == 100)
    let tags = try podman.host.openVSwitch.rows("Port").filter {
      $0["name"].text?.hasPrefix("veth") == true
    }.map { $0["tag"] }
    #expect(tags == [7, 7])
    #expect(
      try podman.host.namespace.exec("nft", ["list", "ruleset"]).stdout.contains("masquerade"))
    for (sandbox, container) in zip(sandboxes, containers) {
      try podman.teardown(sandbox.path, container)
    }
    #expect(try podman.traces() == [])
  }

  @Test("an internal network has neither gateway nor default route; a container has its own VLAN")
  func isolated() throws {
    let podman = try PodmanHost()
    let network = podman.routed(
      ["vlan": "7"], ["internal": true, "subnets": [["subnet": "10.7.0.0/24"]]])
    let sandbox = try Sandbox()
    let container = podman.container(
      "c1", network,
      [
        "static_ips": ["10.7.0.5"], "options": ["vlan": "20"],
        "static_mac": "02:00:00:00:00:05", "interface_name": "lan",
        "port_mappings": [["container_port": 80, "host_port": 8080]],
      ])
    let result = try podman.call("ovs", ["setup", sandbox.path], container)
    #expect(
      try result.checked()["interfaces"]
        == ["lan": ["mac_address": "02:00:00:00:00:05", "subnets": [["ipnet": "10.7.0.5/24"]]]])
    try Messages.expect(
      result.stderr, of: "netavark-driver", on: "ovs setup, ports and a network that is internal")
    #expect(try sandbox.ip("route", "show", "default") == [])
    #expect(try !sandbox.reaches("10.7.0.1"))
    let ports = try podman.host.openVSwitch.rows("Port").filter { $0["name"] != "br1" }
    #expect(ports.map { $0["tag"] } == [20])
    try podman.teardown(sandbox.path, container)
    #expect(try podman.traces() == [])
  }

  @Test("without podman's addresses the address goes by the container's name")
  func sticky() throws {
    let podman = try PodmanHost()
    let network = podman.network(
      "ovs", ["subnet": "10.7.0.0/24,fd00:7::/64"], ["ipam_options": ["driver": "none"]])
    try podman.call("ovs", ["create"], network).checked()
    func address(of id: String, _ name: String, _ members: [String: Document] = [:]) throws
      -> (Document, Document, Sandbox)
    {
      let sandbox = try Sandbox()
      let container = podman.container(
        id, network, members.merging(["container_name": .string(name)]) { $1 })
      let status = try podman.setup(sandbox, container)
      return (status["interfaces"]["eth0"]["subnets"], container, sandbox)
    }
    let (first, web, one) = try address(of: "c1", "web")
    let (other, _, two) = try address(of: "c2", "db")
    #expect(first.array.count == 2)
    #expect(first != other)
    try podman.teardown(one.path, web)
    let (again, _, three) = try address(of: "c3", "web")
    #expect(again == first)
    let (asked, _, four) = try address(of: "c4", "x", ["static_ips": ["10.7.0.99"]])
    #expect(asked[0]["ipnet"] == "10.7.0.99/24")
    #expect(try four.ip("-6", "route", "show", "default")[0]["metric"] == 100)
    for (id, sandbox) in [("c2", two), ("c3", three), ("c4", four)] {
      try podman.teardown(sandbox.path, podman.container(id, network))
    }
    #expect(try podman.records() == [])
  }

  @Test("setup that fails leaves nothing, and says why")
  func refused() throws {
    let podman = try PodmanHost()
    let sandbox = try Sandbox()
    let l2 = podman.network("ovs")
    let ports: Document = [["container_port": 80, "host_port": 8080]]
    for (what, network, members) in [
      ("a network of 10.7.0.0/24", podman.routed(), ["static_ips": ["10.8.0.5"]]),
      (
        "a network of 10.7.0.0/24", podman.routed(),
        ["static_ips": ["10.7.0.5"], "options": ["colour": "red"]]
      ),
      (
        "a network of 10.7.0.0/24", podman.routed(),
        ["static_ips": ["10.7.0.5"], "interface_name": "lo"]
      ),
      ("a network without a subnet", l2, ["static_ips": ["10.7.0.5"]]),
      ("a network without a subnet", l2, ["port_mappings": ports]),
      ("a network of VLAN 5000", podman.network("ovs", ["vlan": "5000"]), [:]),
    ] as [(String, Document, [String: Document])] {
      let result = try podman.call(
        "ovs", ["setup", sandbox.path], podman.container("c1", network, members))
      try podman.expectRefusal(
        result, on: "ovs setup, \(what), \(Document.object(members))",
        hiding: ["SANDBOX": sandbox.path])
      #expect(try podman.traces() == [])
    }
    let gone = try podman.call(
      "ovs", ["setup", "/run/netns/no-such"], podman.container("c1", l2))
    try podman.expectRefusal(gone, on: "ovs setup, of a namespace that is not there")
    #expect(try podman.traces() == [])
  }

  @Test("what is there already stays: an interface of the name, and the attachment itself")
  func repeated() throws {
    let podman = try PodmanHost()
    let sandbox = try Sandbox()
    try sandbox.exec("ip", ["link", "add", "eth0", "type", "veth", "peer", "name", "x0"]).checked()
    let container = podman.container("c1", podman.routed(), ["static_ips": ["10.7.0.5"]])
    let taken = try podman.call("ovs", ["setup", sandbox.path], container)
    try podman.expectRefusal(
      taken, on: "ovs setup, where there is an interface of the name",
      hiding: ["SANDBOX": sandbox.path])
    #expect(try sandbox.ip("link", "show", "eth0")[0]["link"] == "x0")
    #expect(try podman.traces() == [])
    try sandbox.exec("ip", ["link", "delete", "eth0"]).checked()

    try podman.setup(sandbox, container)
    let before = try podman.traces().sorted()
    let again = try podman.call("ovs", ["setup", sandbox.path], container)
    #expect(again.refusal?.contains("already") == true, "\(again)")
    #expect(try podman.traces().sorted() == before)
    #expect(try sandbox.reaches("10.7.0.1"))
    try podman.teardown(sandbox.path, container)
    #expect(try podman.traces() == [])
  }
}
