import Foundation
import Testing
import TestSupport

@Suite("The private place", .privateHost)
struct PrivateTests {
  @Test("a sandbox has its lo up, and is gone when its value is")
  func sandbox() throws {
    var path = ""
    do {
      let sandbox = try Sandbox()
      path = sandbox.path
      let links = try sandbox.ip("link")
      #expect(links.array.count == 1)
      #expect(links[0]["ifname"] == "lo")
      #expect(links[0]["flags"].array.contains("UP"))
      #expect(FileManager.default.fileExists(atPath: path))
      #expect(try sandbox.exec("ping", ["-c1", "127.0.0.1"]).status == 0)
    }
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test("Open vSwitch forwards between two sandboxes on the userspace datapath")
  func openVSwitch() throws {
    let host = try TestHost()
    let bridge = try host.openVSwitch.addBridge()
    let before = try host.snapshot()
    let sandboxes = try [Sandbox(), Sandbox()]
    for (number, sandbox) in sandboxes.enumerated() {
      let name = "v\(number)"
      let inside = host.namespace
      try inside.exec(
        "ip",
        ["link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", sandbox.name]
      ).checked()
      try inside.exec("ip", ["link", "set", name, "up"]).checked()
      try sandbox.exec("ip", ["address", "add", "10.0.0.\(number + 1)/24", "dev", "eth0"]).checked()
      try sandbox.exec("ip", ["link", "set", "eth0", "up"]).checked()
      try host.openVSwitch.vsctl("add-port", bridge, name, "--", "set", "Port", name, "tag=7")
    }
    #expect(try host.openVSwitch.ports(of: bridge) == ["v0", "v1"])
    #expect(try host.openVSwitch.row("Port", "v0")["tag"] == 7)
    let port = try host.openVSwitch.row("Interface", "v0")["ofport"].integer
    #expect((port ?? 0) > 0)
    try eventually("a ping between the sandboxes") {
      try sandboxes[0].exec("ping", ["-c1", "-W1", "10.0.0.2"]).status == 0
    }
    #expect(try host.snapshot().difference(from: before).contains("+ Port: "))
    for name in ["v0", "v1"] {
      try host.openVSwitch.vsctl("del-port", bridge, name)
      try host.namespace.exec("ip", ["link", "delete", name]).checked()
    }
    try eventually("all as before") { try host.snapshot().difference(from: before).isEmpty }
  }

  @Test("one for all tests, and others beside it that only serve a database")
  func servers() throws {
    let shared = try OpenVSwitch.shared
    let bridge = try shared.addBridge()
    #expect(try ip("link", "show", bridge)[0]["ifname"] == .string(bridge))
    try shared.vsctl("del-br", bridge)

    let database = try OpenVSwitch.start(switching: false)
    let server = try #require(database.server)
    server.suspend()
    #expect(try database.vsctl(["--no-wait", "--timeout=1", "show"]).status != 0)
    server.resume()
    #expect(try database.vsctl(["--no-wait", "--timeout=5", "show"]).status == 0)
    database.stopServer()
    #expect(try database.vsctl(["--no-wait", "--timeout=1", "show"]).status != 0)
    try database.startServer()
    #expect(try database.vsctl(["--no-wait", "show"]).status == 0)
  }

  @Test("the reference plugins of Debian can be run")
  func references() throws {
    let version = try Plugin("host-local", reference: true).version("1.0.0").checked()
    #expect(version["supportedVersions"].array.contains("1.0.0"))
    let sandbox = try Sandbox()
    let loopback = Plugin("loopback", reference: true)
    let configuration: Document = ["cniVersion": "1.0.0", "name": "lo", "type": "loopback"]
    let result = try loopback.add(configuration, containerID: "c1", sandbox: sandbox, ifname: "lo")
    #expect(try result.checked()["ips"][0]["address"] == "127.0.0.1/8")
    let refused = try loopback.call(
      "ADD", configuration, containerID: nil, sandbox: "/x", ifname: "lo")
    #expect(refused.status == 1)
    #expect(refused.code == 4)
  }
}
