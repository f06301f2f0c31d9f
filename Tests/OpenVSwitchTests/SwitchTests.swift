import Linux
import TestSupport
import Testing

@testable import OVSDB
@testable import OpenVSwitch

/// With a real ovs-vswitchd on the userspace datapath, in a network namespace of its own.
@Suite("Against ovs-vswitchd", .privateHost)
struct SwitchTests {
  let host: TestHost
  let connection: Connection
  let soon = Deadline.after(.seconds(20))

  init() throws {
    host = try TestHost()
    connection = try Connection(try Endpoint(host.openVSwitch.endpoint), until: soon)
    var transaction = Transaction()
    _ = transaction.addBridge("br0", [Cell(.datapathType, "netdev")])
    _ = try connection.commit(transaction, watching: "br0", until: soon)
  }

  func addVeth(_ name: String) throws {
    try host.namespace.exec(
      "ip", ["link", "add", name, "type", "veth", "peer", "name", "\(name)p"]
    ).checked()
  }

  @Test("a bridge that was committed forwards: its internal port is there")
  func bridge() throws {
    #expect(try host.ip("link", "show", "br0")[0]["ifname"] == "br0")
  }

  @Test("a commit ends when the port has its number, and the datapath receives from its link")
  func attach() throws {
    try addVeth("v0")
    try host.namespace.exec("ip", ["link", "set", "v0", "up", "mtu", "1400"]).checked()
    try host.namespace.exec("ip", ["link", "set", "v0p", "up"]).checked()
    var transaction = Transaction()
    let added = transaction.addPort(
      "v0", to: .equal(.name, "br0"), port: [Cell(.tag, 5)], interface: [Cell(.ofportRequest, 77)])
    let outcome = try connection.commit(transaction, watching: "v0", until: soon)
    let interface = try #require(outcome.interface)
    #expect(interface[.uuid] == outcome.results[added.interface])
    #expect(interface[.name] == "v0")
    #expect(interface[.ofport] == 77)
    #expect(interface[.error] == nil)
    let link = try host.ip("-d", "link", "show", "v0")[0]
    #expect((link["promiscuity"].integer ?? 0) > 0)
    #expect(link["flags"].array.contains("UP"))
    try eventually("the row tells the link as the kernel has it") {
      let row = try host.openVSwitch.row("Interface", "v0")
      return row["ifindex"] == link["ifindex"] && row["mac_in_use"] == link["address"]
        && row["mtu"] == 1400 && row["admin_state"] == "up" && row["link_state"] == "up"
    }
    #expect(try host.openVSwitch.appctl("dpif/show").contains("v0 77/"))
    #expect(connection.session.monitors.isEmpty, "the monitor ends with the commit")
  }

