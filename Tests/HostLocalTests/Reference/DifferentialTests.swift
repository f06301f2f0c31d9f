import TestSupport
import Testing

/// One call that both plugins get.
private struct Step: Sendable {
  let command: String
  let id: String
  var ifname = "eth0"
  var args: String? = nil
  var members: [String: Document] = [:]

  static func add(_ id: String, _ args: String? = nil, ifname: String = "eth0") -> Step {
    Step(command: "ADD", id: id, ifname: ifname, args: args)
  }
  static func add(_ id: String, with members: [String: Document]) -> Step {
    Step(command: "ADD", id: id, members: members)
  }
  /// The runtime asks for these addresses.
  static func add(_ id: String, asking ips: [Document]) -> Step {
    add(id, with: ["runtimeConfig": ["ips": .array(ips)]])
  }
  static func del(_ id: String, ifname: String = "eth0") -> Step {
    Step(command: "DEL", id: id, ifname: ifname)
  }
  static func check(_ id: String, _ addresses: [String]) -> Step {
    let ips = addresses.map { ["address": .string($0)] as Document }
    return Step(
      command: "CHECK", id: id,
      members: ["prevResult": ["cniVersion": "1.0.0", "ips": .array(ips)]])
  }
}

/// Calls in their order, from files that are there before.
private struct Story: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let ipam: Document
  let files: [String: String]
  let steps: [Step]

  init(_ name: String, _ ipam: Document, from files: [String: String] = [:], _ steps: [Step]) {
    testDescription = name
    self.ipam = ipam
    self.files = files
    self.steps = steps
  }
}

@Suite("host-local beside the reference plugin") struct DifferentialTests {
  private static let small: Document = ["subnet": "10.1.0.0/28"]
  private static let dual: Document = [
    "ranges": [[["subnet": "10.1.0.0/28"]], [["subnet": "fd00::/124"]]]
  ]
  private static func many(_ ids: Range<Int>) -> [Step] { ids.map { .add("n\($0)") } }

  private static let orders: [Story] = [
    Story(
      "through three ranges, two of their gateways within",
      [
        "ranges": [
          [
            ["subnet": "10.1.0.0/29", "gateway": "10.1.0.6"], ["subnet": "10.2.0.0/30"],
            ["subnet": "10.0.0.0/30", "gateway": "10.0.0.2"],
          ]
        ]
      ],
      many(0..<9) + [.del("n3"), .del("n6")] + many(9..<12) + [.del("n0"), .add("last")]),
    Story(
      "where the gateway of one range lies in another",
      [
        "ranges": [
          [
            [
              "subnet": "10.1.0.0/24", "rangeStart": "10.1.0.10", "rangeEnd": "10.1.0.12",
              "gateway": "10.1.0.11",
            ],
            [
              "subnet": "10.1.0.0/24", "rangeStart": "10.1.0.20", "rangeEnd": "10.1.0.22",
              "gateway": "10.1.0.12",
            ],
          ]
        ]
      ], many(0..<6)),
    Story(
      "where one range has nothing but its gateway",
      [
        "ranges": [[["subnet": "10.1.0.0/30", "rangeEnd": "10.1.0.1"], ["subnet": "10.2.0.0/30"]]]
      ],
      many(0..<2)),
    Story(
      "from the network's own address to that of broadcast",
      ["subnet": "10.1.0.0/30", "rangeStart": "10.1.0.0", "rangeEnd": "10.1.0.3"], many(0..<4)),
    Story(
      "of a family 6 range to its last address, and round",
      ["ranges": [[["subnet": "fd00::/126", "gateway": "fd00::2"]]]],
      many(0..<4) + [.del("n1"), .add("last")]),
    Story(
      "with a gateway elsewhere", ["subnet": "10.1.0.0/30", "gateway": "10.9.0.1"], many(0..<3)),
  ]

  private static let cursors: [Story] = [
    "10.1.0.9", "10.1.0.14", "10.1.0.15", "10.1.0.0", "10.1.0.1", "10.9.0.1", "fd00::1", "x", "",
    "10.1.0.9\n",
  ].map { cursor in
    Story(
      "after \(cursor.debugDescription)", small, from: ["last_reserved_ip.0": cursor],
      [.add("a"), .add("b")])
  }

