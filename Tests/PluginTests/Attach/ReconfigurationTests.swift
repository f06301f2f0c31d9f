import Foundation
import Synchronization
import TestSupport
import Testing

/// ovs-vswitchd looks at all its ports whenever the database changes, or a link of its namespace:
/// what that costs grows with the ports, so that it is counted here how often a command makes it
/// look.
@Suite("What a command makes ovs-vswitchd do", .privateHost, .serialized)
struct ReconfigurationTests {
  /// A bridge with ports of others, and a container.
  private struct Place {
    let network: Network
    let sandbox: Sandbox
    let configuration: Document
    var ovs: OpenVSwitch { network.host.openVSwitch }

    init(ports: Int = 0) throws {
      network = try Network()
      sandbox = try Sandbox()
      configuration = network.addressed("10.1.0.0/24")
      if ports > 0 {
        let pairs = (0..<ports / 2).map { "link add d\($0) type veth peer name e\($0)\n" }
        try network.host.namespace.exec(
          "ip", ["-batch", "-"], input: Array(pairs.joined().utf8)
        ).checked()
        let added = (0..<ports / 2).flatMap { number in
          ["d\(number)", "e\(number)"].flatMap { ["--", "add-port", network.bridge, $0] }
        }
        try ovs.vsctl(["--timeout=\(60 * slowness)"] + added.dropFirst()).checked()
      }
      // What is made once and stays is there.
      try add()
      try del()
      _ = try settledCount()
    }

    func add() throws {
      try network.plugin.add(configuration, containerID: "c1", sandbox: sandbox).checked()
    }
    func del() throws {
      try network.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
    }

    /// How often ovs-vswitchd has looked at all its ports since it was started.
    private func count() throws -> Int {
      let text = try ovs.appctl("coverage/read-counter", "bridge_reconfigure")
      return try #require(Int(text.trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    /// The same when it has done so for all that was.
    func settledCount() throws -> Int {
      var last = try count()
      var quiet = 0
      try eventually("ovs-vswitchd has settled", timeout: .seconds(30)) {
        usleep(100_000)
        let now = try count()
        quiet = now == last ? quiet + 1 : 0
        last = now
        return quiet == 3
      }
      return last
    }
  }

  /// Calls `body` while ovs-vswitchd stands still, which goes on when `isReady`.
  private func heldUp(
    _ ovs: OpenVSwitch, until isReady: @escaping @Sendable () -> Bool, _ body: () throws -> Void
  ) throws {
    let switching = try #require(ovs.switching)
    switching.suspend()
    let ending = Mutex(false)
    let resumption = Mutex(false)
    Thread.detachNewThread {
      while !isReady(), !ending.withLock({ $0 }) { usleep(10_000) }
      switching.resume()
      resumption.withLock { $0 = true }
    }
    defer {
      ending.withLock { $0 = true }
      while !resumption.withLock({ $0 }) { usleep(10_000) }
    }
    try body()
  }

  @Test(
    "at 200 ports it looks once for all that ADD has done before, and once for what it did itself",
    .only(on: .userspace))
  func added() throws {
    let place = try Place(ports: 200)
    let before = try place.settledCount()
    let (host, sandbox) = (place.network.host.namespace, place.sandbox)
    try heldUp(
      place.ovs,
      until: {
        // The last that ADD does of itself, and the last that the kernel does of it.
        let links = (try? host.ip("link").array) ?? []
        return links.contains {
          $0["ifname"].text?.hasPrefix("veth") == true && $0["operstate"] == "UP"
        }
          && (try? sandbox.addresses())?.isEmpty == false
      }
    ) { try place.add() }
    let looks = try place.settledCount() - before
    #expect((1...2).contains(looks), "\(looks)")
  }

  @Test("DEL asks nothing of it and waits for nothing; what was is seen in two looks at most")
  func deleted() throws {
    let place = try Place()
    try place.add()
    let before = try place.settledCount()
    func wanted() throws -> [String] {
      try place.ovs.vsctl("--no-wait", "get", "Open_vSwitch", ".", "next_cfg")
    }
    let configuration = try wanted()
    let switching = try #require(place.ovs.switching)
    switching.suspend()
    defer { switching.resume() }
    try place.del()
    #expect(try wanted() == configuration)
    switching.resume()
    let looks = try place.settledCount() - before
    #expect((1...2).contains(looks), "\(looks)")
  }

