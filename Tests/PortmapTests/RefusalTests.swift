import TestSupport
import Testing

@Suite("portmap refuses", .privateHost)
struct RefusalTests {
  let publishing: Publishing
  init() throws { publishing = try Publishing() }

  @Test(
    "what it cannot do or is not legal, with the reference's message where that has one",
    arguments: [
      (["backend": "iptables"], 2, #"backend: "iptables" is not supported"#),
      (["markMasqBit": 13], 2, "markMasqBit: 13 is not supported"),
      (["conditionsV4": ["-s", "x"]], 2, #"conditionsV4: ["-s", "x"] is not supported"#),
      (["externalSetMarkChain": "X"], 2, #"externalSetMarkChain: "X" is not supported"#),
      (["snat": "yes"], 7, #"snat: "yes" is not true or false"#),
      (["runtimeConfig": ["portMappings": "x"]], 7, "runtimeConfig.portMappings:"),
      (
        ["runtimeConfig": ["portMappings": [mapping(0, 80)]]], 7,
        "Invalid host port number: 0; runtimeConfig.portMappings[0].hostPort: 0 is not in 1…65535"
      ),
      (
        ["runtimeConfig": ["portMappings": [mapping(80, -1)]]], 7,
        "Invalid container port number: -1; runtimeConfig.portMappings[0].containerPort: -1 is not "
          + "in 1…65535"
      ),
      (
        ["runtimeConfig": ["portMappings": [mapping(80, 70000)]]], 7,
        "Invalid container port number: 70000"
      ),
      (
        ["runtimeConfig": ["portMappings": [mapping(80, 80, "icmp")]]], 7,
        #"runtimeConfig.portMappings[0].protocol: "icmp" is not one of tcp, udp, sctp"#
      ),
      (
        ["runtimeConfig": ["portMappings": [mapping(80, 80, hostIP: "host")]]], 7,
        #"runtimeConfig.portMappings[0].hostIP: "host" is not an IP address"#
      ),
      (
        ["runtimeConfig": ["portMappings": [mapping(80, 80), mapping(80, 81)]]], 7,
        "runtimeConfig.portMappings[1]: port 80 leads to port 80 already"
      ),
      (
        [
          "runtimeConfig": [
            "portMappings": [mapping(80, 80, hostIP: "0.0.0.0"), mapping(80, 81)]
          ]
        ], 7,
        "runtimeConfig.portMappings[1]: port 80 leads to port 80 already"
      ),
    ] as [([String: Document], Int, String)])
  func members(members: [String: Document], code: Int, message: String) throws {
    let configuration = publishing.configuration([mapping(80, 80)]).with(members)
    let sandbox = try Sandbox()
    let previous: Document = [
      "cniVersion": "1.1.0", "ips": [["address": "10.1.0.2/24"]],
    ]
    let refused = try publishing.portmap.add(
      configuration.with(["prevResult": previous]), containerID: "c1", sandbox: sandbox)
    #expect(refused.code == code)
    #expect(refused.message.hasPrefix(message), "\(refused.message)")
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
    arguments: ["without any", "by the default route alone"])
  func unreachable(way: String) throws {
    let sandbox = try Sandbox()
    let previous = try publishing.attach(
      "c1", sandbox, ["isGateway": false, "isDefaultGateway": false, "ipMasq": false])
    if way != "without any" {
      try publishing.command(
        publishing.host.namespace, "route add default via 192.0.2.2")
    }
    let refused = try publishing.publish([mapping(8080, 80)], "c1", sandbox, previous)
    #expect(refused.code == 100)
    #expect(
      refused.message.contains("this host has no route of its own to 10.1.0.2"),
      "\(refused.message)")
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
    #expect(refused.code == 100)
    #expect(refused.message.contains("the container has no IPv6 address"))
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
    #expect(bad.code == 2)
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
