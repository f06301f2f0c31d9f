import Foundation
import Fuzzing
import TestSupport
import Testing

/// Inputs at random; `make fuzz` has more of them, guided by coverage.
@Suite("Octets from outside, at random") struct MutationTests {
  private static let program = "\(Plugin.debugDirectory)/mutator"

  @Test("trap nothing, hang nothing and take little memory", arguments: Subject.allCases)
  func random(subject: Subject) throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    let output = try run(
      Self.program, [subject.rawValue, isSoak ? "60" : "4", "\(seed)"], timeout: .seconds(120))
    let words = output.stdout.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    let isGood = output.status == 0 && words.count == 2
    #expect(isGood, "seed \(seed): \(output)")
    guard isGood else { return }
    #expect(words[1] < 256, "\(words[1]) MiB")
    figures("\(words[0]) inputs for \(subject.rawValue), \(words[1]) MiB at most; violations: 0")
  }
}

/// What is stated in the README, section Security.
@Suite("The limits of inputs", .serialized) struct LimitTests {
  private func status(_ input: [UInt8], _ plugin: String = "host-local") throws -> PluginResult {
    try Plugin(plugin).call(
      ["CNI_COMMAND": "STATUS", "CNI_PATH": Plugin.directory], input: input,
      timeout: .seconds(30))
  }
  private func configuration(_ ranges: String) -> [UInt8] {
    Array(
      """
      {"cniVersion":"1.1.0","name":"n","type":"host-local",
       "ipam":{"type":"host-local","dataDir":"/dev/null/x",\(ranges)}}
      """.utf8)
  }

  @Test("8 MiB of standard input are read, more are refused")
  func size() throws {
    let blanks = [UInt8](repeating: 0x20, count: 8 << 20)
    let long = try status(blanks + [0x7d])
    try Messages.expect(long, code: 5, of: "host-local", on: "STATUS, more than 8 MiB of input")
    let open = try status([UInt8](repeating: UInt8(ascii: "["), count: 8 << 20))
    #expect(open.code == 6, "\(open)")
  }

  /// Texts of which every byte is another way to fill memory.
  static let heavy: [(String, String)] = [
    ("[", "{},"), ("[", "[],"), ("[", "0,"), ("[", "\"\","), ("[", "{\"a\":[1.5]},"),
    ("{\"a\":[", "[[[[[[[[]]]]]]]],"), ("{", "\"a\":1,"), ("[\"", "abcdefghijklmnop"),
    ("[", "\"abcdefghijklmnopqrstuvwxyz\","), ("{\"cniVersion\":\"1.0.0\",\"x\":[", "{},"),
  ]

  @Test("no text of 8 MiB takes more than 64 MiB of memory", arguments: heavy)
  func memory(start: String, part: String) throws {
    let count = ((8 << 20) - 64) / part.utf8.count
    let text = Array(start.utf8) + Array(repeatElement(Array(part.utf8), count: count).joined())
    let file = try TemporaryDirectory()
    let input = try file.write(String(decoding: text, as: UTF8.self), to: "input")
    let output = try run(
      "python3",
      [
        "-c",
        """
        import os, resource, sys
        os.dup2(os.open(sys.argv[2], os.O_RDONLY), 0)
        child = os.fork()
        if child == 0: os.execv(sys.argv[1], ["host-local"])
        status, usage = os.wait4(child, 0)[1:]
        print(usage.ru_maxrss, file=sys.stderr)
        sys.exit(os.waitstatus_to_exitcode(status))
        """, Plugin("host-local").path, input,
      ], environment: ["CNI_COMMAND": "STATUS", "CNI_PATH": "/"])
    // In KiB; a debug build has some libraries more.
    let peak = output.stderr.split(separator: "\n").last.flatMap { Int($0) } ?? .max
    #expect(peak < 64 << 10, "\(peak) KiB")
    let result = PluginResult(output)
    #expect(result.status == 1 && result.code == 6, "\(result)")
    let version: Document =
      start.contains("cniVersion") ? "1.0.0" : start.hasPrefix("{") ? "0.1.0" : "1.1.0"
    #expect(result.json["cniVersion"] == version)
  }

