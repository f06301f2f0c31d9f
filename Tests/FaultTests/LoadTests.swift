import CLinux
import Foundation
import Synchronization
import TestSupport
import Testing

/// Runs `body` for each of 0..<count, all at once, and waits for them all.
func concurrently(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
  let failure = Mutex<(any Error)?>(nil)
  let group = DispatchGroup()
  for number in 0..<count {
    group.enter()
    Thread.detachNewThread {
      do { try body(number) } catch { failure.withLock { $0 = $0 ?? error } }
      group.leave()
    }
  }
  group.wait()
  if let error = failure.withLock({ $0 }) { throw error }
}

/// Many attachments, of which it is known whether they are there.
private final class Load: Sendable {
  enum State {
    case absent
    /// With the answer of ADD.
    case present(Document)
    /// Something was killed, or failed, half-way.
    case unknown

    var isUnknown: Bool { if case .unknown = self { true } else { false } }
  }
  struct Figures {
    var commands: [String: Int] = [:]
    var kills = 0
    var refusals = 0
    var inspections = 0
  }

  let faults: FaultHost
  let violations = Violations()
  let sandboxes: [Sandbox]
  private let states: Mutex<[State]>
  private let holders = Mutex<[String: Int]>([:])
  let figures = Mutex(Figures())

  init(count: Int) throws {
    faults = try FaultHost()
    sandboxes = try (0..<count).map { _ in try Sandbox() }
    states = Mutex([State](repeating: .absent, count: count))
  }

  private func state(_ number: Int) -> State { states.withLock { $0[number] } }
  private func containerID(_ number: Int) -> String { "c\(number)" }

  /// Notes what becomes of an attachment, and that no address has two holders.
  func note(_ number: Int, _ state: State) {
    states.withLock { $0[number] = state }
    holders.withLock { holders in
      for (address, holder) in holders where holder == number { holders[address] = nil }
      guard case .present(let result) = state else { return }
      for address in result["ips"].array.compactMap({ $0["address"].text }) {
        if let other = holders[address] {
          violations.add("\(address) is given to c\(number), and c\(other) has it")
        }
        holders[address] = number
      }
    }
  }

  /// Runs a command for an attachment, perhaps killed at some system call.
  private func run(
    _ command: String, _ number: Int, _ configuration: Document, killed step: Int?
  ) throws -> PluginResult? {
    figures.withLock { $0.commands[command, default: 0] += 1 }
    let (id, sandbox) = (containerID(number), sandboxes[number])
    if let step {
      let stepped = try faults.step(.kill, at: step, command, configuration, id, sandbox)
      if stepped.call != nil {
        figures.withLock { $0.kills += 1 }
        return nil
      }
      return stepped.result
    }
    return try faults.plugin.call(
      command, configuration, containerID: id, sandbox: sandbox.path, ifname: "eth0",
      timeout: .seconds(120))
  }

  /// Does something to an attachment that no other thread uses meanwhile.
  func act(_ number: Int, _ generator: inout SeededGenerator) throws {
    let step =
      Int.random(in: 0..<4, using: &generator) == 0
      ? Int.random(in: 1..<160, using: &generator) : nil
    let configuration = faults.configuration(["timeout": 60])
    let isFirstChoice = Bool.random(using: &generator)
    let isCollected = Int.random(in: 0..<4, using: &generator) == 0
    switch state(number) {
    case .unknown where isCollected:
      // All others are valid, whatever is being done to them.
      let valid = sandboxes.indices.filter { $0 != number }.map { (containerID($0), "eth0") }
      let result = try run("GC", number, configuration.withValid(valid), killed: step)
      if let result, result.status != 0 { violations.add("GC of c\(number): \(result)") }
      note(number, result?.status == 0 ? .absent : .unknown)
    case .present(let result) where isFirstChoice:
      let check = try run(
        "CHECK", number, configuration.with(["prevResult": result]), killed: step)
      if let check, check.status != 0 { violations.add("CHECK of c\(number): \(check)") }
    case .unknown where isFirstChoice, .absent:
      let result = try run("ADD", number, configuration, killed: step)
      guard let result, result.status == 0 else {
        // What was killed may have been up before.
        let isUp = result?.code == 100 && state(number).isUnknown
        if let result, !isUp { violations.add("ADD of c\(number): \(result)") }
        return note(number, .unknown)
      }
      note(number, .present(result.json))
    case .present, .unknown:
      // Its address may be another's as soon as DEL has begun.
      note(number, .unknown)
      let result = try run("DEL", number, configuration, killed: step)
      if let result, result.status != 0 { violations.add("DEL of c\(number): \(result)") }
      note(number, result?.status == 0 ? .absent : .unknown)
    }
  }

