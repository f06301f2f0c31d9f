import Foundation
import TestSupport
import Testing

/// `ovn` with `cluster`, killed or failed at its system calls. In `make test` at five of them, in
/// `make soak` at each.
extension OVNTests {
  /// An attachment of one host that is interrupted.
  struct Interrupted {
    let network: LogicalNetwork
    let sandbox: Sandbox
    let files: TemporaryDirectory
    let violations = Violations()
    private let before: [String]

    init() throws {
      var network = try LogicalNetwork(Lab.shared)
      network.members["timeout"] = 20
      self.network = network
      sandbox = try Sandbox()
      files = try TemporaryDirectory()
      // Locks are there from the first command on.
      try network.add("first", sandbox).checked()
      try network.del("first").checked()
      before = try Self.traces(network, sandbox)
    }

    /// What is of the network, and any link of the host and the sandbox.
    private static func traces(_ network: LogicalNetwork, _ sandbox: Sandbox) throws -> [String] {
      var traces = try network.traces()
      for namespace in [network.host.namespace, sandbox] {
        traces += try TestSupport.ip(in: namespace, ["link", "show", "type", "veth"]).array.map {
          "link \($0["ifname"].text ?? "") in \(namespace.name)"
        }
      }
      return traces.sorted()
    }

    func step(_ fault: Fault, at number: Int, ofDelegate: Bool = false, _ command: String) throws
      -> Stepped
    {
      try network.host.plugin().step(
        fault, at: number, ofDelegate: ofDelegate, command, network.configuration,
        containerID: "c", sandbox: command == "DEL" ? nil : sandbox.path, files: files)
    }

    func expectNothing(_ event: String) throws {
      var left = ""
      // ovs-vswitchd gives a port up in its own time, and what was killed lets its locks go.
      for _ in 0..<500 {
        let now = try Self.traces(network, sandbox)
        left = now == before ? "" : "\(now)\ninstead of \(before)"
        if left.isEmpty { return }
        usleep(20_000)
      }
      violations.expectNothing(left, event)
    }

    func expectDel(_ event: String) throws {
      violations.expectSuccess(try network.del("c"), event)
      try expectNothing(event)
    }

    /// DEL, GC, or ADD again and DEL, in turn.
    func mend(_ turn: Int, _ event: String) throws {
      switch turn % 3 {
      case 0: return try expectDel("\(event), then DEL")
      case 1:
        try network.age()
        // What is locked is left to the next one: a child of what was killed may hold the lock
        // until its own program runs.
        for _ in 0..<50 {
          violations.expectSuccess(try network.gc([]), "\(event), then GC")
          if try Self.traces(network, sandbox) == before { break }
          usleep(100_000)
        }
        try expectNothing("\(event), then GC")
      default:
        let result = try network.add("c", sandbox)
        if result.code != 100 {
          violations.expectSuccess(result, "\(event), then ADD")
          if result.status == 0 {
            violations.expectSuccess(
              try network.check("c", sandbox, result.json), "\(event), then ADD and CHECK")
          }
        }
        try expectDel("\(event), then ADD and DEL")
      }
    }

    /// The calls of a command at which something is done to it, all of `make soak`.
    func calls(of command: String, ofDelegate: Bool) throws -> [Int] {
      if command == "DEL" { try network.add("c", sandbox).checked() }
      let whole = try step(.none, at: 0, ofDelegate: ofDelegate, command)
      violations.expectSuccess(whole.result, command)
      try expectDel("after \(command)")
      #expect(whole.count > 20, "\(whole)")
      return Array(
        stride(from: 1, through: whole.count, by: isSoak ? 1 : max(1, whole.count / 5)))
    }
  }

  @Test(
    "what is killed at any system call leaves nothing that DEL or GC does not remove",
    arguments: ["ADD", "DEL"], ["ovn", "cluster"])
  func killed(command: String, program: String) throws {
    let place = try Interrupted()
    let isDelegate = program == "cluster"
    var kills = 0
    for (turn, number) in try place.calls(of: command, ofDelegate: isDelegate).enumerated() {
      if command == "DEL" {
        place.violations.expectSuccess(try place.network.add("c", place.sandbox), "ADD")
      }
      let stepped = try place.step(.kill, at: number, ofDelegate: isDelegate, command)
      let event = "\(command) with \(program) killed at call \(number), \(stepped.call ?? "none")"
      if stepped.call != nil { kills += 1 }
      if isDelegate, stepped.call != nil {
        // The plugin itself lives, says so, and ADD has undone everything.
        place.violations.expect(stepped.result.status == 1, "\(event): \(stepped.result)")
        if command == "ADD" { try place.expectNothing(event) }
      }
      try place.mend(turn, event)
    }
    #expect(kills > 3)
    figures(
      "\(command) of ovn, \(program) killed \(kills) times; violations: \(place.violations.count)")
  }

  @Test(
    "ADD of which a system call fails succeeds, or has undone everything and says why",
    arguments: ["ovn", "cluster"])
  func failed(program: String) throws {
    let place = try Interrupted()
    let isDelegate = program == "cluster"
    var failures = 0
    for (turn, number) in try place.calls(of: "ADD", ofDelegate: isDelegate).enumerated() {
      for error in Fault.errors(inTurn: turn) {
        let stepped = try place.step(.fail(error), at: number, ofDelegate: isDelegate, "ADD")
        let event =
          "ADD with call \(number) of \(program), \(stepped.call ?? "none"), failing by \(error): "
          + "\(stepped.result)"
        if stepped.call != nil { failures += 1 }
        if stepped.result.status == 0 {
          place.violations.expectSuccess(
            try place.network.check("c", place.sandbox, stepped.result.json), event)
        } else {
          place.violations.expect(stepped.result.status == 1, event)
          place.violations.expect((stepped.result.json["msg"].text ?? "") != "", event)
          try place.expectNothing(event)
        }
        try place.expectDel(event)
      }
    }
    #expect(failures > 2)
    figures(
      "ADD of ovn with \(failures) failing calls of \(program); violations: "
        + "\(place.violations.count)")
  }
}
