import Foundation
import TestSupport
import Testing

/// The tool with the reference plugins of this host.
@Suite("attachments by hand", .privateHost) final class AttachmentTests {
  private let tool: Tool
  private let bridge = uniqueName("pbb")
  private let sandbox: Sandbox
  init() throws {
    tool = try Tool()
    sandbox = try Sandbox()
    try tool.network(
      "net",
      [
        "type": "bridge", "bridge": .string(bridge), "isGateway": true,
        "capabilities": ["mac": true, "ips": true],
        "ipam": [
          "type": "host-local", "dataDir": .string("\(tool.files.path)/leases"),
          "ranges": [[["subnet": "10.66.0.0/24"]]],
        ],
      ], ["type": "tuning", "sysctl": ["net.core.somaxconn": "500"]])
  }
  deinit { _ = try? run("ip", ["link", "delete", bridge]) }

  private var leases: [String] {
    tool.files.files().keys.filter { $0.hasPrefix("leases/net/10.") }.sorted()
  }
  private var results: [String] {
    tool.files.files().keys.filter { $0.hasPrefix("cni/results/") }.sorted()
  }

  @Test("are added, checked and deleted by a chain of reference plugins")
  func wholeLife() throws {
    let added = try Document(parsing: try tool.run("add", "net", sandbox.name).checked().bytes)
    #expect(added["ips"][0]["address"] == "10.66.0.2/24")
    #expect(added["interfaces"][2]["sandbox"] == .string(sandbox.path))
    #expect(try sandbox.ip("link", "show", "eth0")[0]["operstate"] == "UP")
    // The container ID is that of cnitool for this path.
    let digest = try run("sha512sum", input: sandbox.path.utf8).checked().stdout
    let id = "cnitool-" + digest.prefix(20)
    #expect(results == ["cni/results/net-\(id)-eth0"])
    let check = try tool.run("check", "net", sandbox.name).checked()
    #expect(check.stdout.isEmpty && check.stderr.isEmpty)
    let listed = try tool.run("list", "--no-trunc").checked().stdout
    #expect(listed.contains("\(id)  eth0       10.66.0.2/24  \(sandbox.path)"), "\(listed)")
    let checked = try Document(
      parsing: tool.run("check", "net", sandbox.name, "--json").checked().bytes)
    #expect(
      checked == [
        "network": "net", "containerID": .string(id), "interface": "eth0",
        "sandbox": .string(sandbox.path), "ok": true,
      ])
    let short = try tool.run("list").checked().stdout
    let line = "\(id.prefix(14))…  eth0       10.66.0.2/24  \(sandbox.name)\n"
    #expect(short.contains(line), "\(short)")
    try tool.run("del", "net", sandbox.path).checked()
    try tool.run("del", "net", sandbox.name).checked()
    #expect(leases.isEmpty && results.isEmpty)
    #expect(throws: (any Error).self) { try sandbox.ip("link", "show", "eth0") }
  }

  @Test("get what options and variables ask for")
  func options() throws {
    let output = try tool.run(
      "add", "net", sandbox.name, "--container-id", "web", "--capability",
      #"mac="02:00:00:00:66:01""#, "--capability", "bandwidth={}",
      environment: ["CNI_IFNAME": "net7", "CAP_ARGS": #"{"ips": ["10.66.0.77"]}"#])
    let added = try Document(parsing: try output.checked().bytes)
    try Messages.expect(
      output.stderr, of: "patchbay", on: "patchbay add, a capability that no plugin has")
    #expect(added["ips"][0]["address"] == "10.66.0.77/24")
    #expect(try sandbox.ip("link", "show", "net7")[0]["address"] == "02:00:00:00:66:01")
    let second = try tool.run(
      "add", "net", sandbox.name, "--container-id", "web", "-i", "net8",
      environment: ["CNI_ARGS": "IgnoreUnknown=1;IP=10.66.0.88", "CNI_IFNAME": "net7"])
    #expect(try Document(parsing: second.checked().bytes)["ips"][0]["address"] == "10.66.0.88/24")
    // What it was made with is kept; the container ID leads to the rest.
    try tool.run("check", "net", "--container-id", "web", "-i", "net7").checked()
    try tool.run("del", "net", "--container-id", "web", "-i", "net7").checked()
    try tool.run("del", "net", "--container-id", "web", "-i", "net8").checked()
    #expect(leases.isEmpty && results.isEmpty)
  }

  @Test("get the addresses that are requested in short, or are not made")
  func requests() throws {
    let mac = "02:00:00:00:66:07"
    let added = try tool.run(
      "add", "net", sandbox.name, "--ip", "10.66.0.7", "--mac", mac, "--container-id", "a"
    ).checked()
    #expect(try Document(parsing: added.bytes)["ips"][0]["address"] == "10.66.0.7/24")
    #expect(try sandbox.ip("link", "show", "eth0")[0]["address"] == .string(mac))
    let word = "net:ip=10.66.0.8,interface_name=lan"
    try tool.run("add", word, sandbox.name, "--container-id", "a").checked()
    #expect(try sandbox.ip("address", "show", "lan")[0]["addr_info"][0]["local"] == "10.66.0.8")
    try tool.run("check", "net:interface_name=lan", sandbox.name, "--container-id", "a").checked()
    let outside = try tool.run(
      "add", "net", sandbox.name, "--ip", "10.77.0.7", "-i", "eth7", "--container-id", "a")
    #expect(outside.status == 1 && leases.count == 2, "\(outside)")
    let none = try tool.run("add", "net", sandbox.name, "--ip", "10.66.0.300", "-i", "eth7")
    #expect(none.status == 1)
    try Messages.expect(none.stderr, of: "patchbay", on: "patchbay add --ip 10.66.0.300")
    let first = try tool.run("del", word, sandbox.name, "--container-id", "a").checked()
    #expect(first.stderr.isEmpty)
    let again = try tool.run("del", word, sandbox.name, "--container-id", "a").checked()
    try Messages.expect(again.stderr, of: "patchbay", on: "patchbay del, of what is not attached")
    try tool.run("del", "net", sandbox.name, "--container-id", "a").checked()
    #expect(leases.isEmpty && results.isEmpty)
  }

  @Test("take a process ID for its network namespace")
  func process() throws {
    let inside = try Daemon(
      "ip", ["netns", "exec", sandbox.name, "sleep", "60"],
      environment: ProcessInfo.processInfo.environment, log: "/dev/null")
    defer { inside.stop(SIGKILL) }
    try eventually("it is inside") {
      try String(contentsOfFile: "/proc/\(inside.pid)/comm", encoding: .utf8) == "sleep\n"
    }
    let added = try tool.run("add", "net", "\(inside.pid)").checked()
    #expect(
      try Document(parsing: added.bytes)["interfaces"][2]["sandbox"]
        == .string("/proc/\(inside.pid)/ns/net"))
    #expect(try sandbox.ip("link", "show", "eth0")[0]["operstate"] == "UP")
    try tool.run("del", "net", "\(inside.pid)").checked()
    #expect(leases.isEmpty && results.isEmpty)
  }

  @Test("are found by either of the two paths of a namespace")
  func alias() throws {
    try tool.run("add", "net", "/var/run/netns/\(sandbox.name)").checked()
    try tool.run("check", "net", sandbox.name).checked()
    try tool.run("del", "net", sandbox.path).checked()
    #expect(leases.isEmpty && results.isEmpty)
  }

  @Test("are not made twice, but again where the interface is gone")
  func twice() throws {
    try tool.run("add", "net", sandbox.name, "--container-id", "x").checked()
    let again = try tool.run("add", "net", sandbox.name, "--container-id", "x")
    #expect(again.status == 1)
    try Messages.expect(again.stderr, of: "patchbay", on: "patchbay add, of what is attached")
    #expect(leases.count == 1)
    try sandbox.exec("ip", ["link", "delete", "eth0"]).checked()
    let second = try tool.run("add", "net", sandbox.name, "--container-id", "x").checked()
    try Messages.expect(
      second.stderr, of: "patchbay", on: "patchbay add, of what was attached, whose link is gone")
    #expect(leases.count == 1)
    try tool.run("del", "net", sandbox.name, "--container-id", "x").checked()
  }

  @Test("that fail leave nothing, and say so")
  func failure() throws {
    try tool.network(
      "bad",
      [
        "type": "bridge", "bridge": .string(bridge),
        "ipam": [
          "type": "host-local", "dataDir": .string("\(tool.files.path)/leases"),
          "ranges": [[["subnet": "10.66.0.0/24"]]],
        ],
      ], ["type": "tuning", "sysctl": ["net.no.such.thing": "1"]])
    let output = try tool.run("add", "bad", sandbox.name)
    #expect(output.status == 1)
    #expect(output.stdout.isEmpty)
    let lines = output.stderr.split(separator: "\n").map(String.init)
    #expect(lines.count == 2 && lines[0].contains("\"tuning\""), "\(output)")
    try Messages.expect(
      lines.last ?? "", of: "patchbay", on: "patchbay add, the second plugin fails")
    #expect(results.isEmpty)
    #expect(!tool.files.files().keys.contains { $0.hasPrefix("leases/bad/10.") })
    #expect(throws: (any Error).self) { try sandbox.ip("link", "show", "eth0") }
  }

  @Test("that fail do not take an interface away that was there before")
  func foreignInterface() throws {
    let veth = ["link", "add", "eth0", "type", "veth", "peer", "name", "eth9"]
    try sandbox.exec("ip", veth).checked()
    let output = try tool.run("add", "net", sandbox.name)
    #expect(output.status == 1)
    let lines = output.stderr.split(separator: "\n").map(String.init)
    #expect(lines.count == 2 && lines[0].contains("\"bridge\""), "\(output)")
    try Messages.expect(
      lines.last ?? "", of: "patchbay", on: "patchbay add, an interface of the name in the sandbox")
    #expect(try sandbox.ip("-d", "link", "show", "eth0")[0]["linkinfo"]["info_kind"] == "veth")
  }

  @Test("whose namespace is gone are freed by gc, the others not")
  func gc() throws {
    let other = try Sandbox()
    try tool.run("add", "net", sandbox.name, "--container-id", "stays").checked()
    try tool.run("add", "net", other.name, "--container-id", "goes").checked()
    other.delete()
    let trial = try tool.run("gc", "net", "--dry-run").checked()
    try Messages.expect(trial.stdout, of: "patchbay", on: "gc --dry-run, a namespace that is gone")
    #expect(leases.count == 2)
    try Messages.expect(
      tool.run("gc", "net").checked().stdout, of: "patchbay", on: "gc, a namespace that is gone")
    #expect(leases.count == 1)
    try tool.run("gc", "net", "--valid", "stays/eth0").checked()
    #expect(leases.count == 1)
    try tool.run("gc", "net", "--none-valid").checked()
    #expect(leases.isEmpty && results.isEmpty)
  }

  @Test("that are refused say why once, whatever the plugins' logs say")
  func oneReason() throws {
    var noisy = try Tool()
    noisy.pluginPath = noisy.files.path
    let log = "2026-11-25T14:05:28.932Z error inner ADD network=n duration=0.291ms code 7: "
    let said = "\(log)ipam.subnet: missing"
    let unsaid = "\(log)and something else"
    try noisy.files.write(
      """
      #!/bin/sh
      printf 'for everybody\\n%s\\n%s\\nno end' '\(said)' '\(unsaid)' >&2
      echo '{"cniVersion":"1.0.0","code":7,"msg":"plugin \\"inner\\": ipam.subnet","details":"missing"}'
      exit 1
      """, to: "outer", mode: 0o755)
    try noisy.network("n", ["type": "outer"])
    let reason = "plugin type=\"outer\" failed (add): plugin \"inner\": ipam.subnet: missing\n"
    let output = try noisy.run("add", "n", sandbox.name)
    #expect(output.status == 1)
    // DEL takes back what ADD may have made.
    let rest = "for everybody\n\(unsaid)\nno end\n"
    #expect(output.stderr == rest + rest + reason, "\(output)")
    let traced = try noisy.run("add", "n", sandbox.name, "--trace")
    #expect(traced.stderr.contains("for everybody\n\(said)\n\(unsaid)\nno end"), "\(traced)")
  }

  @Test("can be watched")
  func trace() throws {
    let added = try tool.run("add", "net", sandbox.name, "--trace").checked()
    _ = try Document(parsing: added.bytes)
    for text in [
      "→ ADD bridge  \(Plugin.references)/bridge\n", "  CNI_NETNS=\(sandbox.path)\n",
      "    \"isGateway\": true,\n", "← ADD bridge  exit status 0, ", "→ ADD tuning  ",
      "    \"prevResult\": {\n", "← ADD tuning  exit status 0, ",
    ] {
      #expect(added.stderr.contains(text), "\(text)")
    }
    #expect(!added.stderr.contains("\u{1b}"))
    try tool.run("del", "net", sandbox.name).checked()
  }

  @Test("are measured, several at a time")
  func bench() throws {
    let table = try tool.run("bench", "net", "-n", "6", "-p", "3").checked()
    #expect(table.stdout.hasPrefix("network \"net\": 6 attachments, 3 at a time, in "))
    #expect(table.stderr.isEmpty)
    let json = try Document(
      parsing: try tool.run("bench", "net", "-n", "2", "--json").checked().bytes)
    #expect(json["count"] == 2)
    #expect(json["failures"] == [])
    for command in ["ADD", "CHECK", "DEL"] {
      #expect(json[command].members.keys.sorted() == ["max", "mean", "min", "p50", "p90", "p99"])
    }
    #expect(leases.isEmpty && results.isEmpty)
    let failing = try tool.run("bench", "net", "-n", "2", environment: ["CNI_PATH": "/none"])
    #expect(failing.status == 1)
    try Messages.expect(
      failing.stderr, of: "patchbay", on: "bench -n 2, no plugin is there")
  }
}