  private static let requests: [Story] = [
    Story(
      "in four ways", small,
      [
        .add("a", asking: ["10.1.0.5"]), .add("b"), .add("c", "IP=10.1.0.9/16"), .add("d"),
        .add("e", with: ["args": ["cni": ["ips": ["10.1.0.12/24"]]]]), .add("f"),
        .add("g", asking: ["10.1.0.1"]), .add("h", "IP=10.1.0.5"), .add("i", "ip=10.1.0.8"),
        .add("j", "IP=10.1.0.8;x=y"), .add("k", "IP=10.1.0.8;IgnoreUnknown=true;x=y"),
        .add("l", "IP="), .add("m", "IP"), .add("n", "IP=10.1.0.2=3"),
      ]),
    Story(
      "of one range set and of two", dual,
      [
        .add("a"), .add("b", asking: ["fd00::7"]), .add("c"),
        .add("d", asking: ["10.1.0.7", "FD00:0::0009/64"]), .add("e"),
        .add("f", asking: ["::ffff:10.1.0.3"]), .add("g", "IP=10.1.0.12"), .add("h"),
        .del("d"), .add("i", asking: ["fd00::9"]),
      ]),
    Story(
      "with members in any case",
      [
        "RANGES": [[["sUBNET": "10.1.0.0/28", "RANGEstart": "10.1.0.7"]]],
        "Routes": [["DST": "0.0.0.0/0", "GW": "10.1.0.9"]],
      ],
      [
        .add("a"), .add("b", with: ["ARGS": ["CNI": ["IPS": ["10.1.0.12"]]]]),
        .add("c", with: ["RuntimeConfig": ["IPRanges": [[["SUBNET": "10.9.0.0/24"]]]]]),
      ]),
    Story(
      "for ranges of the runtime", small,
      [
        .add("a", with: ["runtimeConfig": ["ipRanges": [[["subnet": "10.7.0.0/24"]]]]]),
        .add("b", with: ["runtimeConfig": ["ipRanges": .null]]),
        .add("c", with: ["runtimeConfig": ["ipRanges": []]]),
      ]),
  ]

  private static let releases: [Story] = [
    Story(
      "of what early versions wrote", small,
      from: [
        "10.1.0.2": "a", "10.1.0.3": "a\r\neth1", "10.1.0.6": "c\r\neth0\r\n", "10.1.0.9": "d\n",
        "10.1.0.10": " e\r\n", "10.1.0.11": "f", "10.1.0.12": "f\r\neth0",
      ],
      [
        .add("x"), .del("a"), .del("a"), .del("a", ifname: "eth1"), .add("b"), .del("c"),
        .check("d", ["10.1.0.9/28"]), .del("d"), .check("d", ["10.1.0.9/28"]), .del("e"),
        .del("f"), .del("f"), .del("f"),
      ]),
    Story(
      "of two range sets, twice, and of nobody", dual,
      [
        .add("a"), .add("a", ifname: "eth1"), .add("b"),
        .check("a", ["10.1.0.2/28", "fd00::2/124"]),
        .del("nobody"), .del("a"), .del("a"), .check("a", ["10.1.0.2/28"]), .add("c"),
        .del("a", ifname: "eth1"), .add("d"),
      ]),
  ]

  private static let identities = Story(
    "of names that are not legal", small,
    [
      .add("bad id"), .add("-x"), .add("a", ifname: "sixteen-letters-"), .add("a", ifname: "a/b"),
      .add("a", ifname: "."), .del("bad id"), .add("a", with: ["name": ""]),
      .add("a", with: ["name": "a b"]), .add("a", with: ["name": "../x"]),
      .add("a", with: ["cniVersion": "0.5.0"]),
    ])

  private static let versions = ["", "0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0"].map {
    (version: String) in
    Story(
      "of version \(version.debugDescription)",
      dual.with([
        "routes": [
          ["dst": "0.0.0.0/0"], ["dst": "10.9.0.0/16", "gw": "10.1.0.3"], ["dst": "::/0"],
        ]
      ]), [.add("a", with: ["cniVersion": .string(version)]), .del("a")])
  }

