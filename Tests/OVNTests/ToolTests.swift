import Foundation
import TestSupport
import Testing

extension OVNTests {
  /// `patchbay` on a host of the lab, with the network's list in a directory of its own.
  private struct Tool {
    let network: LogicalNetwork
    let files: TemporaryDirectory

    init(_ network: LogicalNetwork) throws {
      self.network = network
      files = try TemporaryDirectory()
      var plugin = network.configuration.members
      let version = plugin.removeValue(forKey: "cniVersion")
      let name = plugin.removeValue(forKey: "name")
      let list: Document = [
        "cniVersion": version ?? "1.1.0", "name": name ?? "", "plugins": [.object(plugin)],
      ]
      try files.write(String(decoding: list.encoded, as: UTF8.self), to: "net.d/net.conflist")
    }

    func run(_ arguments: String...) throws -> Output { try run(arguments) }

    func run(_ arguments: [String]) throws -> Output {
      var variables = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("CNI_") }
      variables["NETCONFPATH"] = "\(files.path)/net.d"
      variables["CNI_PATH"] = "\(Plugin.directory):\(Plugin.references)"
      return try network.host.namespace.exec(
        "\(Plugin.directory)/patchbay", arguments, environment: variables)
    }

    /// The network's only port, as `show` has it.
    func port() throws -> Document {
      let endpoint = network.host.openVSwitch.endpoint
      let picture = try Document(
        parsing: run("show", "--db", endpoint, "--network", network.name, "--json").checked().bytes)
      return picture["bridges"][0]["ports"][0]
    }
  }

  @Test("show says which logical port a container has, where it is up, and why it is not")
  func show() throws {
    let lab = try Lab.shared
    let network = try LogicalNetwork(lab)
    let tool = try Tool(network)
    let sandbox = try Sandbox()
    let result = try network.add("a", sandbox).checked()
    let name = "h1/\(network.name)/a/eth0"
    // OVN's databases hear of it after ADD's end.
    try eventually("it is up") { try tool.port()["logicalPort"]["up"] == true }
    let port = try tool.port()
    #expect(
      port["logicalPort"] == [
        "name": .string(name), "switch": .string(network.logicalSwitch), "chassis": "h1",
        "installed": true, "up": true,
        "addresses": [
          .string("\(result["interfaces"][1]["mac"].text ?? "") \(result.firstAddress)")
        ],
      ], "\(port)")
    #expect(port["problems"] == [])
    let tree = try tool.run("show", "--db", network.host.openVSwitch.endpoint).checked().stdout
    #expect(tree.contains("logical   \(name)"), "\(tree)")
    #expect(tree.contains("switch \(network.logicalSwitch)"), "\(tree)")
    try Messages.expect(
      tool.run("status", network.name).checked().stdout, of: "patchbay", on: "status, of ovn")

    for (change, mark) in [
      (["lsp-set-options", name, "requested-chassis=h2"], #""h2""#),
      (["lsp-set-options", name, "requested-chassis=h1", "iface-id-ver=other"], #""other""#),
      (["lsp-del", name], "northbound"),
    ] {
      try run("ovn-nbctl", ["--db=\(lab.northbound)"] + change).checked()
      let occasion = "show: ovn-nbctl \(change.filter { $0 != name }.joined(separator: " "))"
      var problem = ""
      try eventually(occasion, timeout: .seconds(20)) {
        let problems = try tool.port()["problems"].array.compactMap(\.text)
        problem = problems.first { $0.contains(mark) } ?? ""
        return problem != ""
      }
      try Messages.expect(problem, of: "patchbay", on: occasion)
    }
    try network.del("a", sandbox).checked()
    // A row of the northbound database that ovn-northd has not seen yet.
    try network.add("a", sandbox).checked()
    let host = network.host.openVSwitch
    lab.daemon("northd")?.suspend()
    defer { lab.daemon("northd")?.resume() }
    try lab.ovn("nb", "lsp-add", network.logicalSwitch, "new-\(network.logicalSwitch)")
    let interface = result["interfaces"][0]["name"].text ?? ""
    try host.vsctl(
      "--no-wait", "set", "Interface", interface,
      "external_ids:iface-id=new-\(network.logicalSwitch)")
    let problems = try tool.port()["problems"].array.compactMap(\.text)
    try Messages.expect(
      #require(problems.first { $0.contains("ovn-northd") }), of: "patchbay",
      on: "show: a logical port that ovn-northd has not seen")
    lab.daemon("northd")?.resume()
    try lab.ovn("nb", "lsp-del", "new-\(network.logicalSwitch)")
    try network.del("a", sandbox).checked()
    #expect(try network.traces() == [])
  }

  @Test("gc --host frees the logical ports and the leases of a host that is gone, and no other's")
  func lostHost() throws {
    let network = try LogicalNetwork(Lab.shared)
    let tool = try Tool(network)
    let (first, second) = (try Sandbox(), try Sandbox())
    let left = try network.add("c", first).checked()
    let address = try network.on(2).add("c", second).checked().firstAddress
    let refused = try tool.run("gc", network.name, "--host", "h1")
    #expect(refused.status == 1, "\(refused)")
    try Messages.expect(refused.stderr, of: "patchbay", on: "gc --host of this host, of ovn")
    for (words, what) in [(["-n"], " -n"), ([], ""), ([], ", once more")] {
      try Messages.expect(
        tool.run(["gc", network.name, "--host", "h2"] + words).checked().stdout, of: "patchbay",
        on: "gc --host of a host that is gone, of ovn\(what)", hiding: ["ADDRESS": address])
    }
    try network.check("c", first, left).checked()
    // The rest of it, where the host lives after all.
    try network.on(2).del("c").checked()
    try network.del("c").checked()
    #expect(try network.traces() == [])
  }

  @Test("gc frees a logical port of which only the northbound database knows, if it is old")
  func lostRow() throws {
    let lab = try Lab.shared
    var network = try LogicalNetwork(lab)
    network.members["ipam"] = .absent
    let (gone, living) = (try Sandbox(), try Sandbox())
    let tool = try Tool(network)
    try network.add("a", gone).checked()
    try network.add("b", living).checked()
    // Container IDs are unique on one host only.
    let other = try Sandbox()
    try network.on(2).add("a", other).checked()
    func forget(_ id: String) throws {
      for row in try network.host.openVSwitch.rows("Port")
      where row["external_ids"]["network"] == .string(network.name)
        && row["external_ids"]["containerID"] == .string(id)
      {
        try network.host.openVSwitch.vsctl("del-port", row["name"].text ?? "")
      }
    }
    let ports = ["a", "b"].map { "h1/\(network.name)/\($0)/eth0" }
    for id in ["a", "b"] { try forget(id) }
    gone.delete()
    try eventually("the link is gone") {
      try !network.traces().contains {
        $0.hasPrefix("link ") && $0.contains("/a/") && $0.hasSuffix(" on h1")
      }
    }
    // Its ADD may still be under way.
    #expect(try tool.run("gc", network.name).checked().stdout == "")
    for port in ports {
      try lab.ovn("nb", "set", "Logical_Switch_Port", port, "external_ids:began=1")
    }
    try lab.ovn(
      "nb", "set", "Logical_Switch_Port", "h2/\(network.name)/a/eth0", "external_ids:began=1")
    for words in [["--dry-run"], []] {
      let output = try tool.run(["gc", network.name] + words).checked().stdout
      let occasion = (["gc"] + words).joined(separator: " ") + ", a logical port alone is left"
      try Messages.expect(output, of: "patchbay", on: occasion)
    }
    #expect(try tool.run("gc", network.name).checked().stdout == "")
    #expect(
      try lab.ports(of: network.logicalSwitch).compactMap { $0["name"].text }.sorted()
        == [ports[1], "h2/\(network.name)/a/eth0"])
    try network.on(2).del("a").checked()
    try network.del("b").checked()
    #expect(try network.traces() == [])
  }

  @Test("show says in a line which of OVN's databases it could not ask")
  func unreachable() throws {
    let openVSwitch = try OpenVSwitch.start(switching: false)
    try openVSwitch.vsctl(
      "--no-wait", "add-br", "br-int", "--", "add-port", "br-int", "p", "--", "set", "Interface",
      "p", "external_ids:iface-id=x", "--", "set", "Open_vSwitch", ".",
      "external_ids:system-id=h", "external_ids:ovn-remote=unix:/nowhere/sb.sock")
    func picture() throws -> Document {
      try Document(
        parsing: run(
          "\(Plugin.directory)/patchbay", ["show", "--db", openVSwitch.endpoint, "--json"]
        ).checked().bytes)
    }
    let refused = try picture()
    let lines = refused["problems"].array.compactMap(\.text).filter { $0.hasPrefix("OVN's ") }
    try Messages.expect(
      lines.joined(separator: "\n"), of: "patchbay", on: "show: OVN's databases are not there")
    let port = refused["bridges"][0]["ports"].first(where: "name", is: "p")
    #expect(port["logicalPort"] == ["name": "x", "installed": false])
    let problem = port["problems"].array.compactMap(\.text).first { $0.contains("OVN") }
    try Messages.expect(
      #require(problem), of: "patchbay", on: "show: a logical port, and no ovn-controller")
    // With TLS it is another program's, and nothing is wrong with that.
    try openVSwitch.vsctl(
      "--no-wait", "set", "Open_vSwitch", ".", "external_ids:ovn-remote=\"ssl:192.0.2.1:6642\"")
    let other = try picture()
    try Messages.expect(
      other["notes"].array.compactMap(\.text).joined(separator: "\n"), of: "patchbay",
      on: "show: OVN's databases by TLS")
    #expect(other["problems"].array.filter { $0.text?.hasPrefix("OVN's ") == true } == [])
  }
}
