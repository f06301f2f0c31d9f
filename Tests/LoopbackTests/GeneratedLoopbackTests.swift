import TestSupport
import Testing

/// What one plugin of the two did in a step.
private struct Outcome: ComparedOutcome {
  let result: PluginResult
  /// Whether `lo` is up afterwards.
  let isUp: Bool
  let comparable: Document

  /// The paths of sandboxes have one name in it, and an empty `dns` is none.
  init(_ result: PluginResult, isUp: Bool, _ sandbox: String) throws {
    let text = result.output.stdout.replacing(sandbox, with: "/sandbox")
    let json = text.isEmpty ? Document.absent : try Document(parsing: Array(text.utf8))
    self.result = result
    self.isUp = isUp
    comparable = json.with(["dns": json["dns"] == [:] ? .absent : json["dns"]])
  }

  func leftTheSame(as other: Outcome) -> Bool { isUp == other.isUp }

  /// What `plugins/main/loopback/README.md` has in its table.
  static let differences: [Difference<Outcome>] = [
    Difference(title: "a wrong type") { command, ours, theirs in
      let isOfType = [
        "json: cannot unmarshal", "failed to load netconf", "failed to parse prevResult",
        "could not parse prevResult", "decoding version from",
      ].contains { theirs.message.contains($0) }
      // CHECK of the reference looks at the link first, and not at all that it reads in ADD.
      let isOurs = ours.result.code == 7 && ours.message.contains(" is not a")
      return isOfType && (ours.result.code == 7 || command == "DEL")
        || command == "CHECK" && isOurs
    },
    Difference(title: "results before 0.3.0") { command, ours, theirs in
      command == "ADD" && ours.comparable["interfaces"].isAbsent
        && !theirs.comparable["interfaces"].isAbsent
    },
    Difference(title: "`version` of addresses") { command, ours, theirs in
      let addresses = ours.comparable["ips"].array.map { $0.with(["version": .absent]) }
      let stripped = ours.comparable.with(["ips": .array(addresses)])
      return command == "ADD" && theirs.comparable == stripped
    },
    Difference(title: "DEL with a fault") { command, ours, theirs in
      command == "DEL" && !ours.hasFailed && theirs.hasFailed
    },
    Difference(title: "CHECK without `prevResult`") { command, ours, theirs in
      command == "CHECK" && ours.message == "Required prevResult missing"
    },
    Difference(title: "addresses in CHECK") { command, ours, theirs in
      command == "CHECK" && ours.message.contains("lacks the address") && !theirs.hasFailed
    },
  ]
}

/// Configurations, environments and steps; one fault at most in each.
private struct Generator: CaseGenerator {
  var random: SeededGenerator

  struct Case {
    var members: [String: Document]
    var id: String? = "a"
    var ifname: String? = "lo"
    var args: String?
    /// Nil: the sandbox that there is.
    var path: String??
    /// Whether earlier plugins of a chain have made an interface.
    var isChained = false
    /// Whether another address was taken from `lo`.
    var lacksAddress = false
  }

  mutating func next() -> Case {
    let version = one(["1.0.0", "1.0.0", "0.4.0", "0.3.1", "0.3.0", "0.2.0", "0.1.0"])
    var made = Case(
      members: ["cniVersion": .string(version), "name": "net", "type": "loopback"])
    made.isChained = isChosen(30)
    made.lacksAddress = isChosen(5)
    if isChosen(10) { made.ifname = "eth0" }
    if isChosen(10) { made.args = one(["IgnoreUnknown=1", "none", "A=b=c", ";;", "IP=x", "a=b"]) }
    guard isChosen(40) else { return made }
    switch Int.random(in: 0..<5, using: &random) {
    case 0:
      made.members.merge(
        one([
          ["name": ""], ["name": "a b"], ["name": 5], ["cniVersion": "9.9.9"], ["cniVersion": 5],
          ["cniVersion": ""], ["prevResult": 5], ["dns": 5], ["type": 5],
          ["capabilities": 5], ["capabilities": ["a": 5]], ["ipam": 5], ["ipam": ["type": 5]],
        ])
      ) { $1 }
    case 1: made.id = one([nil, "", "a b", "-a", "../x"])
    case 2: made.ifname = one([nil, "", "a/b", "a:b", "x23456789012345678", ".", ".."])
    case 3: made.path = one(["", "/nowhere", "/etc/passwd", nil])
    default: made.members[one(["name", "type", "cniVersion"])] = .absent
    }
    return made
  }
}

