import Foundation
import TestSupport
import Testing

extension OVNTests {
  @Test("portmap after it is refused without a way of the host to the container, and works by one")
  func portmap() throws {
    let lab = try Lab.shared
    let network = try LogicalNetwork(lab)
    let host = network.host
    let sandbox = try Sandbox()
    let result = try network.add("a", sandbox).checked()
    let portmap = Plugin("portmap", in: host.namespace)
    let mappings: Document = [["hostPort": 8080, "containerPort": 7000, "protocol": "tcp"]]
    let configuration: Document = [
      "cniVersion": "1.1.0", "name": .string(network.name), "type": "portmap", "masqAll": true,
      "prevResult": result, "runtimeConfig": ["portMappings": mappings],
    ]
    func publish() throws -> PluginResult {
      try portmap.add(configuration, containerID: "a", sandbox: sandbox)
    }
    try Messages.expect(
      publish(), code: 100, of: "portmap", on: "ADD after ovn, no route to the container",
      hiding: ["ADDRESS": result.firstAddress])

    // A port of the host on the logical switch, as README.md of the plugin has it.
    let port = "\(network.logicalSwitch)-h1"
    let mac = "02:00:00:00:01:fe"
    try lab.ovn(
      "nb", "lsp-add", network.logicalSwitch, port, "--", "lsp-set-addresses", port,
      "\(mac) 10.244.0.254")
    try host.openVSwitch.vsctl(
      "add-port", "br-int", "ls-host", "--", "set", "Interface", "ls-host", "type=internal",
      "mac=\"\(mac)\"", "external_ids:iface-id=\(port)")
    try host.namespace.runs("ip", "address", "add", "10.244.0.254/24", "dev", "ls-host").checked()
    try host.namespace.runs("ip", "link", "set", "ls-host", "up").checked()
    try host.namespace.runs("sysctl", "-w", "net.ipv4.ip_forward=1").checked()
    try eventually("a way to the container", timeout: .seconds(20)) {
      try host.namespace.pings(result.firstAddress)
    }
    let echo = "\(Plugin.debugDirectory)/echo"
    let server = try Daemon(
      "ip", ["netns", "exec", sandbox.name, echo, "serve", "right", "7000"],
      environment: ProcessInfo.processInfo.environment, log: "/dev/null")
    defer { server.stop() }
    #expect(try publish().checked() == result)
    for client in [host.namespace, lab.central] {
      try eventually("an answer by the published port") {
        try client.runs(echo, "ask", "tcp", "172.31.0.1", "8080").stdout.hasPrefix("right ")
      }
    }
    try portmap.check(
      configuration, previous: result, containerID: "a", sandbox: sandbox
    ).checked()
    try portmap.del(configuration, containerID: "a", sandbox: nil).checked()
    try network.del("a", sandbox).checked()
    #expect(
      try !host.namespace.runs("nft", "list", "tables").checked().stdout.contains("patchbay-ports"))
    try host.openVSwitch.vsctl("del-port", "br-int", "ls-host")
    try lab.ovn("nb", "lsp-del", port)
    #expect(try network.traces() == [])
  }

  @Test("mirror plugins after it copy what its container sends, also to what is no port of OVN")
  func mirrors() throws {
    let network = try LogicalNetwork(try Lab.shared)
    let host = network.host
    let (watched, peer, watcher) = (try Sandbox(), try Sandbox(), try Sandbox())
    let result = try network.add("a", watched).checked()
    let other = try network.add("b", peer).checked()
    let plain: Document = [
      "cniVersion": "1.1.0", "name": "watchers", "type": "ovs-bridge", "bridge": "br-int",
      "socket_file": .string(host.openVSwitch.endpoint),
    ]
    let bridge = Plugin("ovs-bridge", in: host.namespace)
    let output = try bridge.add(plain, containerID: "w", sandbox: watcher).checked()
    func received() throws -> Int {
      try ip(in: watcher, ["-s", "link", "show", "eth0"])[0]["stats64"]["rx"]["packets"].integer
        ?? 0
    }
    try eventually("a way to the peer") { try watched.pings(other.firstAddress) }
    #expect(try received() == 0, "nothing leads there")

    func mirror(_ type: String, _ previous: Document) -> Document {
      plain.with([
        "type": .string(type), "name": .string(network.name), "prevResult": previous,
        "mirrors": [["name": "m1", "ingress": true]],
      ])
    }
    let producer = Plugin("ovs-mirror-producer", in: host.namespace)
    let consumer = Plugin("ovs-mirror-consumer", in: host.namespace)
    let (source, target) = (
      mirror("ovs-mirror-producer", result),
      mirror("ovs-mirror-consumer", output).with(["name": "watchers"])
    )
    #expect(try producer.add(source, containerID: "a", sandbox: watched).checked() == result)
    try consumer.add(target, containerID: "w", sandbox: watcher).checked()
    try eventually("a copy") {
      _ = try watched.pings(other.firstAddress)
      return try received() > 0
    }
    try producer.check(source, previous: result, containerID: "a", sandbox: watched).checked()
    try network.check("a", watched, result).checked()
    try producer.del(source, containerID: "a", sandbox: nil).checked()
    try consumer.del(target, containerID: "w", sandbox: nil).checked()
    #expect(try host.openVSwitch.rows("Mirror") == [])
    try bridge.del(plain, containerID: "w", sandbox: watcher).checked()
    for id in ["a", "b"] { try network.del(id).checked() }
    #expect(try network.traces() == [])
  }
}
