import Foundation
import Synchronization
import TestSupport
import Testing

/// An attachment has the same link name in every life, and ovs-vswitchd goes by names: where it
/// sees a port go and come back in one look it keeps what it has of the first link.
@Suite("An attachment that comes back before ovs-vswitchd has seen it go", .privateHost)
struct ReplugTests {
  /// Two attached containers and an ovs-vswitchd that can be held up.
  private struct Pair {
    let network: Network
    let (near, far): (Sandbox, Sandbox)
    let configuration: Document

    init() throws {
      network = try Network()
      (near, far) = (try Sandbox(), try Sandbox())
      configuration = network.addressed("10.1.0.0/24")
      for (id, sandbox) in [("near", near), ("far", far)] {
        try network.plugin.add(configuration, containerID: id, sandbox: sandbox).checked()
      }
      try eventually("both reach each other") { try far.reaches("10.1.0.2") }
    }

    /// Runs ADD of `far` while ovs-vswitchd is stopped, which goes on when ADD waits for it.
    func addHeldUp() throws -> Document {
      let switching = network.host.openVSwitch.switching
      switching?.suspend()
      let resumption = Mutex(false)
      Thread.detachNewThread {
        Thread.sleep(forTimeInterval: 0.5)
        switching?.resume()
        resumption.withLock { $0 = true }
      }
      defer { while !resumption.withLock({ $0 }) { Thread.sleep(forTimeInterval: 0.01) } }
      return try network.plugin.add(configuration, containerID: "far", sandbox: far).checked()
    }

    /// That the datapath forwards for the attachment: by traffic, and by the kernel.
    func expectDatapath(_ result: Document, _ comment: Comment? = nil) throws {
      let port = result["interfaces"][0]["name"].text ?? ""
      #expect(try far.reaches("10.1.0.2", count: 1), comment)
      let link = try network.host.namespace.ip("-d", "link", "show", port)[0]
      #expect(link["flags"].array.contains("UP"), comment)
      #expect(link["promiscuity"] == 1, comment)
    }

    /// That the attachment is as ADD promised: by traffic, by CHECK and by the kernel.
    func expectForwarding(_ result: Document) throws {
      #expect(try far.reaches("10.1.0.2"))
      try network.plugin.check(
        configuration, previous: result, containerID: "far", sandbox: far
      ).checked()
      try expectDatapath(result)
    }
  }

  @Test("is plugged in again after a DEL")
  func afterDel() throws {
    let pair = try Pair()
    let switching = pair.network.host.openVSwitch.switching
    switching?.suspend()
    try pair.network.plugin.del(pair.configuration, containerID: "far", sandbox: pair.far).checked()
    try pair.expectForwarding(pair.addHeldUp())
  }

  @Test("is plugged in again when only its link was made again")
  func afterLink() throws {
    let pair = try Pair()
    try pair.far.exec("ip", ["link", "delete", "eth0"]).checked()
    try pair.expectForwarding(pair.addHeldUp())
  }

  @Test("is plugged in again when its port was taken off meanwhile")
  func afterRemoval() throws {
    let pair = try Pair()
    let ovs = pair.network.host.openVSwitch
    let port = try ovs.rows("Port").first { $0["external_ids"]["containerID"] == "far" }
    ovs.switching?.suspend()
    try ovs.vsctl("--no-wait", "del-port", "br1", port?["name"].text ?? "")
    try pair.expectForwarding(pair.addHeldUp())
  }

  @Test("is right each time at once after a DEL, which has not waited for ovs-vswitchd")
  func rounds() throws {
    let pair = try Pair()
    let began = ContinuousClock.now
    var rounds = 0
    while isSoak ? rounds < 500 : rounds < 10 || ContinuousClock.now - began < .seconds(8) {
      rounds += 1
      try pair.network.plugin.del(
        pair.configuration, containerID: "far", sandbox: pair.far
      ).checked()
      let result = try pair.network.plugin.add(
        pair.configuration, containerID: "far", sandbox: pair.far
      ).checked()
      try pair.expectDatapath(result, "round \(rounds)")
    }
    figures("ADD at once after DEL of the same attachment: \(rounds) times")
  }
}
