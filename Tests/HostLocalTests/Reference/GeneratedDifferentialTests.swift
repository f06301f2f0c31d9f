import TestSupport
import Testing

/// What one plugin of the two did in a step.
private struct Outcome: ComparedOutcome {
  let result: PluginResult
  let files: [String: String]
  var leases: [String: String] { files.filter { !$0.key.hasPrefix("last_reserved_ip.") } }

  /// The result as the release of the reference that is installed can have it.
  var comparable: Document {
    let routes = result.json["routes"].array.map {
      $0.with(["mtu": .absent, "table": .absent])
    }
    let dns = result.json["dns"]
    return result.json.with([
      "routes": routes.isEmpty ? .absent : .array(routes), "dns": dns == [:] ? .absent : dns,
    ])
  }

  func leftTheSame(as other: Outcome) -> Bool { files == other.files }

  /// What `plugins/ipam/README.md` has in its table.
  static let differences: [Difference<Outcome>] = [
    Difference(title: "a wrong type") { command, ours, theirs in
      let isOfType = [
        "json: cannot unmarshal", "error unmarshall network config: json:", "decoding version from",
        "failed to load netconf: json:",
      ].contains { theirs.message.hasPrefix($0) }
      return isOfType && (ours.result.code == 7 || command == "DEL")
        || ours.message == "type: 5 is not a string"
    },
    Difference(title: "DEL with a fault") { command, ours, theirs in
      command == "DEL" && !ours.hasFailed && theirs.hasFailed
    },
    Difference(title: "a repeated ADD") { command, ours, theirs in
      let isOfItsOwn =
        theirs.message.hasSuffix("duplicate allocation is not allowed")
        || theirs.message.contains("is not available in range set")
      return !ours.hasFailed && isOfItsOwn
    },
    Difference(title: "keys of `CNI_ARGS`") { command, ours, theirs in
      theirs.message.hasPrefix("ARGS: unknown args") && !ours.message.hasPrefix("ARGS: ")
    },
    Difference(title: "an empty pair in `CNI_ARGS`") { command, ours, theirs in
      theirs.message == "ARGS: invalid pair \"\""
    },
    Difference(title: "`IP` of `CNI_ARGS` in CHECK") { command, ours, theirs in
      command == "CHECK" && theirs.message.hasPrefix("ARGS: error parsing value of pair \"IP=")
    },
    Difference(title: "a gateway of the other family") { command, ours, theirs in
      ours.result.code == 7 && ours.message.contains("is not of the family of")
    },
    Difference(title: "requests for one range set") { command, ours, theirs in
      let words = [ours, theirs].map { $0.message.split(separator: " ").sorted() }
      return theirs.message.hasPrefix("failed to allocate all requested IPs")
        && (!ours.hasFailed || Set(words[0]).isSubset(of: words[1]))
    },
    Difference(title: "a subnet of two addresses or one") { command, ours, theirs in
      theirs.message.hasSuffix("too small to allocate from")
    },
    Difference(title: "a subnet of all addresses") { command, ours, theirs in
      theirs.message.contains("no IP addresses available in range set: ?")
    },
    Difference(title: "a route without `dst`") { command, ours, theirs in
      ours.result.code == 7 && ours.message == "ipam.routes[0].dst: missing; a string is required"
    },
    Difference(title: "CHECK of `static`") { command, ours, theirs in
      ours.message.hasPrefix("static: Failed to match addr") && !theirs.hasFailed
    },
    Difference(title: "CHECK of `host-local`") { command, ours, theirs in
      ours.message.contains("are not those leased") && !theirs.hasFailed
    },
    Difference(title: "CHECK without `prevResult`") { command, ours, theirs in
      ours.message == "Required prevResult missing"
    },
    Difference(title: "the cursor after a refusal") { command, ours, theirs in
      ours.hasFailed && theirs.hasFailed && ours.message == theirs.message
        && ours.files != theirs.files && ours.leases == theirs.leases
    },
  ]
}

/// Configurations, environments and steps; one fault at most in each.
private struct Generator: CaseGenerator {
  var random: SeededGenerator

  struct Case {
    var plugin: String
    var members: [String: Document]
    var ipam: [String: Document]
    var args: String?
  }

  private mutating func range(_ six: Bool) -> Document {
    let (subnet, prefix) =
      six
      ? one([("fd00::/124", "fd00::"), ("fd00:1::/64", "fd00:1::")])
      : one([("10.1.0.0/28", "10.1.0."), ("10.2.0.0/29", "10.2.0."), ("10.3.0.0/30", "10.3.0.")])
    var range: [String: Document] = ["subnet": .string(subnet)]
    if isChosen(20) { range["rangeStart"] = .string(prefix + "2") }
    if isChosen(20) { range["rangeEnd"] = .string(prefix + (subnet.hasSuffix("/30") ? "2" : "6")) }
    // Where it is the only address of the range, none is left.
    if isChosen(20) { range["gateway"] = .string(prefix + "2") }
    return .object(range)
  }