  @Test("arrays and objects 2,048 deep are read, deeper ones refused")
  func depth() throws {
    for (depth, code) in [(2000, 7), (2100, 6), (1_000_000, 6)] {
      let text =
        #"{"a":"# + String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        + "}"
      #expect(try status(Array(text.utf8)).code == code, "\(depth)")
    }
  }

  @Test("more list elements than are legal are refused at once", .timeLimit(.minutes(1)))
  func counts() throws {
    func list(_ count: Int, _ element: (Int) -> String) -> String {
      "[" + (0..<count).map(element).joined(separator: ",") + "]"
    }
    let subnet = { (number: Int) in #"{"subnet":"10.\#(number >> 8 & 255).\#(number & 255).0/30"}"#
    }
    let other = #""ranges":[[{"subnet":"11.0.0.0/8","#
    for (members, what) in [
      (#""ranges":[\#(list(20_000, subnet))]"#, "ranges of a set"),
      (#""ranges":\#(list(20_000) { "[\(subnet($0))]" })"#, "range sets"),
      (other + #""exclude":\#(list(20_000) { "\"11.0.0.\($0 & 255)\"" })}]]"#, "exclusions"),
      (
        other.dropLast()
          + #"}]],"reservations":\#(list(20_000) { #"{"name":"\#($0)","ip":"11.0.0.9"}"# })"#,
        "reservations"
      ),
    ] {
      try Messages.expect(
        status(configuration(String(members))), code: 7, of: "host-local",
        on: "STATUS, 20000 \(what)")
    }
    let trunk = list(60_000) { _ in #"{"minID":0,"maxID":4094}"# }
    let result = try status(
      Array(
        #"{"cniVersion":"1.1.0","name":"n","type":"ovs-bridge","bridge":"b","trunk":\#(trunk)}"#
          .utf8),
      "ovs-bridge")
    try Messages.expect(result, code: 7, of: "ovs-bridge", on: "STATUS, a trunk of 60000 elements")
  }

  @Test("a lease file may have any content and claim any time")
  func leaseFiles() throws {
    let directory = try TemporaryDirectory()
    let input = Document.object([
      "cniVersion": "1.1.0", "name": "n", "type": "x",
      "ipam": [
        "type": "host-local", "dataDir": .string(directory.path),
        "ranges": [[["subnet": "10.1.0.0/28"]]],
      ],
    ])
    for (content, time) in [
      ("", -9_223_372_036_854_775_808), ("", -11_644_473_600), ("", 9_223_372_036_854_775_807),
      ("c9\r\neth0", -9_000_000_000_000), ("\u{0}\u{1}", 0),
      (String(repeating: "x", count: 1 << 20), 17_000_000_000),
    ] as [(String, Int)] {
      try directory.write(content, to: "n/10.1.0.2", mode: 0o600)
      var times = [timespec(tv_sec: time, tv_nsec: 0), timespec(tv_sec: time, tv_nsec: 0)]
      utimensat(AT_FDCWD, "\(directory.path)/n/10.1.0.2", &times, 0)
      for command in ["ADD", "CHECK", "STATUS", "DEL", "GC"] {
        let result = try Plugin("host-local").call(
          command, input.with(["cni.dev/valid-attachments": []]), containerID: "c1",
          sandbox: "/proc/1/ns/mnt", ifname: "eth0")
        #expect([0, 1].contains(result.status), "\(command) at \(time): \(result)")
        if command == "ADD" { try result.checked() }
      }
    }
  }

  @Test("names are at most 255 bytes long, and those of interfaces 15")
  func names() throws {
    func call(_ id: String, _ interface: String, _ network: String) throws -> PluginResult {
      try Plugin("host-local").call(
        [
          "CNI_COMMAND": "DEL", "CNI_PATH": "/", "CNI_CONTAINERID": id, "CNI_IFNAME": interface,
        ],
        input: Array(
          #"{"cniVersion":"1.1.0","name":"\#(network)","type":"x","ipam":{"type":"host-local","dataDir":"/dev/shm/nowhere"}}"#
            .utf8))
    }
    let long = String(repeating: "a", count: 255)
    #expect(try call(long, String(repeating: "e", count: 15), long).status == 0)
    #expect(try call(long + "a", "eth0", "n").code == 4)
    #expect(try call("c", String(repeating: "e", count: 16), "n").code == 4)
    #expect(try call("c", "eth0", long + "a").code == 7)
  }
}