@Suite("loopback beside the reference plugin, by generated cases", .privateHost)
struct GeneratedLoopbackTests {
  private let sandboxes: [Sandbox]
  init() throws { sandboxes = try [Sandbox(), Sandbox()] }

  /// What ADD reports at `version`, of `lo` or of an interface that another plugin made.
  private func previous(_ version: String, _ path: String, isChained: Bool) -> Document {
    let address = isChained ? "10.0.0.2/24" : "127.0.0.1/8"
    if version < "0.3" { return ["cniVersion": .string(version), "ip4": ["ip": .string(address)]] }
    return [
      "cniVersion": .string(version),
      "interfaces": [
        [
          "name": isChained ? "eth0" : "lo", "mac": "00:00:00:00:00:00",
          "sandbox": .string(path),
        ]
      ],
      "ips": [
        [
          "version": version < "1" ? "4" : .absent, "interface": 0, "address": .string(address),
        ]
      ],
    ]
  }

  private func outcome(
    _ made: Generator.Case, _ command: String, in sandbox: Sandbox, hasResult: Bool,
    reference: Bool
  ) throws -> Outcome {
    var configuration = Document.object(made.members)
    let version = made.members["cniVersion"]?.text ?? "0.1.0"
    if hasResult, made.members["prevResult"] == nil {
      configuration = configuration.with([
        "prevResult": previous(version, sandbox.path, isChained: made.isChained)
      ])
    }
    let result = try Plugin("loopback", reference: reference).call(
      command, configuration, containerID: made.id, sandbox: made.path ?? sandbox.path,
      ifname: made.ifname, args: made.args)
    let link = try sandbox.ip("link", "show", "lo")[0]
    return try Outcome(result, isUp: link["flags"].array.contains("UP"), sandbox.path)
  }

  @Test("differ only as the table says", .timeLimit(.minutes(30)))
  func cases() throws {
    var comparison = Comparison(
      Outcome.differences, codes: [2, 4, 5, 7, 8, 999], count: 80, soak: 2000)
    var generator = Generator(random: SeededGenerator(20_26))
    for number in 0..<comparison.count {
      let made = generator.next()
      for sandbox in sandboxes {
        try sandbox.exec("ip", ["link", "set", "lo", "down"]).checked()
        // The kernel gives it to a link that comes up, unless it is there.
        try sandbox.exec("ip", ["-4", "address", "flush", "dev", "lo"]).checked()
      }
      for step in 0..<4 {
        let command = generator.one(["ADD", "ADD", "CHECK", "DEL"])
        let hasResult = made.isChained || command != "ADD" && generator.isChosen(85)
        if made.lacksAddress, command == "CHECK" {
          for sandbox in sandboxes {
            try sandbox.exec("ip", ["-4", "address", "flush", "dev", "lo"]).checked()
          }
        }
        let found = try outcome(
          made, command, in: sandboxes[0], hasResult: hasResult, reference: false)
        let expected = try outcome(
          made, command, in: sandboxes[1], hasResult: hasResult, reference: true)
        let isSame = comparison.agree(
          command, found, expected, at: "case \(number), step \(step)",
          "\(made)\nup: \(found.isUp) \(expected.isUp)")
        guard isSame else { break }
      }
    }
    comparison.finish(" of loopback")
  }

  @Test("the table of differences has those that the test knows, and no others")
  func table() throws {
    let titles = try Difference<Outcome>.titles(
      inTableOf: "plugins/main/loopback/README.md", below: "## What differs")
    #expect(titles == Outcome.differences.map(\.title))
  }
}
