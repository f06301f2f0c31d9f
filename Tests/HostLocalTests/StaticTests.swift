import TestSupport
import Testing

@Suite("static") struct StaticTests {
  private func call(
    _ command: String, _ ipam: Document, args: String? = nil,
    with members: [String: Document] = [:],
    reference: Bool = false
  ) throws -> PluginResult {
    let configuration: Document = [
      "cniVersion": command == "GC" || command == "STATUS" ? "1.1.0" : "1.0.0", "name": "net",
      "type": "x", "ipam": ipam.with(["type": "static"]),
    ]
    return try Plugin("static", reference: reference).call(
      command, configuration.with(members), containerID: "a", sandbox: "/nowhere", ifname: "eth0",
      args: args)
  }

  static let cases: [(Document, String, [String: Document])] = [
    (["addresses": [["address": "10.0.0.1/24", "gateway": "10.0.0.254"]]], "", [:]),
    (
      [
        "addresses": [
          ["address": "10.0.0.1/24"], ["address": "fd00::1/64", "gateway": "fd00::ff"],
        ],
        "routes": [["dst": "0.0.0.0/0", "gw": "10.0.0.3"], ["dst": "fd01::/64"]],
        "dns": ["nameservers": ["192.0.2.1"], "search": ["example.org"]],
      ], "", [:]
    ),
    (
      ["addresses": [["address": "10.0.0.1/24", "gateway": "10.0.0.254"]]],
      "IP=10.0.7.7/24,fd00::2/64;GATEWAY=10.0.7.1, fd00::1", [:]
    ),
    (
      ["addresses": [["address": "10.0.0.1/24", "gateway": "10.0.0.254"]]], "IP=10.0.7.7/24",
      ["args": ["cni": ["ips": ["10.3.0.1/24", "fd00::1/64"]]]]
    ),
    (
      ["addresses": [["address": "10.0.0.1/24"]]], "IP=10.0.7.7/24",
      [
        "args": ["cni": ["ips": ["10.3.0.1/24"]]],
        "runtimeConfig": ["ips": ["10.4.0.1/24"]],
      ]
    ),
    ([:], "", [:]),
    (["addresses": .null], "", ["args": ["cni": ["ips": []]]]),
    (["addresses": [["address": "10.0.0.1/24", "gateway": ""]]], "IP=;GATEWAY=", [:]),
    (
      ["Addresses": [["ADDRESS": "FD00:0::0001/64", "Gateway": "fd00::0:9"]]], "",
      ["cniVersion": "0.4.0"]
    ),
    (
      ["addresses": [["address": "::ffff:10.0.0.1/120", "gateway": "::ffff:10.0.0.9"]]], "",
      ["cniVersion": "0.3.1"]
    ),
    (
      ["addresses": [["address": "10.0.0.1/24"], ["address": "fd00::1/64"]]], "",
      ["cniVersion": "0.2.0"]
    ),
    (
      ["addresses": [["address": "10.0.0.1/24"], ["address": "10.0.0.1/24"]]],
      "IgnoreUnknown=1;x=y", [:]
    ),
    (["addresses": [["address": "10.0.0.1/24"]]], "", ["ARGS": ["CNI": ["IPS": ["10.3.0.1/24"]]]]),
  ]

  @Test("answers what the reference plugin answers", arguments: cases)
  func result(ipam: Document, args: String, members: [String: Document]) throws {
    let ours = try call("ADD", ipam, args: args, with: members).checked()
    let theirs = try call("ADD", ipam, args: args, with: members, reference: true).checked()
    #expect(ours.with(["dns": .absent]) == theirs.with(["dns": .absent]))
    #expect(ours["dns"].members == theirs["dns"].members)
  }

