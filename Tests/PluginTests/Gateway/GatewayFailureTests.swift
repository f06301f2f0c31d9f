import Foundation
import TestSupport
import Testing

@Suite("Gateway and masquerade of ovs-bridge, where something is wrong", .privateHost)
struct GatewayFailureTests {
  /// Of a gateway that is the bridge's own port, or one of a VLAN.
  private static let ofEither = [
    "ip address del 10.1.0.1/24 dev GATEWAY",
    "ip address flush dev GATEWAY scope global",
    "ip link set GATEWAY down",
    "sysctl -q -w net.ipv4.ip_forward=0",
    "sysctl -q -w net.ipv6.conf.all.forwarding=0",
    "nft insert rule inet patchbay-net1 postrouting accept",
    "nft flush ruleset",
    "nft flush map inet patchbay-net1 sources6",
    "nft flush chain inet patchbay-net1 outbound",
  ]
  /// The bridge's own port can neither be deleted nor tagged; the MAC address of another is in its
  /// own row.
  private static let ofVLAN = [
    "ovs-vsctl del-port GATEWAY",
    "ovs-vsctl set Port GATEWAY tag=8",
    "ovs-vsctl set Port GATEWAY vlan_mode=trunk",
    #"ovs-vsctl set Interface GATEWAY mac="02:00:00:00:00:99""#,
  ]
  private static let ofBridge = ["ovs-vsctl remove Bridge br1 other_config hwaddr"]
  /// What happens to a gateway, and whether it is one of a VLAN. Where the machine is slow, what
  /// can happen to either happens to one of them, by turns.
  static let cases: [(Tampering, Bool)] =
    ofEither.enumerated().flatMap { turn, command in
      (slowness > 1 ? [turn % 2 == 0] : [false, true]).map { (Tampering(command), $0) }
    } + ofVLAN.map { (Tampering($0), true) } + ofBridge.map { (Tampering($0), false) }

  @Test("CHECK says what is, and what should be", arguments: cases)
  func tampering(tampering: Tampering, isTagged: Bool) throws {
    let routed = try Routed()
    let before = try routed.host.snapshot()
    let sandbox = try Sandbox()
    let gateway = isTagged ? "br1.7" : "br1"
    let configuration = routed.configuration(isTagged ? ["vlan": 7] : [:])
    let result = try routed.add(configuration, "c1", sandbox)
    func check() throws -> PluginResult {
      try routed.plugin.check(
        configuration, previous: result, containerID: "c1", sandbox: sandbox)
    }
    try check().checked()
    let mac = try routed.host.namespace.link(gateway)["address"].text ?? ""
    let command = tampering.command.map { $0 == "GATEWAY" ? gateway : $0 }
    if command[0] == "ovs-vsctl" {
      try routed.ovs.vsctl(["--timeout=\(10 * slowness)"] + command.dropFirst()).checked()
    } else {
      try routed.host.namespace.exec(command[0], Array(command.dropFirst())).checked()
    }
    let changed = try routed.host.settledSnapshot()
    let refused = try check()
    #expect(refused.code == 999, "\(refused)")
    // With its MAC address a TAP device loses those of IPv6.
    let isOfMAC = tampering.testDescription.contains("mac=")
    let parts = refused.message.components(separatedBy: "; ")
    try Messages.expect(
      isOfMAC ? parts.prefix(2).joined(separator: "; ") : refused.message, of: "ovs-bridge",
      on: "CHECK, after \(tampering.testDescription), of \(isTagged ? "a VLAN" : "the bridge")",
      hiding: ["MAC": mac])
    // CHECK changes nothing.
    try routed.expectAsBefore(changed)

    // Whatever it was, DEL gets on with it, and so does the next ADD.
    try routed.del(configuration, "c1", sandbox)
    if gateway == "br1" {
      try routed.host.namespace.exec("ip", ["link", "set", "br1", "up"]).checked()
    }
    try routed.expectAsBefore(before)
    _ = try routed.add(configuration, "c2", sandbox)
    #expect(try sandbox.reaches("192.0.2.2"))
    #expect(try sandbox.reaches("2001:db8:2::2"))
  }

