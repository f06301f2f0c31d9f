import TestSupport
import Testing

@Suite("portmap refuses", .privateHost)
struct RefusalTests {
  let publishing: Publishing
  init() throws { publishing = try Publishing() }

  @Test(
    "what it cannot do or is not legal",
    arguments: [
      ("a backend that there is not", ["backend": "iptables"], 2),
      ("a bit of marks", ["markMasqBit": 13], 2),
      ("words of iptables", ["conditionsV4": ["-s", "x"]], 2),
      ("a chain that sets marks", ["externalSetMarkChain": "X"], 2),
      ("snat is a text", ["snat": "yes"], 7),
      ("portMappings is a text", ["runtimeConfig": ["portMappings": "x"]], 7),
      ("host port 0", ["runtimeConfig": ["portMappings": [mapping(0, 80)]]], 7),
      ("container port -1", ["runtimeConfig": ["portMappings": [mapping(80, -1)]]], 7),
      ("container port 70000", ["runtimeConfig": ["portMappings": [mapping(80, 70000)]]], 7),
      ("protocol icmp", ["runtimeConfig": ["portMappings": [mapping(80, 80, "icmp")]]], 7),
      (
        "a hostIP that is none",
        ["runtimeConfig": ["portMappings": [mapping(80, 80, hostIP: "host")]]], 7
      ),
      (
        "one host port for two",
        ["runtimeConfig": ["portMappings": [mapping(80, 80), mapping(80, 81)]]], 7
      ),
      (
        "one host port for two, the first of all IPv4 addresses",
        [
          "runtimeConfig": [
            "portMappings": [mapping(80, 80, hostIP: "0.0.0.0"), mapping(80, 81)]
          ]
        ], 7
      ),
    ] as [(String, [String: Document], Int)])
  func members(what: String, members: [String: Document], code: Int) throws {
    let configuration = publishing.configuration([mapping(80, 80)]).with(members)
    let sandbox = try Sandbox()
    let previous: Document = [
      "cniVersion": "1.1.0", "ips": [["address": "10.1.0.2/24"]],
    ]
    let refused = try publishing.portmap.add(
      configuration.with(["prevResult": previous]), containerID: "c1", sandbox: sandbox)
    try Messages.expect(refused, code: code, of: "portmap", on: "ADD, \(what)")
    // DEL and GC do not look at them.
    try publishing.portmap.del(configuration, containerID: "c1", sandbox: nil).checked()
    try publishing.portmap.gc(configuration, valid: []).checked()
  }

  @Test("to be the first of a chain, in the reference's words")
  func unchained() throws {
    let sandbox = try Sandbox()
    for plugin in [publishing.portmap, publishing.host.plugin("portmap", reference: true)] {
      // Debian's speaks no 1.1.0.
      let refused = try plugin.add(
        publishing.configuration([mapping(80, 80)]).with(["cniVersion": "1.0.0"]),
        containerID: "c1", sandbox: sandbox)
      #expect(refused.json["msg"] == "must be called as chained plugin")
    }
  }

  @Test(
    "ports of containers that the host has no route of its own to",
    arguments: ["and no default route", "but the default route"])
  func unreachable(way: String) throws {
    let sandbox = try Sandbox()
    let previous = try publishing.attach(
      "c1", sandbox, ["isGateway": false, "isDefaultGateway": false, "ipMasq": false])
    if way == "but the default route" {
      try publishing.command(
        publishing.host.namespace, "route add default via 192.0.2.2")
    }
    let refused = try publishing.publish([mapping(8080, 80)], "c1", sandbox, previous)
    try Messages.expect(
      refused, code: 100, of: "portmap", on: "ADD, no route to the container, \(way)")
    #expect(try publishing.rules() == "")
  }

  @Test("an address of the host of a family that the container lacks, and not all of them")
  func families() throws {
    let sandbox = try Sandbox()
    let previous = try publishing.attach(
      "c1", sandbox,
      [
        "ipam": [
          "type": "host-local", "dataDir": .string("\(publishing.host.directory.path)/one"),
          "ranges": [[["subnet": "10.1.0.0/24"]]],
        ]
      ])
    let refused = try publishing.publish(
      [mapping(80, 80, hostIP: "2001:db8:2::1")], "c1", sandbox, previous)
    try Messages.expect(
      refused, code: 100, of: "portmap", on: "ADD, a hostIP of a family that the container lacks")
    try publishing.publish(
      [mapping(80, 80, hostIP: "0.0.0.0"), mapping(80, 80, hostIP: "::")], "c1", sandbox, previous
    ).checked()
    #expect(try !publishing.rules().contains("dnat ip6 to"))
  }

  @Test("STATUS where there is no nft")
  func status() throws {
    try publishing.portmap.status(publishing.configuration(nil)).checked()
    let bad = try publishing.portmap.status(
      publishing.configuration(nil).with(["backend": "iptables"]))
    try Messages.expect(bad, code: 2, of: "portmap", on: "STATUS, a backend that there is not")
  }

  @Test("nothing of the result that it is given: all members are handed on")
  func passing() throws {
    let sandbox = try Sandbox()
    let previous = try publishing.attach("c1", sandbox).with([
      "futureMember": ["a": 1], "routes": [["dst": "10.9.0.0/16", "table": 100, "future": true]],
    ])
    for mappings in [nil, [mapping(80, 80)]] {
      #expect(
        try publishing.publish(mappings, "c1", sandbox, previous).checked() == previous)
    }
  }
}
