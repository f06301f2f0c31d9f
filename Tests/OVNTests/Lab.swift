import Foundation
import TestSupport

/// A central of OVN and two hosts, each a network namespace with its own daemons, joined by tunnels
/// (Geneve) over a network of their own. The hosts take addresses from one database.
final class Lab: Sendable {
  /// The central's databases and their sockets.
  let directory: TemporaryDirectory
  let central: Sandbox
  let hosts: [LabHost]
  private let daemons: [String: Daemon]

  /// One for all tests of this process: each has a switch of its own.
  static var shared: Lab { get throws { try started.get() } }
  private static let started = Result { try Lab() }

  var northbound: String { "unix:\(directory.path)/nb.sock" }
  var addresses: String { "unix:\(directory.path)/ipam.sock" }

  private init() throws {
    try PrivateHost.require()
    directory = try TemporaryDirectory()
    central = try Sandbox()
    try central.runs("ip", "link", "add", "ul", "type", "bridge").checked()
    try central.runs("ip", "address", "add", "172.31.0.10/24", "dev", "ul").checked()
    try central.runs("ip", "link", "set", "ul", "up").checked()
    // Datapaths in userspace get packets of veth pairs with unfinished checksums.
    try central.runs("ethtool", "-K", "ul", "tx", "off").checked()
    var daemons: [String: Daemon] = [:]
    let path = directory.path
    for (name, database, port) in [("nb", "OVN_Northbound", 6641), ("sb", "OVN_Southbound", 6642)] {
      let schema = "/usr/share/ovn/ovn-\(name).ovsschema"
      try run("ovsdb-tool", ["create", "\(path)/\(name).db", schema]).checked()
      daemons[name] = try Self.server(
        name, ["--remote=ptcp:\(port):0.0.0.0"], in: central, path)
      try eventually("a database \(database)") {
        try run("ovsdb-client", ["-t", "2", "list-tables", "unix:\(path)/\(name).sock", database])
          .status == 0
      }
    }
    try run("\(Plugin.directory)/patchbay", ["cluster", "init", "--file", "\(path)/ipam.db"])
      .checked()
    daemons["ipam"] = try Self.server("ipam", [], in: central, path)
    daemons["northd"] = try Self.daemon(
      "ovn-northd",
      [
        "--ovnnb-db=unix:\(path)/nb.sock", "--ovnsb-db=unix:\(path)/sb.sock",
        "--unixctl=\(path)/northd.ctl",
      ], in: central, path)
    self.daemons = daemons
    var hosts: [LabHost] = []
    for number in 1...2 { hosts.append(try LabHost(number, central)) }
    self.hosts = hosts
    try ovn("nb", "init")
    for host in hosts {
      try eventually("chassis \(host.name)", timeout: .seconds(20)) {
        try ovn("sb", "--bare", "--columns=name", "list", "chassis").contains(host.name)
      }
    }
  }

  private static func server(
    _ name: String, _ remotes: [String], in sandbox: Sandbox, _ path: String
  )
    throws -> Daemon
  {
    try daemon(
      "ovsdb-server",
      [
        "\(path)/\(name).db", "--remote=punix:\(path)/\(name).sock",
        "--unixctl=\(path)/\(name).ctl",
      ]
        + remotes, in: sandbox, path)
  }

  /// A daemon of Open vSwitch or OVN, whose files are in `path`.
  static func daemon(_ name: String, _ arguments: [String], in sandbox: Sandbox, _ path: String)
    throws -> Daemon
  {
    var environment = ProcessInfo.processInfo.environment
    for kind in ["RUNDIR", "DBDIR", "LOGDIR"] {
      environment["OVS_\(kind)"] = path
      environment["OVN_\(kind)"] = path
    }
    return try Daemon(
      "ip",
      ["netns", "exec", sandbox.name, executable(name)] + arguments + [
        "-vconsole:off", "-vsyslog:off", "-vfile:info", "--log-file=\(path)/\(name).\(UUID()).log",
      ], environment: environment, log: "\(path)/\(name).out")
  }

