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

  /// How many system calls a command makes, and its result.
  private func count(_ command: String, _ id: String, _ network: Network) throws -> (Int, Document)
  {
    let log = network.temporary.path + "/strace"
    let output = try run(
      "strace", ["-f", "-c", "-o", log, Plugin("host-local").path],
      environment: [
        "CNI_COMMAND": command, "CNI_CONTAINERID": id, "CNI_IFNAME": "eth0",
        "CNI_NETNS": "/nowhere", "CNI_PATH": "/",
      ], input: network.configuration.encoded, timeout: .seconds(180))
    let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
    let words = try #require(lines.last { $0.hasSuffix(" total") }).split(separator: " ")
    return (
      try #require(Int(words[3]) ?? Int(words[2])),
      (try? Document(parsing: output.bytes)) ?? .absent
    )
  }

  @Test("makes as many system calls as with none: ADD, DEL, repeated DEL, STATUS")
  func calls() throws {
    let range: Document = ["subnet": "10.0.0.0/16"]
    let sets: Document = [[range], [["subnet": "fd00::/64"]]]
    let empty = try Network(["ranges": sets])
    // Every eleventh address is free, as after many have come and gone.
    let full = try Network(["ranges": sets])
    try lease(
      (2..<65_500).lazy.filter { $0 % 11 != 0 }.map { "10.0.\($0 >> 8).\($0 & 255)" }, in: full)
    try lease((2..<1000).lazy.map { "fd00::\(String($0, radix: 16))" }, in: full)
    for network in [empty, full] { _ = try network.add("warm") }
    for (command, id, other) in [
      ("ADD", "a", "a"), ("ADD", "a", "a"), ("ADD", "b", "b"), ("DEL", "a", "a"), ("DEL", "a", "a"),
      ("DEL", "warm", "container-77"), ("STATUS", "-", "-"),
    ] {
      let (few, _) = try count(command, id, empty)
      let (many, _) = try count(command, other, full)
      // The attachments of two different ids have as many leases as they happen to have.
      let slack = id == other ? 10 : 20
      #expect(abs(few - many) <= slack, "\(command) \(id): \(few) with none, \(many) with 60,000")
    }
    #expect(!full.leases.values.contains("container-77\r\neth0"))
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
    let (calls, error) = try count("ADD", "more", network)
    #expect(
      error["msg"].text
        == "failed to allocate for range 0: no IP addresses available in range set: "
        + "10.0.0.1-10.0.127.254")
    let empty = try Network(["subnet": "10.0.0.0/16"])
    _ = try empty.add("warm")
    let (usual, _) = try count("ADD", "a", empty)
    #expect(calls <= usual, "\(calls) where all is leased, \(usual) where nothing is")
    #expect(try network.call("STATUS", "").code == 50)
    try network.del("h20000")
    #expect(try network.add("again") == ["10.0.78.32"])
    try network.call("GC", "", with: ["cni.dev/valid-attachments": []]).checked()
    #expect(network.leases.isEmpty)
  }
}