  static let faultyRanges: [Document] = [
    ["subnet": "10.1.0.5/24"], ["subnet": "x"], ["subnet": "10.1.0.0"], ["subnet": ""], [:],
    ["subnet": "::ffff:10.1.0.0/120"], ["subnet": "10.1.0.0/31"], ["subnet": "fd00::/128"],
    ["subnet": "10.1.0.0/28", "rangeStart": "10.9.0.1"],
    ["subnet": "10.1.0.0/28", "rangeEnd": "fd00::1"],
    ["subnet": "10.1.0.0/28", "rangeStart": "10.1.0.9", "rangeEnd": "10.1.0.3"],
    ["subnet": "10.1.0.0/28", "gateway": "x"], ["subnet": "10.1.0.0/28", "gateway": "fd00::1"],
    ["subnet": "10.1.0.0/28", "rangeStart": "y"], ["subnet": 5],
    ["subnet": "10.1.0.0/28", "rangeEnd": 7], ["subnet": nil], nil, ["subnet": "0.0.0.0/0"],
  ]
  static let faultySets: [Document] = [
    [], nil, [["subnet": "10.1.0.0/28"], ["subnet": "fd00::/64"]],
    [["subnet": "10.1.0.0/28"], ["subnet": "10.1.0.0/29"]],
  ]
  static let faultyAddresses: [Document] = [
    ["address": "10.1.0.2"], ["address": "x"], ["gateway": "10.1.0.1"],
    ["address": "10.1.0.2/24", "gateway": "x"], ["address": "10.1.0.2/24", "gateway": "fd00::1"],
    ["address": "10.1.0.2/40"], ["address": 5],
  ]
  static let faultyArguments = [
    "none", "A=b=c", ";;", "a=b", "ip=10.1.0.3", "IP=x", "IP=x/24", "IgnoreUnknown=x",
    "IgnoreUnknown=T", "MAC=02:00:00:00:00:01", "K8S_POD_NAME=p", "GATEWAY=x", "IP=10.1.0.300",
  ]
  static let faultyMembers: [[String: Document]] = [
    ["name": ""], ["name": "a b"], ["name": 5], ["cniVersion": "9.9.9"], ["cniVersion": 5],
    ["args": 5], ["args": ["cni": "x"]], ["args": ["cni": ["ips": 5]]], ["runtimeConfig": "x"],
    ["runtimeConfig": ["ips": 5]], ["ipam": nil], ["ipam": "x"], ["ipam": 5], ["ipam": [5]],
    ["ipam": .absent], ["dns": 5], ["capabilities": ["ips": 5]], ["type": 5],
    ["runtimeConfig": ["ips": [""]]], ["args": ["cni": ["ips": ["x"]]]],
    ["runtimeConfig": ["ipRanges": [[["subnet": "10.1.0.0/28"]]]]],
    ["runtimeConfig": ["ipRanges": [nil]]],
  ]

  mutating func next() -> Case {
    let plugin = one(["host-local", "host-local", "static"])
    let version = one(["1.0.0", "1.0.0", "0.4.0", "0.3.1", "0.3.0", "0.2.0", "0.1.0", ""])
    var made = Case(
      plugin: plugin, members: ["cniVersion": .string(version)], ipam: ["type": .string(plugin)])
    let length = plugin == "static" ? "/24" : ""
    if plugin == "host-local" { ranges(&made, isOld: version < "0.3") } else { addresses(&made) }
    if isChosen(30) {
      made.ipam["routes"] = [
        one([
          ["dst": "0.0.0.0/0"], ["dst": "10.9.0.0/16", "gw": "10.1.0.3"],
          ["dst": "::/0", "gw": "fd00::1"], ["dst": "10.9.0.0/16", "mtu": 1300, "table": 100],
        ])
      ]
    }
    if isChosen(45) {
      fault(&made)
      return made
    }
    let wanted = ["10.1.0.4", "10.1.0.9", "10.2.0.3", "fd00::7"].map { $0 + length }
    if isChosen(12) { made.members["args"] = ["cni": ["ips": [.string(one(wanted))]]] }
    if isChosen(12) { made.members["runtimeConfig"] = ["ips": [.string(one(wanted))]] }
    if isChosen(20) {
      made.args = one(["IP=10.1.0.5\(length)", "IgnoreUnknown=1;a=b", "IP=", "IgnoreUnknown=true"])
    }
    return made
  }

  private mutating func ranges(_ made: inout Case, isOld: Bool) {
    var sets: [[Document]] = [[range(false)]]
    if isChosen(30) { sets.append([range(true)]) }
    if isChosen(20) { sets[0].append(["subnet": "10.8.0.0/29"]) }
    if isChosen(10), !isOld { sets.append([["subnet": "10.7.0.0/28"]]) }
    if sets.count == 1, sets[0].count == 1, isChosen(50) {
      made.ipam.merge(sets[0][0].members) { $1 }
    } else {
      made.ipam["ranges"] = .array(sets.map { .array($0) })
    }
  }