  @Test("GC frees gateways, their addresses and the rules, and only those of its network")
  func collection() throws {
    let routed = try Routed()
    let before = try routed.host.snapshot()
    let sandboxes = try (0..<4).map { _ in try Sandbox() }
    let configuration = routed.configuration()
    let tagged = routed.configuration(["vlan": 7])
    let other = routed.configuration(["name": "net2", "vlan": 8])
    _ = try routed.add(configuration, "c1", sandboxes[0])
    _ = try routed.add(tagged, "c2", sandboxes[1])
    _ = try routed.add(other, "c3", sandboxes[2])
    let kept = try routed.add(configuration, "c4", sandboxes[3])

    try routed.plugin.gc(configuration, valid: [("c4", "eth0")]).checked()
    #expect(try routed.ovs.row("Port", "br1.7").isAbsent)
    #expect(try routed.hostAddresses().count == 2)
    try routed.plugin.check(
      configuration, previous: kept, containerID: "c4", sandbox: sandboxes[3]
    ).checked()

    // The port of the attachment was removed.
    try routed.ovs.vsctl("del-port", kept["interfaces"][0]["name"].text ?? "")
    try routed.plugin.gc(configuration, valid: []).checked()
    #expect(try routed.hostAddresses() == [])
    #expect(try routed.hostAddresses("br1.8").count == 2)
    #expect(try routed.rules().contains("patchbay-net2"))
    #expect(try !routed.rules().contains("patchbay-net1"))
    try routed.del(other, "c3", sandboxes[2])
    try routed.expectAsBefore(before)
  }

  @Test("a port that an ADD on the way finds to be stale takes its gateway with it")
  func stale() throws {
    let routed = try Routed()
    let before = try routed.host.snapshot()
    let configuration = routed.configuration(["ipMasq": false])
    let lost = try Sandbox()
    _ = try routed.add(configuration, "c1", lost)
    lost.delete()
    let plain = routed.network.configuration(["name": "net2"])
    let sandbox = try Sandbox()
    try eventually("the port is found to be stale, and removed") {
      _ = try routed.add(plain, "c2", sandbox)
      try routed.del(plain, "c2", sandbox)
      return try routed.hostAddresses() == []
    }
    try routed.plugin.gc(configuration, valid: []).checked()
    try routed.expectAsBefore(before)
  }

  /// Has every directory in which the plugin looks for nft, so that it adds none.
  private static let path = "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"

  /// Runs the plugin where the host has no nft, or has `other` in its place.
  private func withoutFirewall(
    _ routed: Routed, _ command: String, _ configuration: Document, _ sandbox: Sandbox,
    other: String = "/dev/null"
  ) throws -> PluginResult {
    let nft = try executable("nft")
    let variables = [
      "CNI_COMMAND": command, "CNI_PATH": routed.plugin.searchPath, "CNI_CONTAINERID": "c1",
      "CNI_NETNS": sandbox.path, "CNI_IFNAME": "eth0", "PATH": Self.path,
    ]
    let script = #"mount --bind "$2" "$0" && exec "$1""#
    let output = try routed.host.namespace.exec(
      "unshare", ["-m", "sh", "-c", script, nft, routed.plugin.path, other],
      environment: ProcessInfo.processInfo.environment.merging(variables) { $1 },
      input: configuration.encoded)
    return PluginResult(output)
  }

  /// The message has the directories in which there is no nft.
  private func expect(_ result: PluginResult, _ code: Int, _ occasion: String) throws {
    try Messages.expect(
      result, code: code, of: "ovs-bridge", on: occasion, hiding: ["DIRECTORIES": Self.path])
  }