  /// What was printed, as far as both must agree: of a result all octets, of an error the message.
  private func answer(_ result: PluginResult) -> String {
    guard result.status == 0 else { return result.json["msg"].text ?? "" }
    // Version 1.1.1 of the reference writes an empty `dns` where 1.0.0 of the specification needs
    // none, and its later versions leave it out.
    let printed = result.output.stdout
    return result.json["cniVersion"] == "1.0.0"
      ? printed.replacing(",\n    \"dns\": {}", with: "") : printed
  }

  @Test(
    "answers and leaves the same after every step",
    arguments: [orders, cursors, requests, releases, [identities], versions].flatMap { $0 })
  private func told(story: Story) throws {
    let ours = try Network(story.ipam)
    let theirs = try Network(story.ipam)
    for network in [ours, theirs] {
      for (name, content) in story.files { try network.write(name, content) }
    }
    for (number, step) in story.steps.enumerated() {
      let what = "step \(number), \(step.command) \(step.id)"
      let results = try [(ours, false), (theirs, true)].map { network, reference in
        try network.call(
          step.command, step.id, ifname: step.ifname, args: step.args, with: step.members,
          reference: reference)
      }
      #expect(results[0].status == results[1].status, "\(what)")
      #expect(answer(results[0]) == answer(results[1]), "\(what)")
      #expect(ours.files == theirs.files, "\(what)")
    }
  }

  private static let faults: [Document] = [
    [:], ["ranges": []], ["ranges": [[]]],
    ["subnet": "10.1.0.5/24"], ["subnet": "fd00::1/64"],
    ["subnet": "10.1.0.0/24", "rangeStart": "10.2.0.1"],
    ["subnet": "10.1.0.0/24", "rangeEnd": "10.2.0.1"],
    ["subnet": "10.1.0.0/24", "rangeStart": "10.1.0.9", "rangeEnd": "10.1.0.3"],
    ["subnet": "10.1.0.0/24", "rangeStart": "fd00::5"],
    ["ranges": [[["subnet": "10.1.0.0/24"], ["subnet": "fd00::/64"]]]],
    ["ranges": [[["subnet": "10.1.0.0/24"], ["subnet": "10.1.0.0/25"]]]],
    ["subnet": "10.1.0.0/24", "ranges": [[["subnet": "10.1.0.0/25"]]]],
  ]

  @Test("refuses the same configurations in the same words, and says where", arguments: faults)
  func refused(ipam: Document) throws {
    let network = try Network(ipam)
    let ours = try network.call("ADD", "a")
    let theirs = try network.call("ADD", "a", reference: true)
    #expect(ours.status == 1 && theirs.status == 1)
    #expect(ours.json["msg"] == theirs.json["msg"], "\(ours.message), \(theirs.message)")
    #expect(ours.json["details"].text?.hasPrefix("ipam") == true, "\(ours.message)")
    #expect(network.files == [:])
  }

  @Test(
    "reads a resolver's file in the same way",
    arguments: [
      "nameserver 192.0.2.1\nsearch a b\n", "  nameserver 192.0.2.1\n", "nameserver 192.0.2.1",
      "nameserver 192.0.2.1 # c\nnameserver 192.0.2.2;x\n",
      "# nameserver 1\n;x y\nnameserver\n\n\nNAMESERVER 192.0.2.9\n",
      "domain a b\ndomain c\nsearch x\nsearch y z\noptions a\noptions b c\n",
      "\tnameserver\t192.0.2.1\r\nsearch a\r\n", "search .\n", "", "nameserver fe80::1%eth0\n",
      "nameserver 192.0.2.1\u{0b}search q\u{0c}\nsearch a\u{85}b\u{2028}nameserver 192.0.2.2\n",
    ])
  func resolver(text: String) throws {
    let temporary = try TemporaryDirectory()
    let file = try temporary.write(text, to: "resolv.conf")
    let network = try Network(["subnet": "10.1.0.0/24", "resolvConf": .string(file)])
    let ours = try network.call("ADD", "a").checked()["dns"].members
    let theirs = try network.call("ADD", "b", reference: true).checked()["dns"].members
    #expect(ours == theirs)
  }
}