  /// One of the central's daemons: `nb`, `sb`, `ipam`, `northd`.
  func daemon(_ name: String) -> Daemon? { daemons[name] }

  /// Runs ovn-nbctl (`nb`) or ovn-sbctl (`sb`), which must succeed; returns its words.
  @discardableResult
  func ovn(_ database: String, _ arguments: String...) throws -> [String] {
    try run(
      "ovn-\(database)ctl",
      ["--db=unix:\(directory.path)/\(database).sock", "--timeout=\(10 * slowness)"] + arguments
    ).checked().stdout.split { $0.isWhitespace }.map { String($0) }
  }

  /// A logical switch of its own for one test.
  func addSwitch() throws -> String {
    let name = uniqueName("ls")
    try ovn("nb", "ls-add", name)
    return name
  }

  /// The logical ports of a switch, each by column.
  func ports(of name: String) throws -> [Document] {
    let ports = try run(
      "ovsdb-client",
      [
        "-t", "5", "transact", northbound,
        #"["OVN_Northbound",{"op":"select","table":"Logical_Switch","where":[["name","==","#
          + #""\#(name)"]],"columns":["ports"]},"#
          + #"{"op":"select","table":"Logical_Switch_Port","where":[]}]"#,
      ]
    ).checked()
    let result = try Document(parsing: ports.bytes)
    let references = result[0]["rows"][0]["ports"].description
    return result[1]["rows"].array.filter { references.contains($0["_uuid"][1].text ?? "-") }
  }

  /// Address and holder of each lease of a network.
  func leases(_ network: String) throws -> [String: String] {
    let rows = try run(
      "ovsdb-client",
      [
        "-t", "5", "transact", addresses,
        #"["CNI_IPAM",{"op":"select","table":"Lease","where":[["network","==","\#(network)"]]}]"#,
      ]
    ).checked()
    let found = try Document(parsing: rows.bytes)[0]["rows"].array
    return Dictionary(
      found.map { ($0["address"].text ?? "", $0["holder"].text ?? "") }
    ) { $1 }
  }
}

/// A host of the lab.
final class LabHost: Sendable {
  /// `h1`, `h2`: its `system-id`.
  let name: String
  let namespace: Sandbox
  let openVSwitch: OpenVSwitch
  let controller: Daemon

  init(_ number: Int, _ central: Sandbox) throws {
    name = "h\(number)"
    namespace = try Sandbox()
    let peer = "ul-\(name)"
    try central.runs(
      "ip", "link", "add", peer, "type", "veth", "peer", "name", "phy", "netns", namespace.name
    ).checked()
    try central.runs("ip", "link", "set", peer, "master", "ul", "up").checked()
    try namespace.runs("ip", "link", "set", "phy", "up").checked()
    openVSwitch = try OpenVSwitch.start(in: namespace)
    let address = "172.31.0.\(number)"
    // The datapath in userspace makes the outer packet itself: its address is on a port of its own.
    try openVSwitch.vsctl(
      "add-br", "br-phy", "--", "set", "Bridge", "br-phy", "datapath_type=netdev",
      "fail_mode=standalone", "other_config:hwaddr=02:00:ac:1f:00:0\(number)", "--", "add-port",
      "br-phy", "phy")
    try namespace.runs("ip", "link", "set", "br-phy", "up").checked()
    try namespace.runs("ip", "address", "add", "\(address)/24", "dev", "br-phy").checked()
    try openVSwitch.vsctl(
      "set", "Open_vSwitch", ".", "external_ids:system-id=\(name)",
      "external_ids:hostname=\(name)", "external_ids:ovn-remote=\"tcp:172.31.0.10:6642\"",
      "external_ids:ovn-encap-type=geneve", "external_ids:ovn-encap-ip=\(address)",
      "external_ids:ovn-bridge=br-int", "external_ids:ovn-bridge-datapath-type=netdev")
    controller = try Lab.daemon(
      "ovn-controller", [openVSwitch.endpoint], in: namespace, openVSwitch.directory.path)
    let openVSwitch = openVSwitch
    try eventually("br-int of \(name)") {
      try openVSwitch.vsctl("list-br").contains("br-int")
    }
  }

