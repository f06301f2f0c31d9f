import Foundation
import TestSupport
import Testing

/// Ports of one attachment, published with a fault at one system call of the plugin: where they are
/// the first of the host, whose table is made by nft, and where they are not.
@Suite("portmap, killed or failed at any system call", .privateHost, .serialized)
struct PortmapFaultTests {
  enum Place: CaseIterable {
    case first
    case besideOthers
  }
  private let faults: FaultHost
  private let portmap: Plugin
  private let sandbox: Sandbox
  private let configuration: Document
  private let others: Document
  private let before: [Place: Traces]

  init() throws {
    faults = try FaultHost()
    portmap = faults.host.plugin("portmap")
    sandbox = try Sandbox()
    let previous = try faults.plugin.add(
      faults.configuration(["isGateway": true, "isDefaultGateway": true]), containerID: "c1",
      sandbox: sandbox
    ).checked()
    let mappings = ["tcp", "udp"].map { transport -> Document in
      ["hostPort": 8080, "containerPort": 80, "protocol": .string(transport)]
    }
    configuration = [
      "cniVersion": "1.1.0", "name": "net1", "type": "portmap", "prevResult": previous,
      "runtimeConfig": ["portMappings": .array(mappings)],
    ]
    // Locks are there from the first command on.
    try portmap.add(configuration, containerID: "c1", sandbox: sandbox).checked()
    try portmap.del(configuration, containerID: "c1", sandbox: nil).checked()
    let first = try Self.traces(faults, sandbox)
    others = configuration.with([
      "name": "net2",
      "prevResult": ["cniVersion": "1.1.0", "ips": [["address": "10.7.0.99/16"]]],
      "runtimeConfig": ["portMappings": [["hostPort": 9090, "containerPort": 80]]],
    ])
    try portmap.add(others, containerID: "c2", sandbox: sandbox).checked()
    before = [.first: first, .besideOthers: try Self.traces(faults, sandbox)]
    try portmap.del(others, containerID: "c2", sandbox: nil).checked()
  }

  /// Publishes ports of others where they are wanted.
  private func prepare(_ place: Place) throws {
    guard place == .besideOthers else { return }
    try portmap.add(others, containerID: "c2", sandbox: sandbox).checked()
  }