  @Test(
    "a host without nft is told so by STATUS and ADD, and nothing is left; without need none is")
  func withoutFirewall() throws {
    let routed = try Routed()
    let before = try routed.host.snapshot()
    let sandbox = try Sandbox()
    let configuration = routed.configuration()
    try routed.plugin.status(configuration).checked()
    let status = try withoutFirewall(routed, "STATUS", configuration, sandbox)
    try expect(status, 50, "STATUS, no nft")
    let refused = try withoutFirewall(routed, "ADD", configuration, sandbox)
    try expect(refused, 999, "ADD, no nft")
    // Nothing was made that would have to be undone: not even IPAM was asked.
    let isolated = routed.configuration(["ipMasq": false, "portIsolation": true])
    try expect(
      withoutFirewall(routed, "ADD", isolated, sandbox), 999, "ADD, portIsolation and no nft")
    #expect(!FileManager.default.fileExists(atPath: "\(routed.host.directory.path)/leases"))
    #expect(
      try !routed.host.namespace.exec("nft", ["list", "tables"]).stdout.contains("host_ends"))
    try routed.expectAsBefore(before)
    #expect(try sandbox.ip("link").array.count == 1)
    // What was never made is gone.
    try withoutFirewall(routed, "DEL", configuration, sandbox).checked()

    let plain = routed.configuration(["ipMasq": false])
    try withoutFirewall(routed, "STATUS", plain, sandbox).checked()
    try withoutFirewall(routed, "ADD", plain, sandbox).checked()
    try withoutFirewall(routed, "DEL", plain, sandbox).checked()
    try routed.expectAsBefore(before)

    // Rules that are there cannot be removed so, and that is not kept quiet.
    _ = try routed.add(configuration, "c1", sandbox)
    let failed = try withoutFirewall(routed, "DEL", configuration, sandbox)
    try expect(failed, 999, "DEL, no nft")
    try routed.del(configuration, "c1", sandbox)
    try routed.expectAsBefore(before)
  }

  @Test("a firewall that refuses is told by STATUS and ADD in its own words, and nothing is left")
  func refusingFirewall() throws {
    let routed = try Routed()
    let before = try routed.host.snapshot()
    let sandbox = try Sandbox()
    let nft = try routed.host.directory.write(
      """
      #!/bin/sh
      cat >/dev/null
      echo 'internal:0:0-0: Error: Could not process rule: Operation not permitted'
      exit 1
      """, to: "nft", mode: 0o755)
    let status = try withoutFirewall(
      routed, "STATUS", routed.configuration(), sandbox, other: nft)
    try expect(status, 50, "STATUS, nft refuses")
    let refused = try withoutFirewall(routed, "ADD", routed.configuration(), sandbox, other: nft)
    try expect(refused, 999, "ADD, nft refuses")
    try routed.expectAsBefore(before)
    #expect(try sandbox.ip("link").array.count == 1)
  }

  @Test("eight containers come and go at once", arguments: [false, true])
  func crowd(isTagged: Bool) throws {
    let routed = try Routed()
    let before = try routed.host.snapshot()
    let configuration = routed.configuration(["timeout": 60]).with(isTagged ? ["vlan": 7] : [:])
    let sandboxes = try (0..<8).map { _ in try Sandbox() }
    try atOnce(8) { _ = try routed.add(configuration, "c\($0)", sandboxes[$0]) }
    for sandbox in sandboxes { #expect(try sandbox.reaches("192.0.2.2", count: 1)) }
    // The last ones leave while others come.
    try atOnce(8) { number in
      try routed.del(configuration, "c\(number)", sandboxes[number])
      if number % 2 == 0 { _ = try routed.add(configuration, "c\(number)", sandboxes[number]) }
    }
    for number in stride(from: 0, to: 8, by: 2) {
      #expect(try sandboxes[number].reaches("192.0.2.2"), "container \(number)")
      #expect(try sandboxes[number].reaches("2001:db8:2::2"), "container \(number)")
    }
    try atOnce(8) { try routed.del(configuration, "c\($0)", sandboxes[$0]) }
    try routed.expectAsBefore(before)
  }
}

/// Does `body` with 0..<count, all at once; throws what the first one threw.
private func atOnce(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
  let queue = OperationQueue()
  queue.maxConcurrentOperationCount = count
  let failures = Failures()
  for number in 0..<count {
    queue.addOperation {
      do { try body(number) } catch { failures.add(error) }
    }
  }
  queue.waitUntilAllOperationsAreFinished()
  if let failure = failures.first { throw failure }
}

private final class Failures: @unchecked Sendable {
  private let lock = NSLock()
  private var errors: [any Error] = []
  func add(_ error: any Error) { lock.withLock { errors.append(error) } }
  var first: (any Error)? { lock.withLock { errors.first } }
}