  private mutating func addresses(_ made: inout Case) {
    var list: [Document] = [
      one([
        ["address": "10.1.0.2/24", "gateway": "10.1.0.1"], ["address": "10.2.0.9/30"],
        ["address": "::ffff:10.1.0.3/120"],
      ])
    ]
    if isChosen(30) {
      list.append(["address": "fd00::2/64", "gateway": .string(one(["fd00::1", ""]))])
    }
    made.ipam["addresses"] = .array(list)
    if isChosen(20) { made.ipam["dns"] = ["nameservers": ["192.0.2.1"], "search": ["a"]] }
  }

  private mutating func fault(_ made: inout Case) {
    made.members["cniVersion"] = "1.0.0"
    switch Int.random(in: 0..<6, using: &random) {
    case 0, 1:
      guard made.plugin == "host-local" else {
        made.ipam["addresses"] = [one(Self.faultyAddresses)]
        return
      }
      for name in ["subnet", "rangeStart", "rangeEnd", "gateway"] { made.ipam[name] = nil }
      let set: Document = isChosen(70) ? [one(Self.faultyRanges)] : one(Self.faultySets)
      made.ipam["ranges"] = [set]
    case 2: made.args = one(Self.faultyArguments)
    case 3: made.members.merge(one(Self.faultyMembers)) { $1 }
    case 4:
      let names =
        made.plugin == "host-local"
        ? ["routes", "ranges", "subnet", "resolvConf", "dataDir"] : ["routes", "addresses", "dns"]
      made.ipam[one(names)] = one([5, true, ["a": 1]])
      if made.plugin == "host-local", isChosen(30) {
        made.ipam[one(["dataDir", "resolvConf"])] = one(["/etc/passwd/x", "/etc", "/dev/null/x"])
      }
    default:
      made.ipam["routes"] = [
        one([
          ["dst": "x"], ["dst": "10.0.0.0"], ["dst": "0.0.0.0/0", "gw": "x"], [:], ["dst": nil],
          ["dst": "0.0.0.0/0", "gw": "fd00::1"],
        ])
      ]
    }
  }
}

@Suite("host-local and static beside the reference plugins, by generated cases")
struct GeneratedDifferentialTests {
  private func outcome(
    _ made: Generator.Case, _ network: Network, _ command: String, _ id: String, _ ifname: String,
    _ members: [String: Document], reference: Bool
  ) throws -> Outcome {
    var ipam = Document.object(made.ipam)
    if made.plugin == "host-local", made.ipam["dataDir"] == nil {
      ipam = ipam.with(["dataDir": .string(network.temporary.path)])
    }
    let configuration = (["name": "net", "type": "x", "ipam": ipam] as Document)
      .with(made.members).with(members)
    let result = try Plugin(made.plugin, reference: reference).call(
      command, configuration, containerID: id, sandbox: "/nowhere", ifname: ifname,
      args: made.args)
    return Outcome(result: result, files: network.files)
  }

  @Test("differ only as the table says", .timeLimit(.minutes(30)))
  func cases() throws {
    var comparison = Comparison(
      Outcome.differences, codes: [2, 4, 5, 7, 999], count: 250, soak: 4000)
    var generator = Generator(random: SeededGenerator(20_26))
    for number in 0..<comparison.count {
      let made = generator.next()
      let (ours, theirs) = (try Network([:]), try Network([:]))
      for step in 0..<5 {
        let command = generator.one(["ADD", "ADD", "ADD", "DEL", "CHECK"])
        let (id, ifname) = (
          generator.one(["a", "b", "c", "d"]), generator.one(["eth0", "eth0", "eth1"])
        )
        var members: [String: Document] = [:]
        if command == "CHECK", generator.isChosen(90) {
          let address = generator.one(["10.1.0.2/28", "10.1.0.2/24", "10.2.0.9/30"])
          members["prevResult"] = [
            "cniVersion": made.members["cniVersion"] ?? "",
            "ips": [["address": .string(address), "version": "4"]],
          ]
        }
        let found = try outcome(made, ours, command, id, ifname, members, reference: false)
        let expected = try outcome(made, theirs, command, id, ifname, members, reference: true)
        let isSame = comparison.agree(
          command, found, expected, at: "case \(number), step \(step)",
          "\(made.args ?? ""): \(made.members) \(made.ipam)\n\(found.files) \(expected.files)")
        guard isSame else { break }
      }
    }
    comparison.finish("")
  }

  @Test("the table of differences has those that the test knows, and no others")
  func table() throws {
    let titles = try Difference<Outcome>.titles(inTableOf: "plugins/ipam/README.md")
    #expect(titles == Outcome.differences.map(\.title))
  }
}
