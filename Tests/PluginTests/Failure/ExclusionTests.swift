import Foundation
import TestSupport
import Testing

/// Two commands on one attachment at the same moment, each pair again and again.
///
/// The invariant: success of ADD means port, link and lease; a refusal means that nothing was
/// touched; there is never a part of an attachment.
@Suite("Two commands at once on one attachment", .privateHost, .serialized) struct ExclusionTests {
  enum Command: String, CaseIterable {
    case add = "ADD"
    case del = "DEL"
    case check = "CHECK"
    case gc = "GC"
  }

  private static let rounds = isSoak ? 200 : 8

  private static let pairs = Command.allCases.flatMap { first in
    Command.allCases.filter { $0.rawValue >= first.rawValue }.map { (first, $0) }
  }

  private struct Place: Sendable {
    let network: Network
    let sandbox: Sandbox
    let configuration: Document

    init() throws {
      network = try Network()
      sandbox = try Sandbox()
      configuration = network.addressed("10.1.0.0/24", members: ["timeout": 60])
    }

    func run(_ command: Command, _ previous: Document) throws -> PluginResult {
      let plugin = network.plugin
      return switch command {
      case .add:
        try plugin.add(
          configuration, containerID: "c1", sandbox: sandbox, timeout: .seconds(120))
      case .del:
        try plugin.del(
          configuration, containerID: "c1", sandbox: sandbox, timeout: .seconds(120))
      case .check:
        try plugin.check(
          configuration, previous: previous, containerID: "c1", sandbox: sandbox,
          timeout: .seconds(120))
      case .gc: try plugin.gc(configuration, valid: [], timeout: .seconds(120))
      }
    }

    /// What there is of the attachment: ports, links in the sandbox with an address, leases.
    func parts() throws -> [Int] {
      let ports = try network.host.openVSwitch.vsctl(
        "--bare", "--columns=name", "find", "Port", "external_ids:owner=patchbay")
      let links = try sandbox.ip("address").array.filter {
        $0["ifname"] == "eth0" && $0["addr_info"].array.contains { $0["scope"] == "global" }
      }
      let leases = network.host.directory.files().keys.filter { $0.contains("/10.1.0.") }
      return [ports.count, links.count, leases.count]
    }
  }

  @Test("ends as if one came after the other", arguments: pairs)
  func pair(first: Command, second: Command) throws {
    let place = try Place()
    var previous: Document = .absent
    var partial = 0
    for round in 0..<Self.rounds {
      // Each pair begins by turns with an attachment that is up, and with none.
      let isUp = round % 2 == 0
      if isUp {
        let added = try place.run(.add, .absent)
        if added.code != 100 { previous = try added.checked() }
      } else {
        try place.run(.del, .absent).checked()
      }
      let commands = [first, second]
      let results = try atOnce(commands) { [previous] in
        try place.run($0, previous.isAbsent ? ["cniVersion": "1.1.0"] : previous)
      }
      let event = "round \(round), \(isUp ? "up" : "absent"): \(results)"
      var successes = 0
      for (command, result) in zip(commands, results) {
        switch command {
        case .add:
          if result.status == 0 {
            successes += 1
            previous = result.json
          }
          #expect(result.status == 0 || result.code == 100, "\(event)")
        case .del, .gc: #expect(result.status == 0, "\(event)")
        case .check: break
        }
      }
      let parts = try place.parts()
      let isWhole = parts == [1, 1, 1] || parts == [0, 0, 0]
      #expect(isWhole, "\(parts) after \(event)")
      if !isWhole { partial += 1 }
      let isReleased = commands.contains { $0 == .del || $0 == .gc }
      if !isReleased {
        let adds = commands.filter { $0 == .add }.count
        #expect(successes == (isUp ? 0 : min(adds, 1)), "\(event)")
        #expect(parts[0] == (isUp || adds > 0 ? 1 : 0), "\(event)")
      }
      if isUp, !isReleased, commands.contains(.check) {
        #expect(zip(commands, results).allSatisfy { $0 != .check || $1.status == 0 }, "\(event)")
      }
      // GC that met another command has left the attachment to it; DEL has not.
      if commands.contains(.del), !commands.contains(.add) { #expect(parts[0] == 0, "\(event)") }
    }
    figures(
      "\(first.rawValue) and \(second.rawValue) at once on one attachment, \(Self.rounds) rounds; "
        + "violations: \(partial)")
  }

  @Test("a command that does not end in time is code 11 for the other, which touches nothing")
  func deadline() throws {
    let place = try Place()
    place.network.host.openVSwitch.switching?.suspend()
    let adding = Thread {
      _ = try? place.network.plugin.add(
        place.configuration.with(["timeout": .integer(4 * slowness)]), containerID: "c1",
        sandbox: place.sandbox)
    }
    adding.start()
    try eventually("the first ADD waits for ovs-vswitchd") {
      try place.network.host.openVSwitch.vsctl(
        "--no-wait", "--bare", "--columns=name", "find", "Port", "external_ids:owner=patchbay"
      ).count == 1
    }
    for command in ["ADD", "DEL", "CHECK"] {
      let result = try place.network.plugin.call(
        command,
        place.configuration.with(["timeout": 1, "prevResult": ["cniVersion": "1.1.0"]]),
        containerID: "c1", sandbox: place.sandbox.path, ifname: "eth0")
      #expect(result.code == 11, "\(result)")
      try Messages.expect(
        result.message, of: "ovs-bridge", on: "\(command), during another command on the attachment"
      )
      if adding.isFinished { break }
    }
    place.network.host.openVSwitch.switching?.resume()
    try eventually("the first ADD has ended", timeout: .seconds(30)) { adding.isFinished }
    try place.run(.del, .absent).checked()
    #expect(try place.parts() == [0, 0, 0])
  }

  @Test("GC leaves what another command works on, and its lease")
  func collection() throws {
    let place = try Place()
    let ovs = place.network.host.openVSwitch
    ovs.switching?.suspend()
    let adding = Thread {
      _ = try? place.network.plugin.add(
        place.configuration, containerID: "c1", sandbox: place.sandbox, timeout: .seconds(60))
    }
    adding.start()
    try eventually("ADD waits for ovs-vswitchd") {
      try ovs.vsctl(
        "--no-wait", "--bare", "--columns=name", "find", "Port", "external_ids:owner=patchbay"
      ).count == 1
    }
    let collected = try place.network.plugin.gc(
      place.configuration.with(["timeout": 1]), valid: [])
    #expect(collected.code == 11)
    try Messages.expect(
      collected.message, of: "ovs-bridge", on: "GC, during another command on the network")
    ovs.switching?.resume()
    try eventually("ADD has ended", timeout: .seconds(30)) { adding.isFinished }
    #expect(try place.parts() == [1, 1, 1])
    try place.run(.gc, .absent).checked()
    #expect(try place.parts() == [0, 0, 0])
  }
}