  func plugin() -> Plugin { Plugin("ovn", in: namespace) }
}

/// A network of one logical switch, as one host sees it.
struct LogicalNetwork {
  let lab: Lab
  let name: String
  let logicalSwitch: String
  let host: LabHost
  /// Members of the configuration besides.
  var members: [String: Document] = [:]

  init(_ lab: Lab, on number: Int = 1) throws {
    self.init(lab, try lab.addSwitch(), lab.hosts[number - 1])
  }

  private init(_ lab: Lab, _ logicalSwitch: String, _ host: LabHost) {
    self.lab = lab
    self.logicalSwitch = logicalSwitch
    name = "net-\(logicalSwitch)"
    self.host = host
  }

  /// The same as another host sees it.
  func on(_ number: Int) -> LogicalNetwork {
    var copy = LogicalNetwork(lab, logicalSwitch, lab.hosts[number - 1])
    copy.members = members
    return copy
  }

  var configuration: Document {
    Document.object([
      "cniVersion": "1.1.0", "name": .string(name), "type": "ovn",
      "switch": .string(logicalSwitch), "nb": .string(lab.northbound),
      "socket_file": .string(host.openVSwitch.endpoint),
      "ipam": [
        "type": "cluster", "database": .string(lab.addresses), "host": .string(host.name),
        "ranges": [[["subnet": "10.244.0.0/24"]]],
      ],
    ]).with(members)
  }

  func add(
    _ id: String, _ sandbox: Sandbox, args: String? = nil, _ members: [String: Document] = [:]
  ) throws -> PluginResult {
    try host.plugin().add(
      configuration.with(members), containerID: id, sandbox: sandbox, args: args)
  }
  func del(_ id: String, _ sandbox: Sandbox? = nil, _ members: [String: Document] = [:]) throws
    -> PluginResult
  {
    try host.plugin().del(configuration.with(members), containerID: id, sandbox: sandbox)
  }
  func check(_ id: String, _ sandbox: Sandbox, _ previous: Document, args: String? = nil) throws
    -> PluginResult
  {
    try host.plugin().check(
      configuration, previous: previous, containerID: id, sandbox: sandbox, args: args)
  }
  func gc(_ valid: [String]?) throws -> PluginResult {
    try host.plugin().gc(
      configuration, valid: valid.map { $0.map { (containerID: $0, ifname: "eth0") } })
  }

  /// What is of the network: logical ports, leases, and ports and links of both hosts.
  func traces() throws -> [String] {
    var traces = try lab.ports(of: logicalSwitch).map { "logical port \($0["name"].text ?? "")" }
    traces += try lab.leases(name).values.map { "lease of \($0)" }
    for host in lab.hosts {
      for row in try host.openVSwitch.rows("Port")
      where row["external_ids"]["network"] == .string(name) {
        traces.append("port \(row["name"].text ?? "") on \(host.name)")
      }
      for link in try TestSupport.ip(in: host.namespace, ["link", "show", "type", "veth"]).array {
        let alias = link["ifalias"].text ?? ""
        if alias.contains(name) { traces.append("link \(alias) on \(host.name)") }
      }
    }
    return traces.sorted()
  }
}

extension Document {
  /// The address of a result, without its prefix length.
  var firstAddress: String {
    String((self["ips"][0]["address"].text ?? "").prefix { $0 != "/" })
  }
}

extension Sandbox {
  /// Runs a command in it.
  @discardableResult
  func runs(_ words: String...) throws -> Output { try exec(words[0], Array(words.dropFirst())) }

  func pings(_ address: String, size: Int = 56, count: Int = 1) throws -> Bool {
    try runs(
      "ping", "-q", "-n", "-c", "\(count)", "-W", "1", "-i", "0.2", "-M", "do", "-s", "\(size)",
      address
    ).status == 0
  }
}
