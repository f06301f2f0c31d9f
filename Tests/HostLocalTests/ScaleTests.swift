import Foundation
import Glibc
import TestSupport
import Testing

@Suite("host-local with 60,000 leases", .serialized) struct ScaleTests {
  /// Writes leases as the reference plugin would: of `addresses`, in this order.
  private func lease(_ addresses: some Sequence<String>, in network: Network) throws {
    try FileManager.default.createDirectory(
      atPath: network.path, withIntermediateDirectories: true)
    for (number, address) in addresses.enumerated() {
      let file = open("\(network.path)/\(address)", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
      try #require(file >= 0)
      let content = Array("container-\(number)\r\neth0".utf8)
      write(file, content, content.count)
      close(file)
    }
  }

  /// How many system calls a command makes, and what it answers.
  private func count(
    _ command: String, _ id: String, _ network: Network, with members: [String: Document] = [:]
  ) throws -> (calls: Int, result: PluginResult) {
    let log = network.temporary.path + "/strace"
    let new: [String: Document] =
      command == "GC" || command == "STATUS" ? ["cniVersion": "1.1.0"] : [:]
    let output = try run(
      "strace", ["-f", "-c", "-o", log, Plugin("host-local").path],
      environment: [
        "CNI_COMMAND": command, "CNI_CONTAINERID": id, "CNI_IFNAME": "eth0",
        "CNI_NETNS": "/nowhere", "CNI_PATH": "/",
      ], input: network.configuration.with(new).with(members).encoded, timeout: .seconds(180))
    let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
    let words = try #require(lines.last { $0.hasSuffix(" total") }).split(separator: " ")
    return (try #require(Int(words[3]) ?? Int(words[2])), PluginResult(output))
  }

  private static let four: Document = ["subnet": "10.0.0.0/16"]
  private static let six: Document = ["subnet": "fd00::/64"]

  @Test(
    "makes as many system calls as with none",
    arguments: [
      ("one range set", [[four]], 60_000, 0), ("two range sets", [[four], [six]], 30_000, 30_000),
      ("an IPv6 /64", [[six]], 0, 60_000),
    ] as [(String, Document, Int, Int)])
  func calls(name: String, ranges: Document, ofFour: Int, ofSix: Int) throws {
    let empty = try Network(["ranges": ranges])
    let full = try Network(["ranges": ranges])
    // Every twelfth address is free, as after many have come and gone.
    let taken = (2..<65_535).lazy.filter { $0 % 12 != 0 }
    try lease(taken.prefix(ofFour).map { "10.0.\($0 >> 8).\($0 & 255)" }, in: full)
    try lease(taken.prefix(ofSix).map { "fd00::\(String($0, radix: 16))" }, in: full)
    for network in [empty, full] { _ = try network.add("warm") }
    var line: [String] = []
    func compare(
      _ command: String, _ id: String, orInFull other: String? = nil, within slack: Int = 10,
      with members: [String: Document] = [:]
    ) throws {
      let few = try count(command, id, empty, with: members)
      let many = try count(command, other ?? id, full, with: members)
      try few.result.checked()
      try many.result.checked()
      #expect(
        abs(few.calls - many.calls) <= slack,
        "\(command) \(id): \(few.calls) with none, \(many.calls) with 60,000")
      line.append("\(command) \(many.calls) (\(few.calls))")
    }
    try compare("ADD", "a")
    try compare("ADD", "a")
    try compare("ADD", "b")
    let checks = try [empty, full].map { network in
      let previous = try network.call("ADD", "a").json
      let check = try count("CHECK", "a", network, with: ["prevResult": previous])
      try check.result.checked()
      return check.calls
    }
    #expect(abs(checks[0] - checks[1]) <= 10, "CHECK: \(checks)")
    line.append("CHECK \(checks[1]) (\(checks[0]))")
    try compare("DEL", "a")
    try compare("DEL", "a")
    try compare("DEL", "nobody")
    // One of the many, whose leases are on other pages of the index than those of this hour.
    try compare("DEL", "warm", orInFull: "container-77", within: 20)
    try compare("STATUS", "-")
    #expect(!full.leases.values.contains("container-77\r\neth0"))
    if ofSix == 0 {
      // GC alone reads every lease, once.
      let all = full.leases.count
      let collected = try count("GC", "-", full, with: ["cni.dev/valid-attachments": []])
      try collected.result.checked()
      #expect(full.leases.isEmpty)
      #expect(collected.calls < 8 * all, "\(collected.calls) for \(all) leases")
      line.append("GC that frees all \(collected.calls)")
    }
    figures(
      "system calls at 60,000 leases (at none), \(name): \(line.joined(separator: ", "))")
  }

  @Test("finds the holes of a range that is all but full, in turn")
  func holes() throws {
    let network = try Network(["subnet": "10.0.0.0/17", "gateway": "10.0.64.0"])
    // 10.0.64.0, the gateway, and holes at the ends of bitmaps.
    let holes = [5, 16_383, 16_384, 20_000, 32_765]
    try lease(
      (1..<32_767).lazy.filter { !holes.contains($0) }.map { "10.0.\($0 >> 8).\($0 & 255)" },
      in: network)
    for number in [5, 16_383, 20_000, 32_765] {
      #expect(try network.add("h\(number)") == ["10.0.\(number >> 8).\(number & 255)"])
    }
    let exhausted = try count("ADD", "more", network)
    try Messages.expect(
      exhausted.result, code: 999, of: "host-local", on: "ADD, all 32766 addresses are leased")
    let empty = try Network(["subnet": "10.0.0.0/16"])
    _ = try empty.add("warm")
    let usual = try count("ADD", "a", empty)
    #expect(
      exhausted.calls <= usual.calls,
      "\(exhausted.calls) where all is leased, \(usual.calls) where nothing is")
    #expect(try network.call("STATUS", "").code == 50)
    try network.del("h20000")
    #expect(try network.add("again") == ["10.0.78.32"])
    try network.call("GC", "", with: ["cni.dev/valid-attachments": []]).checked()
    #expect(network.leases.isEmpty)
  }
}