  @Test("ADD asks for the port before it makes the link where there are many, and changes it later")
  func order() throws {
    let place = try Place()
    try place.network.host.namespace.addManyLinks()
    let result = try place.network.plugin.call(
      [
        "CNI_COMMAND": "ADD", "CNI_CONTAINERID": "c1", "CNI_NETNS": place.sandbox.path,
        "CNI_IFNAME": "eth0", "CNI_PATH": place.network.plugin.searchPath,
        "CNI_TRACE": "netlink,ovsdb",
      ], input: place.configuration.encoded)
    try result.checked()
    let steps = result.stderr.split(separator: "\n").compactMap { line in
      ["netlink send RTM_NEWLINK", "netlink send RTM_SETLINK", #""op":"insert","table":"Port""#]
        .first { line.contains($0) }
    }
    #expect(
      steps.prefix(3) == [
        #""op":"insert","table":"Port""#, "netlink send RTM_NEWLINK", "netlink send RTM_SETLINK",
      ])
  }

  @Test(
    "DEL takes the rows away first where they tell of no lease, and last where they do",
    arguments: [false, true])
  func orderOfDel(hasLease: Bool) throws {
    let place = try Place()
    let configuration =
      hasLease ? place.configuration : place.configuration.with(["ipam": .absent])
    try place.network.plugin.add(configuration, containerID: "c2", sandbox: place.sandbox).checked()
    let result = try place.network.plugin.call(
      [
        "CNI_COMMAND": "DEL", "CNI_CONTAINERID": "c2", "CNI_NETNS": place.sandbox.path,
        "CNI_IFNAME": "eth0", "CNI_PATH": place.network.plugin.searchPath,
        "CNI_TRACE": "netlink,ovsdb",
      ], input: configuration.encoded)
    try result.checked()
    let (link, row) = ("netlink send RTM_DELLINK", #""op":"mutate","table":"Bridge""#)
    let steps = result.stderr.split(separator: "\n").compactMap { line in
      [link, row].first { line.contains($0) }
    }
    #expect(steps == (hasLease ? [link, row] : [row, link]))
  }

  @Test("ADD changes a link of the host five times, ovs-vswitchd's own change included, DEL twice")
  func events() throws {
    let place = try Place()
    let host = place.network.host
    let log = "\(host.directory.path)/events"
    let monitor = try Daemon(
      "ip", ["netns", "exec", host.namespace.name, "ip", "-o", "monitor", "link"],
      environment: ProcessInfo.processInfo.environment, log: log)
    defer { monitor.stop() }
    var markers = 0
    /// The changes of host ends since the last time, in order.
    func events() throws -> [String] {
      markers += 1
      let marker = "marker\(markers)"
      func lines() -> [String] {
        let text = FileManager.default.contents(atPath: log).map {
          String(decoding: $0, as: UTF8.self)
        }
        return (text ?? "").split(separator: "\n").map(String.init)
      }
      try host.namespace.exec("ip", ["link", "add", marker, "type", "veth"]).checked()
      // The monitor may have begun after it was made. A change of a link that is down is no event.
      try eventually("the monitor has seen the marker") {
        for state in ["up", "down"] {
          try host.namespace.exec("ip", ["link", "set", marker, state]).checked()
        }
        return lines().contains { $0.contains(" \(marker)@") }
      }
      let all = lines()
      let begin = all.firstIndex { $0.contains(" marker\(markers - 1)@") } ?? 0
      return all[begin...].filter { $0.contains("group 2") || $0.contains("group 1") }
    }
    _ = try events()
    try place.add()
    _ = try place.settledCount()
    let added = try events()
    #expect((3...5).contains(added.count), "\(added.joined(separator: "\n"))")
    try place.del()
    let deleted = try events()
    #expect(deleted.count == 2, "\(deleted.joined(separator: "\n"))")
  }
}