  /// What is there, the setting that lets 127.0.0.1 leave included.
  private static func traces(_ faults: FaultHost, _ sandbox: Sandbox) throws -> Traces {
    let settings = try faults.host.namespace.exec(
      "sysctl", ["-a", "-r", "route_localnet"]
    ).checked().stdout
    return Traces(
      lines: try faults.traces([sandbox]).lines.union(
        settings.split(separator: "\n").map(String.init)))
  }
  private func difference(_ place: Place) throws -> String {
    try Self.traces(faults, sandbox).difference(from: #require(before[place]))
  }

  private func step(_ fault: Fault, at number: Int, _ command: String) throws -> Stepped {
    try faults.step(
      fault, at: number, command, configuration, "c1", command == "DEL" ? nil : sandbox,
      program: portmap)
  }
  private func add() throws -> PluginResult {
    try portmap.add(configuration, containerID: "c1", sandbox: sandbox)
  }
  private func del() throws -> PluginResult {
    try portmap.del(
      configuration.with(["prevResult": .absent, "runtimeConfig": .absent]), containerID: "c1",
      sandbox: nil)
  }

  /// Calls of a sweep from one to the next.
  private var stride: Int { isSoak ? 1 : 3 }

  @Test(
    "ADD that is killed leaves nothing that DEL or GC do not remove, and can be repeated",
    arguments: Place.allCases)
  func killedAdd(_ place: Place) throws {
    try prepare(place)
    let violations = Violations()
    var kills = 0
    for number in Swift.stride(from: 1, to: 10_000, by: stride) {
      let stepped = try step(.kill, at: number, "ADD")
      guard let call = stepped.call else {
        violations.expectSuccess(stepped.result, "ADD that was not killed")
        violations.expectSuccess(try del(), "DEL after it")
        break
      }
      kills += 1
      let event = "ADD killed at call \(number), \(call)"
      switch kills % 3 {
      case 0: violations.expectSuccess(try del(), event)
      case 1: violations.expectSuccess(try portmap.gc(configuration, valid: []), event)
      default:
        violations.expectSuccess(try add(), event)
        violations.expectSuccess(
          try portmap.check(
            configuration, previous: configuration["prevResult"], containerID: "c1",
            sandbox: sandbox), event)
        violations.expectSuccess(try del(), event)
      }
      violations.expectNothing(try difference(place), event)
    }
    #expect(kills > 100 / stride)
    figures("ADD of portmap, \(place), killed \(kills) times; violations: \(violations.count)")
  }

  @Test("DEL that is killed can be repeated", arguments: Place.allCases)
  func killedDel(_ place: Place) throws {
    try prepare(place)
    let violations = Violations()
    var kills = 0
    for number in Swift.stride(from: 1, to: 10_000, by: stride) {
      violations.expectSuccess(try add(), "ADD")
      let stepped = try step(.kill, at: number, "DEL")
      guard let call = stepped.call else { break }
      kills += 1
      let event = "DEL killed at call \(number), \(call)"
      violations.expectSuccess(
        kills % 2 == 0 ? try del() : try portmap.gc(configuration, valid: []), event)
      violations.expectNothing(try difference(place), event)
    }
    #expect(kills > 40 / stride)
    figures("DEL of portmap, \(place), killed \(kills) times; violations: \(violations.count)")
  }

  /// Runs `command` with one call failing after the other, and judges each that did; returns how
  /// many. It begins with `prepare` and ends with `finish` each time.
  private func failEach(
    _ command: String, prepare: () throws -> Void, finish: (_ number: Int) throws -> Void,
    _ judge: (PluginResult, _ event: String) throws -> Void
  ) throws -> Int {
    var failures = 0
    for (turn, number) in Swift.stride(from: 1, to: 10_000, by: stride).enumerated() {
      try prepare()
      let error = Fault.errors[turn % Fault.errors.count]
      let stepped = try step(.fail(error), at: number, command)
      if let call = stepped.call {
        failures += 1
        try judge(
          stepped.result, "\(command) with call \(number), \(call), failing: \(stepped.result)")
      }
      try finish(number)
      if stepped.count < number { break }
    }
    return failures
  }

  @Test(
    "ADD of which a call fails succeeds, or has undone everything and says why",
    arguments: Place.allCases)
  func failedAdd(_ place: Place) throws {
    try prepare(place)
    let violations = Violations()
    let failures = try failEach(
      "ADD", prepare: {},
      finish: { violations.expectSuccess(try del(), "DEL after call \($0)") }
    ) { result, event in
      if result.status == 0 {
        violations.expectSuccess(try del(), event)
      } else {
        violations.expect((result.json["msg"].text ?? "") != "", event)
      }
      violations.expectNothing(try difference(place), event)
    }
    #expect(failures > 60 / stride)
    figures("ADD of portmap, \(place), failed \(failures) times; violations: \(violations.count)")
  }

  @Test(
    "DEL of which a call fails succeeds, or says why and can be repeated",
    arguments: Place.allCases)
  func failedDel(_ place: Place) throws {
    try prepare(place)
    let violations = Violations()
    let failures = try failEach(
      "DEL", prepare: { violations.expectSuccess(try add(), "ADD") },
      finish: {
        violations.expectSuccess(try del(), "DEL after call \($0)")
        violations.expectNothing(try difference(place), "DEL after call \($0)")
      }
    ) { result, event in
      if result.status == 0 {
        violations.expectNothing(try difference(place), event)
      } else {
        violations.expect((result.json["msg"].text ?? "") != "", event)
      }
    }
    #expect(failures > 40 / stride)
    figures("DEL of portmap, \(place), failed \(failures) times; violations: \(violations.count)")
  }
}
