import JSON
import Linux

/// ADD of the reference plugin `bridge` with the reference `host-local`, to a bridge of Linux: what
/// it does there is the nearest that Debian has to what `ovs-bridge` does.
enum LinuxBridge {
  private static let name = "linux0"

  /// The times by the number of other ports of the bridge. Leaves no link.
  static func measure(_ counts: [Int], turns: Int) throws -> [(x: Double, series: Series)] {
    let plugin = Plugin(
      name: "bridge", directory: Place.references,
      configuration: try Place.write(
        "linux-bridge",
        [
          "cniVersion": "1.0.0", "name": "linux", "type": "bridge", "bridge": .string(name),
          "ipam": [
            "type": "host-local", "dataDir": "/run/bench/leases",
            "ranges": [[["subnet": "10.252.0.0/16"]]], "routes": [["dst": "0.0.0.0/0"]],
          ],
        ]))
    var crowd = 0
    var points: [(x: Double, series: Series)] = []
    try Place.addSandbox("linux")
    func links() throws -> Int {
      try Program.tool("ip", "-o", "link", "show", "type", "veth").printed()
        .split(separator: "\n").count
    }
    let others = try links()
    for count in counts {
      var series = Series()
      for index in 0...turns {
        let run = try plugin.program("ADD", "l\(index)", sandbox: "linux").checked()
        // The first one makes the bridge.
        if index > 0 { series.add(run) }
        try plugin.program("DEL", "l\(index)", sandbox: "linux").checked()
        if index == 0 { try addPorts(from: crowd, to: count) }
      }
      crowd = count
      points.append((Double(count), series))
    }
    try Program.tool("ip", "netns", "del", "linux").checked()
    try Program.tool("ip", "link", "del", name).checked()
    // The kernel takes the ports of a namespace that is gone down in its own time.
    let deadline = Deadline.after(.seconds(60))
    while try links() > others {
      guard !deadline.hasPassed else { throw BenchError("a veth link does not go away") }
      Clock.sleep(.milliseconds(20))
    }
    return points
  }

  private static func addPorts(from first: Int, to last: Int) throws {
    let lines = (first..<last).map {
      "link add l\($0) type veth peer name c\($0) netns linux\nlink set l\($0) up master \(name)\n"
    }
    try fill("/run/bench/linux.batch", with: lines.joined())
    try Program.tool("ip", "-batch", "/run/bench/linux.batch").checked()
  }
}
