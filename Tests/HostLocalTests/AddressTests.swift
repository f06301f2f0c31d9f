import Foundation
import TestSupport
import Testing

@Suite("ADD of host-local") struct AddressTests {
  @Test("gives addresses in turn, and the same result as the reference plugin")
  func result() throws {
    let ipam: Document = [
      "ranges": [
        [["subnet": "10.1.0.0/24", "rangeStart": "10.1.0.9", "gateway": "10.1.0.254"]],
        [["subnet": "fd00::/64"]],
      ],
      "routes": [
        ["dst": "0.0.0.0/0"], ["dst": "10.9.0.0/16", "gw": "10.1.0.3"], ["dst": "::/0"],
      ],
    ]
    let ours = try Network(ipam)
    let theirs = try Network(ipam)
    for (number, version) in ["1.0.0", "0.4.0", "0.3.1", "0.2.0", "0.1.0"].enumerated() {
      let members: [String: Document] = ["cniVersion": .string(version)]
      var results: [Document] = []
      for (network, reference) in [(ours, false), (theirs, true)] {
        results.append(
          try network.call("ADD", "c\(number)", with: members, reference: reference).checked())
      }
      // An empty `dns` may be missing.
      #expect(results[0].with(["dns": .absent]) == results[1].with(["dns": .absent]), "\(version)")
    }
    #expect(ours.files == theirs.files)
    let first = try ours.call("ADD", "more").json
    #expect(first["ips"][0] == ["address": "10.1.0.14/24", "gateway": "10.1.0.254"])
    #expect(first["ips"][1] == ["address": "fd00::7/64", "gateway": "fd00::1"])
  }

