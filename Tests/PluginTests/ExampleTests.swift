import Foundation
import TestSupport
import Testing

@Suite("The examples of mirrors in conf", .privateHost) struct MirrorExampleTests {
  private let network: Network
  init() throws { network = try Network() }

  /// The plugins of the list in `file`, on the bridge of this host.
  private func plugins(_ file: String) throws -> [Document] {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let list = try Document(
      parsing: Data(contentsOf: root.appendingPathComponent("conf/\(file)")))
    return list["plugins"].array.map { plugin in
      let ipam =
        plugin["ipam"].isAbsent
        ? .absent
        : plugin["ipam"].with(["dataDir": .string("\(network.host.directory.path)/leases")])
      return plugin.with([
        "cniVersion": list["cniVersion"], "name": list["name"], "ipam": ipam,
        "bridge": .string(network.bridge),
        "socket_file": .string(network.host.openVSwitch.endpoint),
      ])
    }
  }

  private func add(_ file: String, _ id: String, _ sandbox: Sandbox) throws -> Document {
    var result = Document.absent
    for configuration in try plugins(file) {
      let plugin = network.host.plugin(configuration["type"].text ?? "")
      result = try plugin.add(
        configuration.with(["prevResult": result]), containerID: id, sandbox: sandbox
      ).checked()
    }
    return result
  }

  @Test("let one container watch another")
  func watch() throws {
    let (watched, watcher, peer) = (try Sandbox(), try Sandbox(), try Sandbox())
    let before = try network.host.snapshot()
    _ = try add("50-mirrored.conflist", "watched", watched)
    let other = try add("50-mirrored.conflist", "peer", peer)
    _ = try add("mirror/51-watch.conflist", "watcher", watcher)
    let capture = try Capture(in: watcher, "icmp")
    #expect(try watched.reaches(other.firstAddress))
    try capture.waitForFrame("ICMP echo request")
    try capture.waitForFrame("ICMP echo reply")

    for (file, id, sandbox) in [
      ("mirror/51-watch.conflist", "watcher", watcher), ("50-mirrored.conflist", "peer", peer),
      ("50-mirrored.conflist", "watched", watched),
    ] {
      for configuration in try plugins(file).reversed() {
        try network.host.plugin(configuration["type"].text ?? "").del(
          configuration, containerID: id, sandbox: sandbox
        ).checked()
      }
    }
    let left = try network.host.snapshot().difference(from: before)
    #expect(left.split(separator: "\n").filter { !$0.contains("/leases/") } == [])
  }
}
