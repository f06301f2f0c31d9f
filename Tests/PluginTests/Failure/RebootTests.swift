import Foundation
import TestSupport
import Testing

/// Power was lost: links are gone, database and IDs are the old ones, and all containers start at
/// once, while ovs-vswitchd does.
@Suite("After a reboot", .privateHost, .serialized) struct RebootTests {
  private static let count = isSoak ? 400 : 32

  @Test("all containers of an old database start at once, with new namespaces")
  func reboot() throws {
    let network = try Network()
    let ovs = network.host.openVSwitch
    let configuration = network.addressed("10.1.0.0/16", members: ["timeout": 120])
    var sandboxes = try (0..<Self.count).map { _ in try Sandbox() }
    for life in 0..<3 {
      if life > 0 {
        // The last time IDs are others, and no row is any attachment's by now.
        ovs.stopSwitching()
        for sandbox in sandboxes { sandbox.delete() }
        sandboxes = try (0..<Self.count).map { _ in try Sandbox() }
        try eventually("the links are gone", timeout: .seconds(60)) {
          try network.host.ip("link").array.allSatisfy {
            !($0["ifname"].text ?? "").hasPrefix("veth")
          }
        }
        ovs.stopServer()
        try ovs.startServer()
      }
      let starting = Thread {
        Thread.sleep(forTimeInterval: 0.2)
        if life > 0 { try? ovs.startSwitching() }
      }
      starting.start()
      let prefix = life == 2 ? "new" : "c"
      let numbers = Array(0..<Self.count)
      let running = DispatchSemaphore(value: 24)
      let results = try atOnce(numbers) { [sandboxes] number in
        running.wait()
        defer { running.signal() }
        return try network.plugin.add(
          configuration, containerID: "\(prefix)\(number)", sandbox: sandboxes[number],
          timeout: .seconds(240))
      }
      try eventually("ovs-vswitchd was started", timeout: .seconds(30)) { starting.isFinished }
      let refused = results.filter { $0.status != 0 }.count
      figures(
        "\(Self.count) containers at once on \(life == 0 ? "an empty" : "an old") database; "
          + "refused: \(refused)")
      for result in results { #expect(result.status == 0, "life \(life): \(result)") }
      let interfaces = try ovs.rows("Interface").filter {
        $0["external_ids"]["owner"] == "patchbay"
      }
      #expect(
        Set(interfaces.map { $0["name"] }) == Set(results.map { $0.json["interfaces"][0]["name"] }))
      for interface in interfaces {
        #expect((interface["ofport"].integer ?? 0) > 0, "\(interface)")
        #expect(interface["error"] == [], "\(interface)")
      }
      #expect(Set(results.map { $0.json["ips"][0]["address"] }).count == Self.count)
      // Some of them, by traffic.
      for number in numbers.prefix(4) {
        let address = results[Self.count - 1 - number].json["ips"][0]["address"].text ?? ""
        // With hundreds of ports ovs-vswitchd may be busy for seconds before it takes the next
        // frame.
        try sandboxes[number].exec(
          "ping", ["-n", "-c", "1", "-W", "20", String(address.prefix { $0 != "/" })]
        ).checked()
      }
    }
  }
}