  @Test("an interface that ovs-vswitchd cannot use has an error, number -1 and no index")
  func broken() throws {
    var transaction = Transaction()
    _ = transaction.addPort("nosuch", to: .equal(.name, "br0"))
    let outcome = try connection.commit(transaction, watching: "nosuch", until: soon)
    let interface = try #require(outcome.interface)
    #expect(
      interface[.error] == "could not open network device nosuch (No such device)")
    #expect(interface[.ofport] == -1)
    #expect(try host.openVSwitch.row("Interface", "nosuch")["ifindex"] == [])
  }

  @Test("ofport, error, ifindex and cur_cfg come in one update")
  func oneUpdate() throws {
    let observer = try Connection(try Endpoint(host.openVSwitch.endpoint), until: soon)
    for (name, isThere) in [("v0", true), ("gone", false)] {
      if isThere { try addVeth(name) }
      let monitor = observer.monitor([
        .rows(of: .interface, where: [.equal(.name, name)], .columns(.ofport, .error, .ifindex)),
        .rows(of: .openVSwitch, .columns(.currentConfiguration)),
      ])
      try monitor.begin(until: soon)
      let before: Int64 = monitor.rows(of: .openVSwitch).first?[.currentConfiguration] ?? 0
      var transaction = Transaction()
      _ = transaction.addPort(name, to: .equal(.name, "br0"))
      let pending = connection.begin(transaction, watching: name)
      // A view of every state between: none has one of them without the others.
      var torn: [Row<InterfaceTable>] = []
      try monitor.wait(until: soon, for: "the port") { monitor in
        let current: Int64 = monitor.rows(of: .openVSwitch).first?[.currentConfiguration] ?? 0
        let row = monitor.rows(of: .interface).first
        let isServed = row?[.ofport] != nil
        if isServed != (current > before) || (isServed && isThere) != (row?[.ifindex] != nil)
          || (isServed && !isThere) != (row?[.error] != nil)
        {
          torn += row.map { [$0] } ?? []
        }
        return isServed && current > before
      }
      #expect(torn.isEmpty)
      _ = try pending.outcome(until: soon)
      monitor.cancel()
    }
  }

  @Test("what others do between the request and the wait is not waited for twice")
  func overlap() throws {
    try addVeth("v0")
    var transaction = Transaction()
    _ = transaction.addPort("v0", to: .equal(.name, "br0"))
    let pending = connection.begin(transaction, watching: "v0")
    // The change is on its way while this end does something else.
    try eventually("the port") {
      try host.openVSwitch.row("Interface", "v0")["ofport"].integer == 1
    }
    let outcome = try pending.outcome(until: .after(.milliseconds(200)))
    #expect(outcome.interface?[.ofport] == 1)
  }

  @Test("a port that replaces another in one transaction is waited for again")
  func replaced() throws {
    try addVeth("v0")
    var first = Transaction()
    let added = first.addPort("v0", to: .equal(.name, "br0"))
    let before = try connection.commit(first, watching: "v0", until: soon)
    var second = Transaction()
    second.removePort(before.results[added.port])
    let again = second.addPort(
      "v0", to: .equal(.name, "br0"), interface: [Cell(.ofportRequest, 42)])
    let after = try connection.commit(second, watching: "v0", until: soon)
    #expect(after.interface?[.uuid] == after.results[again.interface])
    #expect(after.interface?[.ofport] == 42)
  }

  @Test("a port that is left out in the same transaction is not waited for")
  func absent() throws {
    let outcome = try connection.commit(
      Transaction([.insert(into: .interface, [Cell(.name, "orphan")])]), watching: "orphan",
      until: soon)
    #expect(outcome.interface == nil)
  }

  @Test("a stopped ovs-vswitchd is waited for until the deadline, and the change is certain")
  func stopped() throws {
    let daemon = try #require(host.openVSwitch.switching)
    daemon.suspend()
    var transaction = Transaction()
    _ = transaction.addPort("v0", to: .equal(.name, "br0"))
    let pending = connection.begin(transaction, watching: "v0")
    let error = #expect(throws: OVSDBError.self) {
      try pending.outcome(until: .after(.milliseconds(200)))
    }
    guard case .deadlinePassed(_, waitingFor: _, effect: .certain)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(try connection.isSwitchConnected(until: soon), "it still holds its lock")
    daemon.resume()
  }

  @Test("what a transaction did is known before ovs-vswitchd has taken it over")
  func confirmed() throws {
    let daemon = try #require(host.openVSwitch.switching)
    daemon.suspend()
    try addVeth("v0")
    var transaction = Transaction()
    let added = transaction.addPort("v0", to: .equal(.name, "br0"))
    let commit = try connection.begin(transaction, watching: "v0").confirm(until: soon)
    let seen = try host.openVSwitch.row("Port", "v0")["_uuid"].text
    #expect(commit.results[added.port].uuid == seen)
    daemon.resume()
    #expect(try commit.outcome(until: soon).interface?[.ofport] == 1)
  }

  @Test("on a bridge that ovs-vswitchd cannot make an interface has neither number nor error")
  func unmade() throws {
    var transaction = Transaction()
    _ = transaction.addBridge("br1", [Cell(.datapathType, "nonsense")])
    let outcome = try connection.commit(transaction, watching: "br1", until: soon)
    let interface = try #require(outcome.interface)
    #expect(interface[.ofport] == nil)
    #expect(interface[.error] == nil)
  }

  @Test("the lock tells whether an ovs-vswitchd is connected, and stays with it")
  func lock() throws {
    for _ in 0..<20 { #expect(try connection.isSwitchConnected(until: soon)) }
    var transaction = Transaction()
    _ = transaction.addBridge("br1", [Cell(.datapathType, "netdev")])
    _ = try connection.commit(transaction, watching: "br1", until: soon)
    let log = host.openVSwitch.directory.read("ovs-vswitchd.log") ?? ""
    #expect(!log.contains("disabling this process"))

    host.openVSwitch.stopSwitching()
    #expect(try !connection.isSwitchConnected(until: soon))
    // Probes while it starts again do not keep it from its work.
    try host.openVSwitch.startSwitching()
    try eventually("its lock") { try connection.isSwitchConnected(until: soon) }
    _ = try connection.commit(Transaction(), until: soon)
  }
}