  @Test("keeps all members of a route for those who know them")
  func routes() throws {
    let route: Document = [
      "dst": "0.0.0.0/0", "gw": "10.1.0.1", "mtu": 1400, "advmss": 1360, "priority": 7,
      "table": 100, "scope": 0,
    ]
    let network = try Network(["subnet": "10.1.0.0/24", "routes": [route]])
    #expect(
      try network.call("ADD", "a", with: ["cniVersion": "1.1.0"]).json["routes"] == [route])
  }

  /// What each plugin answers to the same request, as far as both must agree.
  private func answer(_ result: PluginResult) -> String {
    if result.status == 0 { return result.json["ips"].description }
    return result.json["msg"].text ?? ""
  }

  @Test(
    "goes through the ranges in the order of the reference plugin, step by step",
    arguments: [
      ["ranges": [[["subnet": "10.1.0.0/28"]]]],
      ["subnet": "10.1.0.0/24", "rangeStart": "10.1.0.10", "rangeEnd": "10.1.0.16"],
      [
        "ranges": [
          [
            ["subnet": "10.1.0.0/29", "gateway": "10.1.0.4"],
            ["subnet": "10.2.0.0/24", "rangeStart": "10.2.0.7", "rangeEnd": "10.2.0.9"],
            ["subnet": "10.1.0.8/29"],
          ]
        ]
      ],
      ["ranges": [[["subnet": "fd00::/124", "gateway": "fd00::f"]]]],
      ["ranges": [[["subnet": "10.1.0.0/30", "gateway": "10.9.0.1"]]]],
    ] as [Document])
  func order(ipam: Document) throws {
    var random = SeededGenerator(UInt64(ipam.description.utf8.count))
    let ours = try Network(ipam)
    let theirs = try Network(ipam)
    var attached: [String] = []
    let candidates = [
      "10.1.0.3", "10.1.0.4", "10.1.0.12", "10.2.0.8", "fd00::7", "fd00::f", "10.1.0.1",
      "192.168.0.1",
    ]
    for step in 0..<45 {
      let choice = Int.random(in: 0..<10, using: &random)
      let id = "c\(step)"
      if choice < 3, let gone = attached.randomElement(using: &random) {
        attached.removeAll { $0 == gone }
        try ours.del(gone)
        try theirs.del(gone, reference: true)
      } else {
        let requested = choice < 5 ? candidates.randomElement(using: &random) : nil
        let members: [String: Document] =
          requested.map { ["runtimeConfig": ["ips": [.string($0 + "/24")]]] } ?? [:]
        let mine = try ours.call("ADD", id, with: members)
        let other = try theirs.call("ADD", id, with: members, reference: true)
        // What no range set has is refused by both. We say so at once, and change nothing; the
        // reference plugin has moved its cursor by then.
        guard !answer(mine).contains("failed to allocate all requested IPs") else {
          #expect(other.status == 1, "step \(step)")
          if let cursor = theirs.files["last_reserved_ip.0"] {
            try ours.temporary.write(cursor, to: "net/last_reserved_ip.0", mode: 0o600)
          }
          continue
        }
        #expect(answer(mine) == answer(other), "step \(step) \(requested ?? "")")
        if mine.status == 0 { attached.append(id) }
      }
      #expect(ours.files == theirs.files, "step \(step)")
    }
  }

  @Test("that is repeated answers the same addresses again and leases no others")
  func repeated() throws {
    let network = try Network(
      ["ranges": [[["subnet": "10.1.0.0/24"]], [["subnet": "fd00::/64"]]]])
    let first = try network.add("a")
    _ = try network.add("b")
    let files = network.files
    #expect(try network.add("a") == first)
    #expect(network.files == files)
    #expect(try network.add("a", ifname: "eth1") == ["10.1.0.4", "fd00::4"])
  }

  @Test("that is repeated completes one that was killed between two range sets")
  func completed() throws {
    let network = try Network(
      ["ranges": [[["subnet": "10.1.0.0/24"]], [["subnet": "fd00::/64"]]]])
    try network.write("10.1.0.77", "a\r\neth0")
    #expect(try network.add("a") == ["10.1.0.77", "fd00::2"])
  }

  @Test("that is repeated with another requested address gives the old one back")
  func changedRequest() throws {
    let network = try Network(["subnet": "10.1.0.0/24"])
    #expect(try network.add("a") == ["10.1.0.2"])
    #expect(try network.add("a", args: "IP=10.1.0.50") == ["10.1.0.50"])
    #expect(network.leases == ["10.1.0.50": "a\r\neth0"])
    let refused = try network.call("ADD", "a", args: "IP=10.1.0.1")
    #expect(refused.status == 1)
    #expect(network.leases == ["10.1.0.50": "a\r\neth0"])
  }

  @Test("that is refused in one range set leases nothing in the others")
  func allOrNothing() throws {
    let network = try Network(
      [
        "ranges": [
          [["subnet": "10.1.0.0/24"]], [["subnet": "fd00::/64", "rangeEnd": "fd00::2"]],
        ]
      ])
    _ = try network.add("a")
    let files = network.files
    let result = try network.call("ADD", "b")
    try Messages.expect(result, code: 999, of: "host-local", on: "ADD, all addresses are leased")
    #expect(network.files == files)
  }

  @Test(
    "takes what runtimeConfig requests before args.cni and CNI_ARGS, in each range set",
    arguments: [
      (["10.1.0.50/24"], ["10.1.0.60"], "IP=10.1.0.70", ["10.1.0.50", "fd00::2"]),
      ([], ["10.1.0.60/16"], "IP=10.1.0.70", ["10.1.0.60", "fd00::2"]),
      ([], [], "IP=10.1.0.70/8", ["10.1.0.70", "fd00::2"]),
      (["10.1.0.50"], ["fd00::60"], "IP=10.1.0.70", ["10.1.0.50", "fd00::60"]),
      (["fd00::50", "10.1.0.50"], [], "", ["10.1.0.50", "fd00::50"]),
      (["10.1.0.50", "10.1.0.50/24"], [], "", ["10.1.0.50", "fd00::2"]),
      (["::ffff:10.1.0.77"], [], "", ["10.1.0.77", "fd00::2"]),
    ] as [([String], [String], String, [String])])
  func requests(runtime: [String], args: [String], env: String, expected: [String]) throws {
    let network = try Network(
      ["ranges": [[["subnet": "10.1.0.0/24"]], [["subnet": "fd00::/64"]]]])
    let result = try network.add(
      "a", args: env,
      with: [
        "runtimeConfig": ["ips": .array(runtime.map { .string($0) })],
        "args": ["cni": ["ips": .array(args.map { .string($0) })]],
      ])
    #expect(result == expected)
  }

  @Test("refuses requested addresses that it cannot give, and says why")
  func refusedRequests() throws {
    let network = try Network([
      "subnet": "10.1.0.0/24", "exclude": ["10.1.0.8/29"],
      "reservations": [["name": "default/web-0", "ip": "10.1.0.20"]],
    ])
    _ = try network.add("a", args: "IP=10.1.0.50")
    try FileManager.default.createDirectory(
      atPath: network.path + "/10.1.0.51", withIntermediateDirectories: true)
    func expectRefusal(_ ips: [Document], _ occasion: String) throws {
      let result = try network.call("ADD", "b", with: ["runtimeConfig": ["ips": .array(ips)]])
      #expect(result.code == 999)
      try Messages.expect(
        result.message, of: "host-local", on: "ADD, requested is \(occasion)",
        hiding: ["DIRECTORY": network.path])
    }
    try expectRefusal(["10.1.0.1"], "the gateway's address")
    try expectRefusal(["10.1.0.50"], "an address that is leased")
    try expectRefusal(["10.1.0.51"], "an address whose file is no lease")
    try expectRefusal(["10.1.0.9"], "an address that is excluded")
    try expectRefusal(["10.1.0.20"], "an address that is reserved for another")
    try expectRefusal(["10.1.0.60", "10.1.0.61", "10.2.0.1"], "more than the range sets give")
    let result = try network.call("ADD", "b", args: "IP=10.1.0.300")
    #expect(result.code == 4)
    try Messages.expect(result.message, of: "host-local", on: "ADD, CNI_ARGS is IP=10.1.0.300")
    #expect(network.leases.keys.sorted() == ["10.1.0.50", "10.1.0.51"])
  }

  @Test("puts the runtime's ranges before those of the configuration")
  func ipRanges() throws {
    let network = try Network(["subnet": "10.1.0.0/24"])
    #expect(
      try network.add(
        "a", with: ["runtimeConfig": ["ipRanges": [[["subnet": "10.7.0.0/24"]]]]])
        == ["10.7.0.2", "10.1.0.2"])
  }

  @Test("makes dns of a resolver's file")
  func resolver() throws {
    let temporary = try TemporaryDirectory()
    let file = try temporary.write(
      """
      # comment
      ; comment
      nameserver 192.0.2.1
      nameserver\tfd00::53
      domain example.org
      search example.org   lab.example.org
      options ndots:2 rotate
      nameserver
      sortlist 130.155.160.0
      """, to: "resolv.conf")
    let network = try Network(["subnet": "10.1.0.0/24", "resolvConf": .string(file)])
    let ours = try network.call("ADD", "a").json["dns"]
    #expect(
      ours == [
        "nameservers": ["192.0.2.1", "fd00::53"], "domain": "example.org",
        "search": ["example.org", "lab.example.org"], "options": ["ndots:2", "rotate"],
      ])
    #expect(try network.call("ADD", "b", reference: true).json["dns"] == ours)
    let missing = try network.withIPAM(["resolvConf": "/nowhere/resolv.conf"])
    let refused = try missing.call("ADD", "c")
    try Messages.expect(
      refused, code: 5, of: "host-local", on: "ADD, ipam.resolvConf is not there")
    #expect(network.leases.count == 2)
    #expect(try missing.call("STATUS", "").code == 50)
  }
}