  /// With no command running: GC of all that is not known to be there, and then everything is
  /// looked at.
  func inspect() throws {
    figures.withLock { $0.inspections += 1 }
    let all = states.withLock { $0 }
    var present: [Int: Document] = [:]
    for (number, state) in all.enumerated() {
      if case .present(let result) = state { present[number] = result }
    }
    figures.withLock { $0.commands["GC", default: 0] += 1 }
    let gc = try faults.plugin.gc(
      faults.configuration(["timeout": 60]),
      valid: present.keys.map { (containerID($0), "eth0") }, timeout: .seconds(120))
    violations.expect(gc.status == 0, "GC: \(gc)")
    for number in all.indices where present[number] == nil { note(number, .absent) }

    let found = try faults.traces([])
    var expected: Set<String> = []
    for (number, result) in present {
      let port = result["interfaces"][0]["name"].text ?? ""
      let id = containerID(number)
      expected.insert("\(faults.host.namespace.name) link \(port) veth patchbay:net1/\(id)/eth0")
      expected.insert("port \(port) of \(id)")
      expected.insert("interface \(port)")
      for address in result["ips"].array.compactMap({ $0["address"].text }) {
        let bare = address.prefix { $0 != "/" }
        expected.insert("lease \(bare) of \(id)/eth0")
      }
    }
    let ours = found.lines.filter { line in
      line.hasPrefix("lease ") || line.contains(" link veth")
        || (line.hasPrefix("port ") || line.hasPrefix("interface ")) && line.contains("veth")
    }
    let difference = Traces(lines: ours).difference(from: Traces(lines: expected))
    violations.expectNothing(difference, "with no command running, after GC")
  }

  /// Deletes everything.
  func end() throws {
    try concurrently(16) { [self] worker in
      for number in stride(from: worker, to: sandboxes.count, by: 16) {
        let result = try faults.plugin.del(
          faults.configuration(["timeout": 60]), containerID: containerID(number),
          sandbox: sandboxes[number], timeout: .seconds(120))
        violations.expect(result.status == 0, "DEL: \(result)")
        note(number, .absent)
      }
    }
  }
}

@Suite("Many at once", .privateHost, .serialized)
struct LoadTests {
  private static let duration =
    ProcessInfo.processInfo.environment["PATCHBAY_SOAK"].flatMap { Int($0) } ?? 12

  @Test("16 workers that add, check, delete, collect and are killed: no invariant is violated")
  func random() throws {
    let seed =
      ProcessInfo.processInfo.environment["PATCHBAY_SEED"].flatMap { UInt64($0) }
      ?? UInt64.random(in: 0...UInt64.max)
    let load = try Load(count: 64)
    let before = try load.faults.host.namespace.ip("link").array.count
    let end = ContinuousClock.now + .seconds(Self.duration)
    var round: UInt64 = 0
    while ContinuousClock.now < end {
      let began = round
      let pause = min(end, ContinuousClock.now + .seconds(isSoak ? 10 : 4))
      // Each worker has attachments of its own: a runtime does not run two commands for one.
      try concurrently(16) { worker in
        var generator = SeededGenerator(seed &+ began << 8 &+ UInt64(worker))
        while ContinuousClock.now < pause {
          let number = worker + 16 * Int.random(in: 0..<4, using: &generator)
          try load.act(number, &generator)
        }
      }
      try load.inspect()
      round += 1
    }
    try load.end()
    try load.inspect()
    #expect(try load.faults.host.namespace.ip("link").array.count == before)
    let found = load.figures.withLock { $0 }
    let commands = found.commands.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
    figures(
      "load by 16 workers for \(Self.duration) s: \(commands.joined(separator: ", ")); "
        + "\(found.kills) killed; \(found.inspections) inspections; "
        + "violations: \(load.violations.count) (seed \(seed))")
    #expect(found.kills > 5)
  }

  @Test("1,000 attachments on one host", .enabled(if: isSoak))
  func thousand() throws {
    let count = 1000
    let load = try Load(count: count)
    let configuration = load.faults.configuration(["timeout": 60])
    let began = ContinuousClock.now
    try concurrently(16) { worker in
      for number in stride(from: worker, to: count, by: 16) {
        let result = try load.faults.plugin.add(
          configuration, containerID: "c\(number)", sandbox: load.sandboxes[number],
          timeout: .seconds(120)
        ).checked()
        load.note(number, .present(result))
      }
    }
    let added = ContinuousClock.now - began
    try load.inspect()
    let checking = ContinuousClock.now
    for number in stride(from: 0, to: count, by: 50) {
      let result = try load.faults.plugin.call(
        "DEL", configuration, containerID: "nobody\(number)", sandbox: nil, ifname: "eth0")
      #expect(result.status == 0)
    }
    let idle = ContinuousClock.now - checking
    let deleting = ContinuousClock.now
    try load.end()
    let deleted = ContinuousClock.now - deleting
    try load.inspect()
    figures(
      "1,000 attachments by 16 workers: added in \(added), deleted in \(deleted), a DEL of nothing "
        + "between them in \(idle / 20); violations: \(load.violations.count)")
  }
}
