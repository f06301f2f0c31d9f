import Foundation
import TestSupport
import Testing

@Suite("An ADD that fails or is killed", .privateHost) struct RollbackTests {
  @Test("undoes all it did within 5 s, though neither ovsdb-server nor the IPAM plugin reacts")
  func oneDeadline() throws {
    let network = try Network()
    let ovs = network.host.openVSwitch
    // By its name one that is asked before the port forwards; it takes a minute to free an address.
    let ipam = try network.host.directory.write(
      """
      #!/bin/sh
      [ "$CNI_COMMAND" = ADD ] || exec sleep 60
      echo '{"cniVersion": "1.1.0", "ips": [{"address": "10.1.0.2/24"}]}'
      """, to: "bin/static", mode: 0o755)
    let path = (ipam as NSString).deletingLastPathComponent
    let sandbox = try Sandbox()
    let timeout = 3 * slowness
    let configuration = network.configuration([
      "timeout": .integer(timeout), "ipam": ["type": "static"],
    ])
    ovs.switching?.suspend()
    let durations = try atOnce([true, false]) { isAdding in
      let began = ContinuousClock.now
      if isAdding {
        let result = try network.plugin.add(
          configuration, containerID: "c1", sandbox: sandbox, path: path, timeout: .seconds(60))
        #expect(result.code == 11, "\(result)")
      } else {
        try eventually("the port is there, and ADD waits for ovs-vswitchd") {
          try ovs.vsctl(
            "--no-wait", "--bare", "--columns=name", "find", "Port", "external_ids:owner=patchbay"
          ).count == 1
        }
        ovs.server?.suspend()
      }
      return ContinuousClock.now - began
    }
    ovs.server?.resume()
    ovs.switching?.resume()
    // With 5 s for each of the two it would be 10 s more than the timeout.
    #expect(durations[0] < .seconds(timeout + 8 * slowness), "\(durations)")
    #expect(try sandbox.ip("link").array.count == 1)
    // What could not be undone is left to DEL.
    try network.plugin.del(
      network.configuration(["ipam": ["type": "static"]]), containerID: "c1", sandbox: sandbox
    ).checked()
    #expect(try ovs.ports(of: "br1") == [])
  }

  @Test("never takes an address of the gateway from the others, killed at whatever moment")
  func gatewayStays() throws {
    let routed = try Routed()
    let configuration = routed.configuration()
    let sandboxes = try (0..<3).map { _ in try Sandbox() }
    let first = try routed.add(configuration, "c0", sandboxes[0])
    let addresses = try routed.hostAddresses()
    #expect(addresses.count == 2)
    let log = "\(routed.host.directory.path)/addresses"
    let monitor = try Daemon(
      "ip", ["-n", routed.host.namespace.name, "-o", "monitor", "address"],
      environment: ProcessInfo.processInfo.environment, log: log)
    defer { monitor.stop() }
    let rounds = isSoak ? 200 : 12
    for round in 0..<rounds {
      // Two that join at once: one is killed, the other is not.
      try atOnce([1, 2]) { number in
        if number == 1 {
          _ = try? routed.plugin.add(
            configuration, containerID: "c1", sandbox: sandboxes[1],
            timeout: .milliseconds(2 + 4 * round % 60))
        } else {
          let result = try routed.plugin.add(
            configuration, containerID: "c2", sandbox: sandboxes[2])
          #expect(result.status == 0, "\(result)")
        }
      }
      #expect(try routed.hostAddresses() == addresses)
      try routed.del(configuration, "c1", sandboxes[1])
      try routed.del(configuration, "c2", sandboxes[2])
      #expect(try routed.hostAddresses() == addresses)
    }
    let violations = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
      .filter { $0.contains("Deleted") && $0.contains(" br1 ") }
    #expect(violations == [])
    try routed.plugin.check(
      configuration, previous: first, containerID: "c0", sandbox: sandboxes[0]
    ).checked()
    figures(
      "gateway that two ADDs join, one of them killed \(rounds) times: \(violations.count) violations"
    )
    try routed.del(configuration, "c0", sandboxes[0])
    try eventually("the monitor sees them go") {
      try String(contentsOfFile: log, encoding: .utf8).contains("Deleted")
    }
  }

  @Test("that is refused gives the IPAM plugin, which is there already, nothing to do")
  func heldIPAM() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let directory = network.host.directory
    let ipam = try directory.write(
      """
      #!/bin/sh
      read -r line
      [ -z "$line" ] || echo "$CNI_COMMAND" >> \(directory.path)/commands
      echo '{"cniVersion": "1.1.0", "ips": [{"address": "10.1.0.2/24"}]}'
      """, to: "bin/static", mode: 0o755)
    let path = (ipam as NSString).deletingLastPathComponent
    func add(bridge: String) throws -> PluginResult {
      try network.plugin.add(
        network.configuration([
          "bridge": .string(bridge), "createBridge": false, "ipam": ["type": "static"],
        ]), containerID: "c1", sandbox: sandbox, path: path)
    }
    #expect(try add(bridge: "nowhere").status != 0)
    #expect(directory.read("commands") == nil)
    #expect(try add(bridge: network.bridge).status == 0)
    #expect(directory.read("commands") == "ADD\n")
  }
}
