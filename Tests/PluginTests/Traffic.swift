import Foundation
import TestSupport
import Testing

/// The frames that reach a link of a sandbox, as tcpdump(8) tells them, from when this is made.
final class Capture {
  private let directory: TemporaryDirectory
  private let daemon: Daemon

  /// Begins; `filter` is a pcap-filter(7).
  init(in sandbox: Sandbox, _ filter: String, interface: String = "eth0") throws {
    directory = try TemporaryDirectory()
    let log = "\(directory.path)/log"
    daemon = try Daemon(
      "ip",
      [
        "netns", "exec", sandbox.name, executable("tcpdump"), "-p", "-n", "-e", "-l", "-t",
        "--immediate-mode", "-i", interface, filter,
      ], environment: ProcessInfo.processInfo.environment, log: log)
    try eventually("tcpdump listens") { text.contains("listening on") }
  }

  /// Begins with the frames of `Sandbox.sendFrame`, and sees no others, which containers send by
  /// themselves whenever they like.
  convenience init(ofSentFramesIn sandbox: Sandbox) throws {
    try self.init(in: sandbox, "ether src \(Sandbox.frameSource)")
  }

  private var text: String { directory.read("log") ?? "" }

  /// One frame a line, with its Ethernet header, so far.
  var frames: [String] {
    text.split(separator: "\n").map(String.init).filter { $0.contains("ethertype") }
  }

  /// Waits for a frame of which all `words` are told.
  func waitForFrame(_ words: String...) throws {
    defer { if ProcessInfo.processInfo.environment["SHOW"] != nil { print(text) } }
    try eventually("a frame with \(words)") {
      frames.contains { frame in words.allSatisfy { frame.contains($0) } }
    }
  }
}

/// What iperf3(1) measured.
struct Throughput {
  /// Of TCP, Mbit/s that arrived.
  let rate: Double

  /// Sends from one sandbox to `address`, which another has.
  ///
  /// - Parameters:
  ///   - amount: What is sent, as `-t 3` or `-n 2M`.
  init(from client: Sandbox, to address: String, of server: Sandbox, _ amount: String...) throws {
    let directory = try TemporaryDirectory()
    let listening = try Daemon(
      "ip", ["netns", "exec", server.name, executable("iperf3"), "-s"],
      environment: ProcessInfo.processInfo.environment, log: "\(directory.path)/log")
    defer { listening.stop() }
    try eventually("iperf3 listens") {
      try server.exec("ss", ["-ltn"]).stdout.contains(":5201")
    }
    let report = try client.exec(
      "iperf3", ["-c", address, "-J"] + amount, timeout: .seconds(30))
    let document = try Document(parsing: report.checked().bytes)
    let measured: Double? =
      switch document["end"]["sum_received"]["bits_per_second"] {
      case .real(let rate): rate
      case .integer(let rate): Double(rate)
      default: nil
      }
    rate = try #require(measured, "\(report)") / 1e6
  }
}

extension Sandbox {
  /// Where the frames of `sendFrame` say that they are from; nothing else does.
  static let frameSource = "02:00:00:00:00:aa"

  /// Sends one frame through a socket of packet(7), to the broadcast address; `tags` from the
  /// outermost on, as IEEE 802.1Q has them. Its EtherType is the experimental one, 0x88b5.
  func sendFrame(tags: [Int] = []) throws {
    let source = Self.frameSource.replacing(":", with: "")
    let header = "ffffffffffff\(source)" + tags.map { String(format: "8100%04x", $0) }.joined()
    let frame = header + "88b5" + String(repeating: "00", count: 46)
    // struct sockaddr_ll
    let program = """
      use Socket;
      socket(my $s, 17, 3, 0) or die $!;
      send($s, pack("H*", $ARGV[0]), 0, pack("SnlSCCa8", 17, 0x88b5, $ARGV[1], 0, 0, 6, "")) or die $!;
      """
    let index = try link()["ifindex"].integer ?? 0
    try exec("perl", ["-e", program, frame, "\(index)"]).checked()
  }
}

extension Document {
  /// The first address of a result, without its length.
  var firstAddress: String { String((self["ips"][0]["address"].text ?? "").prefix { $0 != "/" }) }
}
