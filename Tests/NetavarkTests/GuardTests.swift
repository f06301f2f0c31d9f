import TestSupport
import Testing

@Suite("The netavark driver ovs, guarded and behind a firewall", .privateHost)
struct DriverGuardTests {
  /// Whether a ping from an address that is another's is answered.
  private func deceives(_ sandbox: Sandbox) throws -> Bool {
    try sandbox.exec("ip", ["address", "replace", "10.7.0.77/24", "dev", "eth0"]).checked()
    return try sandbox.exec(
      "ping", ["-n", "-c", "1", "-W", "1", "-I", "10.7.0.77", "10.7.0.1"]
    ).status == 0
  }

  @Test("polices what containers send by -o guard, and for one container otherwise")
  func guarded() throws {
    let podman = try PodmanHost()
    let allowing = #"{"allowed": [{"ips": ["10.7.0.77"]}]}"#
    for (network, container, mode, deceives) in [
      ("true", nil, "full", false), ("true", "mac", "mac", true), ("true", "false", "", true),
      ("mac", "true", "full", false), (allowing, nil, "full", true),
    ] as [(String, String?, String, Bool)] {
      let what = "\(network), \(container ?? "")"
      let routed = podman.routed(["guard": .string(network)])
      try podman.call("ovs", ["create"], routed).checked()
      let sandbox = try Sandbox()
      var options: [String: Document] = ["static_ips": ["10.7.0.5"]]
      options["options"] = container.map { ["guard": .string($0)] }
      let request = podman.container("c1", routed, options)
      try podman.setup(sandbox, request)
      #expect(try podman.records().map { $0["guard"].text ?? "" } == [mode], "\(what)")
      #expect(try sandbox.reaches("10.7.0.1"), "\(what)")
      #expect(try self.deceives(sandbox) == deceives, "\(what)")
      try podman.teardown(sandbox.path, request)
      #expect(try podman.traces() == [])
    }
    for options in [
      ["guard": "maybe"], ["guard": "{"], ["guard": #"{"mode": "all"}"#],
      ["guard": #"{"allowed": [{"ips": ["10.7.0.0/33"]}]}"#], ["forward": "drop"],
    ] as [[String: Document]] {
      try podman.expectRefusal(
        podman.call("ovs", ["create"], podman.routed(options)),
        on: "ovs create, options \(Document.object(options)), with a subnet")
    }
    try podman.expectRefusal(
      podman.call("ovs", ["create"], podman.network("ovs", ["guard": "true"])),
      on: "ovs create, options {\"guard\":\"true\"}, without a subnet")
  }

  @Test("is let through the host's forward chains, unless -o forward=leave says otherwise")
  func forward() throws {
    let podman = try PodmanHost()
    let host = podman.host.namespace
    try host.exec("iptables-nft", ["-P", "FORWARD", "DROP"]).checked()
    func rules() throws -> String {
      try host.exec("iptables-nft", ["-S", "FORWARD"]).checked().stdout
    }
    let before = try rules()
    for (option, isOpened) in [("leave", false), ("accept", true)] {
      let sandbox = try Sandbox()
      let container = podman.container(
        "c1", podman.routed(["forward": .string(option)]), ["static_ips": ["10.7.0.5"]])
      try podman.setup(sandbox, container)
      #expect(try (rules() != before) == isOpened)
      try podman.teardown(sandbox.path, container)
      #expect(try rules() == before)
    }
  }
}
