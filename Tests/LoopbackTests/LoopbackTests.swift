import Foundation
import TestSupport
import Testing

@Suite("loopback", .privateHost)
struct LoopbackTests {
  private let plugin = Plugin("loopback")
  private let network: Document = ["cniVersion": "1.1.0", "name": "lo", "type": "loopback"]

  /// A sandbox whose `lo` is as a new namespace has it.
  private func down() throws -> Sandbox {
    let sandbox = try Sandbox()
    try sandbox.exec("ip", ["link", "set", "lo", "down"]).checked()
    return sandbox
  }
  private func isUp(_ sandbox: Sandbox) throws -> Bool {
    try sandbox.ip("link", "show", "lo")[0]["flags"].array.contains("UP")
  }

  @Test("ADD sets lo up, whatever the interface name is, and reports its addresses")
  func add() throws {
    let sandbox = try down()
    let result = try plugin.add(network, containerID: "c1", sandbox: sandbox, ifname: "eth7")
      .checked()
    #expect(try isUp(sandbox))
    #expect(
      result == [
        "cniVersion": "1.1.0",
        "interfaces": [
          ["name": "lo", "mac": "00:00:00:00:00:00", "sandbox": .string(sandbox.path)]
        ],
        "ips": [
          ["interface": 0, "address": "127.0.0.1/8"], ["interface": 0, "address": "::1/128"],
        ],
      ])
    try sandbox.exec("ping", ["-c1", "127.0.0.1"]).checked()
    // Again: as good as once.
    #expect(try plugin.add(network, containerID: "c1", sandbox: sandbox).checked() == result)
  }

  @Test("a namespace that there is no way back from is not entered, and the error says so")
  func noWayBack() throws {
    // In a user namespace of its own a process may enter namespaces that it makes there, and not
    // the one that it came with.
    let script = """
      unshare --net sleep 30 & child=$!
      here=$(readlink /proc/self/ns/net)
      until there=$(readlink /proc/$child/ns/net) && [ "$there" != "$here" ]; do sleep 0.01; done
      CNI_NETNS=/proc/$child/ns/net "$0"
      status=$?
      kill $child
      exit $status
      """
    let result = PluginResult(
      try run(
        "unshare", ["--user", "--map-root-user", "sh", "-c", script, plugin.path],
        environment: ProcessInfo.processInfo.environment.merging([
          "CNI_COMMAND": "ADD", "CNI_CONTAINERID": "c1", "CNI_IFNAME": "lo",
          "CNI_PATH": plugin.searchPath,
        ]) { $1 }, input: network.encoded))
    try Messages.expect(
      result, code: 999, of: "loopback", on: "ADD, no way back to the plugin's own namespace")
  }

  @Test("without IPv6 there is only the address of IPv4")
  func withoutIPv6() throws {
    let sandbox = try down()
    try sandbox.exec("sysctl", ["-qw", "net.ipv6.conf.lo.disable_ipv6=1"]).checked()
    let result = try plugin.add(network, containerID: "c1", sandbox: sandbox).checked()
    #expect(result["ips"] == [["interface": 0, "address": "127.0.0.1/8"]])
  }

  @Test("addresses that others gave to lo are not reported")
  func foreignAddress() throws {
    let sandbox = try down()
    try sandbox.exec("ip", ["address", "add", "192.0.2.1/32", "dev", "lo"]).checked()
    let result = try plugin.add(network, containerID: "c1", sandbox: sandbox).checked()
    #expect(result["ips"].array.compactMap { $0["address"].text } == ["127.0.0.1/8", "::1/128"])
  }

  @Test(
    "each version of the specification has its own result",
    arguments: ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"])
  func versions(_ version: String) throws {
    let sandbox = try down()
    let configuration = network.with(["cniVersion": .string(version)])
    let result = try plugin.add(configuration, containerID: "c1", sandbox: sandbox).checked()
    #expect(result["cniVersion"] == .string(version))
    if version < "0.3.0" {
      #expect(result["ip4"]["ip"] == "127.0.0.1/8")
      #expect(result["ip6"]["ip"] == "::1/128")
      #expect(result["interfaces"].isAbsent)
    } else {
      #expect(result["interfaces"][0]["name"] == "lo")
      #expect(result["ips"][0]["version"] == (version < "1.0.0" ? "4" : .absent))
    }
  }

  @Test("the result is that of the reference plugin")
  func reference() throws {
    let sandbox = try down()
    // Debian 12 has one that knows no 1.1.0, and writes an empty dns.
    let configuration = network.with(["cniVersion": "1.0.0"])
    let theirs = try Plugin("loopback", reference: true)
      .add(configuration, containerID: "c1", sandbox: sandbox).checked()
    let ours = try plugin.add(configuration, containerID: "c1", sandbox: sandbox).checked()
    #expect(ours == theirs.with(["dns": .absent]))
  }

  @Test("prevResult is handed on whole, members that are not known included")
  func previousResult() throws {
    let sandbox = try down()
    let previous: Document = [
      "cniVersion": "1.1.0",
      "interfaces": [
        ["name": "eth0", "mac": "02:00:00:00:00:01", "sandbox": .string(sandbox.path), "x": 1]
      ],
      "ips": [["interface": 0, "address": "10.0.0.2/24", "gateway": "10.0.0.1", "y": ["z": 2]]],
      "routes": [["dst": "0.0.0.0/0", "mtu": 1400]], "dns": ["nameservers": ["10.0.0.1"]],
      "example.com/own": ["a": true],
    ]
    let configuration = network.with(["prevResult": previous])
    let result = try plugin.add(configuration, containerID: "c1", sandbox: sandbox).checked()
    #expect(result == previous)
    #expect(try isUp(sandbox))
    #expect(
      try plugin.check(network, previous: previous, containerID: "c1", sandbox: sandbox).status == 0
    )
  }

  @Test("CHECK fails when lo is down, or lacks an address that ADD reported")
  func check() throws {
    let sandbox = try down()
    let result = try plugin.add(network, containerID: "c1", sandbox: sandbox).checked()
    func check() throws -> PluginResult {
      try plugin.check(network, previous: result, containerID: "c1", sandbox: sandbox)
    }
    let healthy = try check()
    #expect(healthy.status == 0, "\(healthy)")
    #expect(healthy.output.bytes.isEmpty)
    try sandbox.exec("ip", ["address", "delete", "::1/128", "dev", "lo"]).checked()
    #expect(try check().code == 999)
    #expect(
      try check().message
        == "\"lo\" of the sandbox \"\(sandbox.path)\" lacks the address ::1/128; "
        + "it has: 127.0.0.1/8")
    try sandbox.exec("ip", ["link", "set", "lo", "down"]).checked()
    #expect(
      try check().message
        == "loopback interface is down; \"lo\" of the sandbox \"\(sandbox.path)\" should be up")
  }

  @Test("DEL sets lo down, and succeeds again and when the sandbox is gone or not told")
  func del() throws {
    let sandbox = try Sandbox()
    for _ in 1...2 {
      let deleted = try plugin.del(network, containerID: "c1", sandbox: sandbox)
      #expect(deleted.status == 0, "\(deleted)")
      #expect(deleted.output.bytes.isEmpty)
      #expect(try !isUp(sandbox))
    }
    sandbox.delete()
    #expect(try plugin.del(network, containerID: "c1", sandbox: sandbox).status == 0)
    #expect(try plugin.del(network, containerID: "c1", sandbox: nil).status == 0)
  }

  @Test("GC and STATUS succeed and print nothing; VERSION echoes")
  func others() throws {
    for result in try [
      plugin.gc(network, valid: []), plugin.gc(network, valid: nil), plugin.status(network),
    ] {
      #expect(result.status == 0, "\(result)")
      #expect(result.output.bytes.isEmpty)
    }
    #expect(try plugin.version("0.4.0").checked()["cniVersion"] == "0.4.0")
  }

  @Test("a sandbox that is not there, or is the host itself, is refused with code 8")
  func sandboxes() throws {
    let gone = try Sandbox()
    gone.delete()
    let missing = try plugin.add(network, containerID: "c1", sandbox: gone)
    try Messages.expect(missing, code: 8, of: "loopback", on: "ADD, a sandbox that is gone")
    for override in ["", "1"] {
      for (command, code) in [("ADD", 8), ("DEL", nil)] {
        let own = try plugin.call(
          [
            "CNI_COMMAND": command, "CNI_CONTAINERID": "c1", "CNI_NETNS": "/proc/self/ns/net",
            "CNI_IFNAME": "lo", "CNI_PATH": "/", "CNI_NETNS_OVERRIDE": override,
          ], input: network.encoded)
        #expect(own.code == code, "\(own)")
      }
    }
    #expect(try ip("link", "show", "lo")[0]["flags"].array.contains("UP"))
  }

  @Test("CNI_ARGS may be anything: it has no use for them")
  func arguments() throws {
    let sandbox = try Sandbox()
    defer { sandbox.delete() }
    for text in ["none", "A=b=c", ";;", "IgnoreUnknown=perhaps", "IP=x"] {
      try plugin.add(network, containerID: "c1", sandbox: sandbox, args: text).checked()
      #expect(try plugin.del(network, containerID: "c1", sandbox: sandbox, args: text).status == 0)
    }
  }

  @Test("a configuration that is not legal is refused, with the path and what is legal")
  func configuration() throws {
    let sandbox = try down()
    let result = try plugin.add(
      network.with(["timeout": 0]), containerID: "c1", sandbox: sandbox)
    try Messages.expect(result, code: 7, of: "loopback", on: "ADD, no timeout at all")
    #expect(try !isUp(sandbox))
  }
}
