import Foundation
import TestSupport
import Testing

/// Sends the frames from the container and reports which of them the receiver gets.
///
/// Each has its number at its end, behind what its headers count. The last one, which passes, ends
/// the waiting. `interface` is where they go out.
func exchange(
  _ frames: [[UInt8]], last: [UInt8], from container: Sandbox,
  through interface: String = "eth0", to receiver: Sandbox
) throws -> Set<Int> {
  let directory = try TemporaryDirectory()
  let log = "\(directory.path)/log"
  let daemon = try Daemon(
    "ip", ["netns", "exec", receiver.name, executable("perl"), "-e", receiving],
    environment: ProcessInfo.processInfo.environment, log: log)
  defer { daemon.stop() }
  try eventually("the receiver listens") { directory.read("log")?.contains("ready") == true }
  let numbered = (frames + [last]).enumerated().map { number, frame in
    (frame + [UInt8](repeating: 0, count: max(0, 60 - frame.count)) + [0xc0, 0xde]
      + [UInt8(number >> 8), UInt8(number & 255)]).map { String(format: "%02x", $0) }.joined()
  }
  try container.exec(
    "perl", ["-e", sending, interface], input: (numbered.joined(separator: "\n") + "\n").utf8
  ).checked()
  func received() -> Set<Int> {
    let lines = directory.read("log")?.split(separator: "\n") ?? []
    return Set(lines.compactMap { Int($0, radix: 16) })
  }
  try eventually("the last frame arrives") { received().contains(frames.count) }
  // Frames that were sent on another processor may come later.
  usleep(100_000)
  return received().subtracting([frames.count])
}

extension Sandbox {
  /// Makes a link `name`, what is sent by which the kernel sends by `link`.
  func redirect(_ name: String, to link: String) throws {
    let end = "\(name)-end"
    for command in [
      "link add \(name) type veth peer name \(end)", "link set \(name) up", "link set \(end) up",
    ] { try exec("ip", command.split(separator: " ").map(String.init)).checked() }
    try exec("tc", ["qdisc", "add", "dev", end, "clsact"]).checked()
    try exec(
      "tc",
      [
        "filter", "add", "dev", end, "ingress", "protocol", "all", "u32", "match", "u32", "0", "0",
        "action", "mirred", "egress", "redirect", "dev", link,
      ]
    ).checked()
  }
}

/// Prints the number of each frame that arrives.
private let receiving = """
  use Socket; $| = 1;
  socket(my $s, 17, 3, 0x0300) or die $!;
  setsockopt($s, 1, 8, 4 << 20);
  print "ready\\n";
  while (defined(recv($s, my $f, 65536, 0))) {
    print unpack("H*", substr($f, -2)), "\\n" if substr($f, -4, 2) eq "\\xc0\\xde";
  }
  """
/// Sends each line of its input, which is hexadecimal, as a frame.
private let sending = """
  use Socket;
  open(my $n, "<", "/sys/class/net/$ARGV[0]/ifindex") or die $!;
  my $index = <$n>;
  socket(my $s, 17, 3, 0) or die $!;
  while (<STDIN>) {
    chomp;
    my $f = pack("H*", $_);
    send($s, $f, 0, pack("SnlSCCa8", 17, 0, $index, 0, 0, 6, "")) or die "$!: $_";
  }
  """