  @Test("gives the gateway of CNI_ARGS to the addresses of CNI_ARGS, and to no others")
  func gateway() throws {
    let other = try call(
      "ADD", ["addresses": [["address": "10.4.0.7/24"]]], args: "GATEWAY=10.4.0.254;IP=10.4.0.9/24",
      with: ["runtimeConfig": ["ips": ["10.4.0.1/24", "10.5.0.1/24"]]])
    #expect(other.json["ips"] == [["address": "10.4.0.1/24"], ["address": "10.5.0.1/24"]])
    let own = try call(
      "ADD", ["addresses": [["address": "10.4.0.7/24"]]], args: "GATEWAY=10.4.0.254;IP=10.4.0.9/24")
    #expect(
      own.json["ips"] == [
        ["address": "10.4.0.7/24"], ["address": "10.4.0.9/24", "gateway": "10.4.0.254"],
      ])
  }

  @Test("leaves args and CNI_ARGS out where they are to be ignored")
  func ignored() throws {
    let ipam: Document = ["addresses": [["address": "10.4.0.7/24"]]]
    for args in ["IP=10.4.0.9/24;GATEWAY=10.4.0.1", "nonsense", "x=y"] {
      let result = try call(
        "ADD", ipam, args: args,
        with: ["ignoreArgs": true, "args": ["cni": ["ips": ["10.4.0.8/24"]]]]
      ).checked()
      #expect(result["ips"] == [["address": "10.4.0.7/24"]])
    }
    // What the runtime itself asks for is heard.
    let asked = try call(
      "ADD", ipam, with: ["ignoreArgs": true, "runtimeConfig": ["ips": ["10.4.0.8/24"]]]
    ).checked()
    #expect(asked["ips"] == [["address": "10.4.0.8/24"]])
    #expect(try call("ADD", ipam, with: ["ignoreArgs": "yes"]).code == 7)
  }

  @Test("does not judge in STATUS what is not there")
  func stripped() throws {
    #expect(try call("STATUS", [:], with: ["ipam": .absent]).status == 0)
    #expect(try call("STATUS", ["addresses": [["address": "x"]]]).code == 7)
  }

  @Test(
    "says in STATUS which addresses no interface can have",
    arguments: [
      ["0.0.0.0/0"], ["0.0.0.0/24"], ["::/0"], ["::1/128"], ["ff02::1/64"],
      ["10.0.0.1/24", "10.0.0.1/24"], ["fd00::1/64", "10.0.0.1/24", "fd00::1/64"],
    ])
  func unassignable(texts: [String]) throws {
    let addresses = texts.map { ["address": .string($0)] as Document }
    try Messages.expect(
      call("STATUS", ["addresses": .array(addresses)]), code: 7, of: "static",
      on: "STATUS, addresses \(texts.joined(separator: ", "))")
  }

  @Test(
    "says nothing in STATUS against addresses that an interface can have",
    arguments: [
      "10.0.0.0/24", "10.0.0.255/24", "0.0.0.1/8", "127.0.0.1/8", "224.0.0.1/24",
      "255.255.255.255/32", "::2/128", "fe80::1/64", "::ffff:10.0.0.1/64",
    ])
  func assignable(text: String) throws {
    #expect(
      try call(
        "STATUS", ["addresses": [["address": .string(text)], ["address": "10.9.9.9/24"]]]
      ).status == 0)
  }

  @Test(
    "refuses what is not legal, with the path and what is legal",
    arguments: [
      (["addresses": [["address": "10.0.0.1"]]], "", [:]),
      (["addresses": [["address": "10.0.0.1/24"], ["gateway": "10.0.0.1"]]], "", [:]),
      (["addresses": [["address": "10.0.0.1/24", "gateway": "x"]]], "", [:]),
      (["addresses": [["address": "10.0.0.1/24", "gateway": "fd00::1"]]], "", [:]),
      ([:], "IP=10.0.0.7", [:]),
      ([:], "GATEWAY=10.0.7", [:]),
      ([:], "", ["args": ["cni": ["ips": ["10.0.0.1/24", "10.0.0.1/40"]]]]),
      (
        ["addresses": [["address": "10.0.0.1/24"], ["address": "10.0.0.2/24"]]], "",
        ["cniVersion": "0.2.0"]
      ),
      ([:], "", ["ipam": .absent]),
    ] as [(Document, String, [String: Document])])
  func illegal(ipam: Document, args: String, members: [String: Document]) throws {
    let result = try call("ADD", ipam, args: args, with: members)
    #expect(result.code == 7)
    let asked = [ipam.encoded, Array(args.utf8), Document.object(members).encoded].map {
      String(decoding: $0, as: UTF8.self)
    }
    try Messages.expect(
      result.message, of: "static",
      on: "ADD, ipam \(asked[0]), CNI_ARGS \"\(asked[1])\", other members \(asked[2])")
    let isOfStatus = args.isEmpty && members["cniVersion"] == nil && members["ipam"] == nil
    if isOfStatus { #expect(try call("STATUS", ipam, with: members).code == 7) }
    #expect(try call("DEL", ipam, args: args, with: members).status == 0)
  }

  @Test("compares the configuration with prevResult in CHECK")
  func check() throws {
    let ipam: Document = ["addresses": [["address": "10.0.0.1/24", "gateway": "10.0.0.254"]]]
    func check(_ ips: Document) throws -> PluginResult {
      try call("CHECK", ipam, with: ["prevResult": ["cniVersion": "1.0.0", "ips": ips]])
    }
    try check([["address": "10.0.0.1/24", "gateway": "10.0.0.254"]]).checked()
    for (occasion, ips) in [
      ("another gateway", [["address": "10.0.0.1/24", "gateway": "10.0.0.253"]]),
      ("another length", [["address": "10.0.0.1/25", "gateway": "10.0.0.254"]]),
      ("no address", []),
    ] as [(String, Document)] {
      try Messages.expect(
        check(ips), code: 999, of: "static", on: "CHECK, prevResult has \(occasion)")
    }
  }

  @Test("has nothing to release and nothing to collect")
  func nothing() throws {
    let ipam: Document = ["addresses": [["address": "10.0.0.1/24"]]]
    for command in ["DEL", "GC", "STATUS"] {
      let result = try call(command, ipam, with: ["cni.dev/valid-attachments": []])
      #expect(result.status == 0)
      #expect(result.output.bytes.isEmpty)
    }
  }
}
