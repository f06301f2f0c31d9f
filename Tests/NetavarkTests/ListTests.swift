import Foundation
import TestSupport
import Testing

@Suite("The netavark driver cni", .privateHost) struct DriverCNITests {
  /// A plugin that writes down what it gets, and hands on.
  private func writeSpy(_ podman: PodmanHost) throws {
    let seen = "\(podman.host.directory.path)/seen"
    try podman.host.directory.write(
      """
      #!/bin/sh
      cat >\(seen).$CNI_COMMAND
      echo "$CNI_ARGS" >\(seen).args
      [ $CNI_COMMAND != ADD ] || jq .prevResult <\(seen).ADD
      """, to: "bin/spy", mode: 0o755)
  }

  @Test("runs the whole list, and gives it names, ports and addresses")
  func list() throws {
    let podman = try PodmanHost()
    try writeSpy(podman)
    try podman.writeList("ovs-1", [["type": "spy", "capabilities": ["portMappings": true]]])
    let network = podman.network("cni", ["network": "ovs-1"])
    let sandbox = try Sandbox()
    let ports: Document = [
      "container_port": 80, "host_port": 8080, "host_ip": "", "protocol": "tcp,udp", "range": 2,
    ]
    let container = podman.container(
      "c1", network, ["static_ips": ["10.1.0.77"], "port_mappings": [ports]])
    let status = try podman.setup(sandbox, container)
    let link = try sandbox.ip("address", "show", "eth0")[0]
    #expect(status["interfaces"]["eth0"]["mac_address"] == link["address"])
    #expect(
      status["interfaces"]["eth0"]["subnets"]
        == [["ipnet": "10.1.0.77/24", "gateway": "10.1.0.1"]])
    #expect(status["interfaces"].members.count == 1, "the host end is not the container's")
    #expect(try podman.records().map { $0["runtime"] } == ["netavark"])
    #expect(try podman.records().map { $0["containerName"] } == ["name-of-c1"])

    let seen = try Document(parsing: Array((podman.host.directory.read("seen.ADD") ?? "").utf8))
    let found = seen["runtimeConfig"]["portMappings"].array
    #expect(found.count == 4)
    #expect(
      Set(found.map { "\($0["hostPort"]) \($0["containerPort"]) \($0["protocol"].text ?? "")" })
        == ["8080 80 tcp", "8081 81 tcp", "8080 80 udp", "8081 81 udp"])
    #expect(podman.host.directory.read("seen.args")?.contains("K8S_POD_NAME=name-of-c1") == true)

    for _ in 0..<2 {
      try podman.teardown(sandbox.path, container)
      #expect(try podman.traces() == [])
    }
  }

  @Test("refuses ports that no plugin of the list publishes, and options of a container")
  func refused() throws {
    let podman = try PodmanHost()
    try podman.writeList("ovs-1")
    let network = podman.network("cni", ["network": "ovs-1"])
    let sandbox = try Sandbox()
    let ports: Document = [["container_port": 80, "host_port": 8080]]
    for members in [
      ["port_mappings": ports], ["options": ["vlan": "7"]], ["static_ips": ["10.99.0.1"]],
      ["static_ips": ["10.1.0.7"], "static_mac": "01:00:00:00:00:01"],
    ] as [[String: Document]] {
      let result = try podman.call(
        "cni", ["setup", sandbox.path], podman.container("c1", network, members))
      try podman.expectRefusal(result, on: "cni setup, \(Document.object(members))")
      #expect(try podman.traces() == [])
      #expect(try sandbox.ip("link").array.count == 1)
    }
    // Another network of the container publishes them.
    let quiet = podman.network("cni", ["network": "ovs-1", "publish": "false"])
    let container = podman.container("c1", quiet, ["port_mappings": ports])
    try podman.setup(sandbox, container)
    try podman.teardown(sandbox.path, container)
    #expect(try podman.traces() == [])
  }

  @Test("a list that was edited or deleted meanwhile is no obstacle to teardown")
  func edited() throws {
    let podman = try PodmanHost()
    try podman.writeList("ovs-1")
    let sandbox = try Sandbox()
    let container = podman.container("c1", podman.network("cni", ["network": "ovs-1"]))
    try podman.setup(sandbox, container)
    unlink("\(podman.host.directory.path)/net.d/ovs-1.conflist")
    try podman.teardown(sandbox.path, container)
    #expect(try podman.traces() == [])
  }

  @Test("teardown of what is not there succeeds, whatever of the list and the network is missing")
  func repeated() throws {
    let podman = try PodmanHost()
    let sandbox = try Sandbox()
    let file = "\(podman.host.directory.path)/net.d/ovs-1.conflist"
    let container = podman.container("c1", podman.network("cni", ["network": "ovs-1"]))
    // As podman stores it, and with nothing that says which list it is.
    let plain = podman.network("cni").with(["options": .absent])
    let stripped = podman.container("c1", plain)
    for request in [container, stripped] {
      try podman.teardown(sandbox.path, request)
      try podman.writeList("ovs-1")
      try podman.teardown(sandbox.path, request)
      try podman.setup(sandbox, container)
      unlink(file)
      for _ in 0..<2 {
        try podman.teardown(sandbox.path, request)
        #expect(try podman.traces() == [])
      }
    }
    // What is kept of others is not what is meant.
    try podman.writeList("ovs-1")
    try podman.setup(sandbox, container)
    let before = try podman.traces().sorted()
    try podman.teardown(sandbox.path, podman.container("c2", plain))
    try podman.writeList("n1")
    try podman.teardown(sandbox.path, stripped)
    #expect(try podman.traces().sorted() == before, "a network n1 is there, and is meant")
    try podman.teardown(sandbox.path, container)
    #expect(try podman.traces() == [])
  }

  @Test("GC of a CNI runtime that shares the list leaves podman's attachments alone")
  func shared() throws {
    let podman = try PodmanHost()
    try podman.writeList("ovs-1")
    let sandbox = try Sandbox()
    let container = podman.container("c1", podman.network("cni", ["network": "ovs-1"]))
    try podman.setup(sandbox, container)
    let before = try podman.traces().sorted()
    #expect(before.count >= 4)
    for words in [["--none-valid"], []] {
      let output = try podman.host.namespace.exec(
        "\(Plugin.directory)/patchbay",
        ["gc", "ovs-1", "--cache-dir", "\(podman.host.directory.path)/cache"] + words,
        environment: podman.environment
      ).checked()
      #expect(output.stdout == "", "\(output)")
      #expect(try podman.traces().sorted() == before)
    }
    #expect(try sandbox.ip("link", "show", "eth0").array.count == 1)
    try podman.teardown(sandbox.path, container)
    #expect(try podman.traces() == [])
  }
}
