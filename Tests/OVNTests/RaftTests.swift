import Foundation
import Synchronization
import TestSupport
import Testing

@Suite(
  "ovn on three members of the northbound database", .privateHost, .only(on: .userspace),
  .serialized)
struct NorthboundRaftTests {
  @Test("a leader that is killed loses nothing, and leaves nothing that DEL does not remove")
  func killed() throws {
    let lab = try Lab(members: 3, hosts: 1)
    var network = try LogicalNetwork(lab)
    // ovn-northd finds the new leader in up to 16 s.
    network.members["timeout"] = 100
    let (first, second) = (try Sandbox(), try Sandbox())
    let left = try network.add("a", first).checked()
    let leader = try #require(lab.leader)
    lab.kill(leader)
    // Its address is free when its logical port is gone, by the members that are left.
    try network.add("b", second, timeout: .seconds(110)).checked()
    try network.check("a", first, left).checked()
    try network.del("a", first).checked()
    #expect(
      try lab.ports(of: network.logicalSwitch).map { $0["name"] } == [
        .string("h1/\(network.name)/b/eth0")
      ])
    try lab.start(leader)
    try network.del("b", second).checked()
    #expect(try network.traces() == [])
  }

  /// What clients of a run have found.
  private final class Ledger: Sendable {
    let faults = Mutex<[String]>([])
    let attached = Mutex(0)
    func add(_ fault: String) { faults.withLock { $0.append(fault) } }
  }

  @Test(
    "three clients lose nothing while leaders are killed, hang, and leave no majority",
    .enabled(if: isSoak))
  func soak() throws {
    let lab = try Lab(members: 3, hosts: 2)
    let network = try LogicalNetwork(lab)
    let ledger = Ledger()
    let isDone = Mutex(false)
    let clients = DispatchGroup()
    for number in 0..<3 {
      clients.enter()
      Thread {
        Self.client(number, network.on(number % 2 + 1), ledger) { isDone.withLock { $0 } }
        clients.leave()
      }.start()
    }
    for round in 0..<6 {
      Thread.sleep(forTimeInterval: 5)
      guard let leader = lab.leader else { continue }
      switch round % 3 {
      case 0:
        lab.kill(leader)
        Thread.sleep(forTimeInterval: 5)
        try lab.start(leader)
      case 1:
        lab.daemon(leader)?.suspend()
        Thread.sleep(forTimeInterval: 10)
        lab.daemon(leader)?.resume()
      default:
        // No majority for longer than a command may take.
        let others = ["nb1", "nb2", "nb3"].filter { $0 != leader }
        for name in others { lab.kill(name) }
        Thread.sleep(forTimeInterval: 5)
        for name in others { try lab.start(name) }
      }
      try eventually("a leader", timeout: .seconds(30)) { lab.leader != nil }
    }
    isDone.withLock { $0 = true }
    clients.wait()
    let faults = ledger.faults.withLock { $0 }
    #expect(faults.isEmpty, "\(faults)")
    #expect(try network.traces() == [])
    figures(
      "ovn on three members: \(ledger.attached.withLock { $0 }) attachments, \(faults.count) faults"
    )
  }

  /// Attaches and detaches, until told to end: whatever ADD said, DEL is repeated until it
  /// succeeds.
  private static func client(
    _ number: Int, _ network: LogicalNetwork, _ ledger: Ledger, _ isDone: () -> Bool
  ) {
    for turn in 0... {
      if isDone() { return }
      let id = "c\(number)-\(turn)"
      do {
        let sandbox = try Sandbox()
        let result = try network.add(id, sandbox, timeout: .seconds(60))
        if result.status == 0 {
          ledger.attached.withLock { $0 += 1 }
        } else if result.code != 11 {
          ledger.add("\(id): \(result)")
        }
        try eventually("DEL of \(id)", timeout: .seconds(120)) {
          try network.del(id, sandbox, timeout: .seconds(60)).status == 0
        }
      } catch { ledger.add("\(id): \(error)") }
    }
  }
}
