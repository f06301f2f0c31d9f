import TestSupport
import Testing

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
    if isChosen(20) { range["rangeStart"] = .string(prefix + one(["2", "2", "3"])) }
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
  static let manyAddresses = Document.array(
    (0..<300).map { ["address": .string("10.1.\($0 / 200).\($0 % 200 + 1)/16")] })
  static let faultyArguments = [
    "none", "A=b=c", ";;", "a=b", "ip=10.1.0.3", "IP=x", "IP=x/24", "IgnoreUnknown=x",
    "IgnoreUnknown=T", "IgnoreUnknown=", "IP=10.1.0.4,10.1.0.5", "MAC=02:00:00:00:00:01",
    "K8S_POD_NAME=p", "GATEWAY=x", "IP=10.1.0.300",
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
      made.ipam["routes"] = .array((0..<one([1, 1, 2])).map { _ in one(Self.routes) })
    }
    if isChosen(45) {
      fault(&made)
      return made
    }
    if isChosen(12) { made.members["args"] = ["cni": ["ips": wanted(length)]] }
    var runtime: [String: Document] = [:]
    if isChosen(12) { runtime["ips"] = wanted(length) }
    if plugin == "host-local", isChosen(10) { runtime["ipRanges"] = [[range(isChosen(30))]] }
    if !runtime.isEmpty { made.members["runtimeConfig"] = .object(runtime) }
    if isChosen(20) {
      made.args = one([
        "IP=10.1.0.5\(length)", "IP=fd00::5\(length.isEmpty ? "" : "/64");IgnoreUnknown=0",
        "IgnoreUnknown=1;a=b", "IP=", "IgnoreUnknown=true", "IgnoreUnknown=TRUE;IP=10.1.0.6/28",
      ])
    }
    if plugin == "static", isChosen(15) {
      made.args = one([
        "GATEWAY=10.1.0.9", "IP=10.1.0.5/24;GATEWAY=10.1.0.9", "GATEWAY=;IP=10.2.0.5/24",
        "IP=10.1.0.5/24,fd00::5/64;GATEWAY=fd00::9,10.1.0.9", "IP=10.1.0.5/24;GATEWAY=10.77.0.1",
      ])
    }
    return made
  }

  /// Routes, attributes and all that the installed release does not know.
  private static let routes: [Document] = [
    ["dst": "0.0.0.0/0"], ["dst": "10.9.0.0/16", "gw": "10.1.0.3"],
    ["dst": "::/0", "gw": "fd00::1"], ["dst": "10.9.0.0/16", "mtu": 1300, "table": 100],
    [
      "dst": "10.7.0.0/16", "gw": "", "mtu": 1300, "advmss": 1200, "priority": 5, "table": 100,
      "scope": 253,
    ], ["dst": "10.9.1.2/16"], ["dst": "10.9.0.0/016"], ["dst": "::ffff:10.0.0.0/104"],
    ["dst": "10.6.0.0/16", "gw": "::ffff:10.1.0.3"], ["dst": "fd09::/16", "gw": nil, "mtu": 0],
    ["DST": "10.5.0.0/16", "GW": "10.1.0.9"],
  ]

  /// No address that is asked for, one or several.
  private mutating func wanted(_ length: String) -> Document {
    let all = [
      "10.1.0.4", "10.1.0.9", "10.2.0.3", "fd00::7", "10.1.0.1", "10.1.0.15", "10.99.0.1",
      "FD00::8", "fd00:0:0::9",
    ]
    return .array((0..<one([0, 1, 1, 1, 2])).map { _ in .string(one(all) + length) })
  }

  private mutating func ranges(_ made: inout Case, isOld: Bool) {
    var sets: [[Document]] = [[range(isChosen(15))]]
    if sets[0][0]["subnet"].text?.hasPrefix("fd00:1::") != true, isChosen(30) {
      sets.append([range(true)])
    }
    let isSix = sets[0][0]["subnet"].text?.hasPrefix("f") == true
    if isChosen(20) { sets[0].append(["subnet": isSix ? "fd00:8::/125" : "10.8.0.0/29"]) }
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
        ["address": "::ffff:10.1.0.3/120"], ["address": "::ffff:10.1.0.3/24"],
        ["address": "10.1.0.2/024"], ["address": "FD00::2/64"],
      ])
    ]
    if isChosen(30) {
      list.append(["address": "fd00::2/64", "gateway": .string(one(["fd00::1", ""]))])
    }
    made.ipam["addresses"] = .array(list)
    if isChosen(20) { made.ipam["dns"] = ["nameservers": ["192.0.2.1"], "search": ["a"]] }
  }

  /// A result of ADD, in one of four cases not as it was.
  mutating func altered(_ result: Document) -> Document {
    guard case .array(var list) = result["ips"], isChosen(25) else { return result }
    switch one([0, 1, 2, 3]) {
    case 0: list.removeFirst()
    case 1: list[0] = list[0].with(["address": "10.99.9.9/24"])
    case 2: list.append(["version": "4", "address": "10.98.0.1/24"])
    default: list[0] = list[0].with(["gateway": "10.1.0.200"])
    }
    return result.with(["ips": .array(list)])
  }

  private mutating func fault(_ made: inout Case) {
    made.members["cniVersion"] = "1.0.0"
    switch Int.random(in: 0..<6, using: &random) {
    case 0, 1:
      guard made.plugin == "host-local" else {
        made.ipam["addresses"] =
          isChosen(10) ? Self.manyAddresses : [one(Self.faultyAddresses)]
        if isChosen(20) { made.members["runtimeConfig"] = ["ips": ["10.1.0.7/24"]] }
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
        // Of a range that has no address left, that would be another fault.
        for name in ["ranges", "rangeStart", "rangeEnd", "gateway"] { made.ipam[name] = nil }
        made.ipam["subnet"] = "10.1.0.0/28"
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
  ) throws -> IPAMOutcome {
    var ipam = Document.object(made.ipam)
    if made.plugin == "host-local", made.ipam["dataDir"] == nil {
      ipam = ipam.with(["dataDir": .string(network.temporary.path)])
    }
    let configuration = (["name": "net", "type": "x", "ipam": ipam] as Document)
      .with(made.members).with(members)
    let result = try Plugin(made.plugin, reference: reference).call(
      command, configuration, containerID: id, sandbox: "/nowhere", ifname: ifname,
      args: made.args)
    return IPAMOutcome(result: result, files: network.files)
  }

  @Test("differ only as the table says", .timeLimit(.minutes(30)))
  func cases() throws {
    var comparison = Comparison(
      IPAMOutcome.differences, codes: [2, 4, 5, 7, 999], count: 250, soak: 4000)
    var generator = Generator(random: SeededGenerator(20_26))
    for number in 0..<comparison.count {
      let made = generator.next()
      let (ours, theirs) = (try Network([:]), try Network([:]))
      var results: [String: Document] = [:]
      for step in 0..<5 {
        let command = generator.one(["ADD", "ADD", "ADD", "DEL", "CHECK"])
        let (id, ifname) = (
          generator.one(["a", "b", "c", "d"]), generator.one(["eth0", "eth0", "eth1"])
        )
        var members: [String: Document] = [:]
        if command != "ADD", let result = results["\(id)/\(ifname)"], generator.isChosen(70) {
          members["prevResult"] = generator.altered(result)
        } else if command == "CHECK", generator.isChosen(90) {
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
        if command == "ADD", !found.hasFailed { results["\(id)/\(ifname)"] = found.result.json }
      }
    }
    comparison.finish("")
  }

  @Test("the table of differences has those that the test knows, and no others")
  func table() throws {
    let titles = try Difference<IPAMOutcome>.titles(inTableOf: "plugins/ipam/README.md")
    #expect(titles == IPAMOutcome.differences.map(\.title))
  }
}
