import Addresses
import Linux
import Netlink

/// What `--ovn` adds to a playground: the playground itself is the central of an OVN, and there are
/// two hosts, each with a network and a mount namespace and an Open vSwitch of its own, which
/// tunnels join.
///
/// The network between them is a bridge of the playground's Open vSwitch. Containers take addresses
/// from one database.
struct PlaygroundOVN {
  /// Each a command of that name, which runs another there.
  static let hosts = ["h1", "h2"]
  /// Where these commands are.
  static let commands = "/run/playground"
  private static let underlay = "underlay"
  private static let directory = "/run/ovn"

  private let openvswitch: PlaygroundSwitch
  private let vsctl: PlaygroundProgram
  private let nbctl: PlaygroundProgram
  private let sbctl: PlaygroundProgram
  private let northd: PlaygroundProgram
  private let controller: PlaygroundProgram
  /// What ovn-northd says it is, such as `23.03.1`.
  let version: String

  /// Finds the programs.
  init(_ openvswitch: PlaygroundSwitch) throws {
    self.openvswitch = openvswitch
    let source = "OVN, which Debian and Ubuntu have as the packages ovn-central and ovn-host"
    vsctl = try PlaygroundProgram("ovs-vsctl", of: "openvswitch-switch")
    nbctl = try PlaygroundProgram("ovn-nbctl", of: source)
    sbctl = try PlaygroundProgram("ovn-sbctl", of: source)
    northd = try PlaygroundProgram("ovn-northd", of: source)
    controller = try PlaygroundProgram("ovn-controller", of: source)
    let words = try northd.run(["--version"]).split { $0 == " " || $0 == "\n" }
    version = words.first { $0.first?.isNumber == true }.map { String($0) } ?? ""
  }

  private static let southbound = "tcp:\(PlaygroundNetwork.central):6642"
  /// What programs of OVN on a host find in their environment.
  static let variables = ["OVN_NB_DB=\(PlaygroundNetwork.northbound)", "OVN_SB_DB=\(southbound)"]

  /// Starts all of it, and returns when every host is a chassis.
  func start(_ playground: PlaygroundHost) throws {
    try startCentral(playground)
    let pids = try Self.hosts.enumerated().map { index, name in
      try startHost(name, number: index + 1, playground)
    }
    for pid in pids {
      let status = try Process.waitForEnd(of: pid)
      // It has said why.
      if status != .exited(0) { throw status.exitCode }
    }
    for name in Self.hosts { try sb("wait-until", "chassis", name, "name=\(name)") }
    for network in PlaygroundNetwork.logical { try nb("ls-add", network.name) }
    try nb("--wait=hv", "sync")
  }

  // MARK: - The central

  private func startCentral(_ playground: PlaygroundHost) throws {
    try vsctl.run([
      "--timeout=30", "add-br", Self.underlay, "--", "set", "Bridge", Self.underlay,
      "datapath_type=netdev",
    ])
    try Self.configure(Self.underlay, PlaygroundNetwork.central)
    _ = try Directory.create(path: Self.directory, mode: 0o755)
    for (name, port) in [("nb", 6641), ("sb", 6642)] {
      let file = "\(Self.directory)/ovn\(name)_db"
      try openvswitch.create("\(file).db", "/usr/share/ovn/ovn-\(name).ovsschema")
      try openvswitch.serve(
        "\(file).db", at: ["punix:\(file).sock", "ptcp:\(port):\(PlaygroundNetwork.central)"],
        as: file)
    }
    let file = "\(Self.directory)/ipam"
    try PlaygroundProgram.run(
      playground.executable, ["cluster", "init", "--file", "\(file).db"],
      in: Process.environment)
    try openvswitch.serve("\(file).db", at: ["ptcp:6650:\(PlaygroundNetwork.central)"], as: file)
    try northd.run(
      [
        "--ovnnb-db=unix:\(Self.directory)/ovnnb_db.sock",
        "--ovnsb-db=unix:\(Self.directory)/ovnsb_db.sock",
      ] + PlaygroundProgram.daemonOptions, as: Self.directory)
  }

  private func nb(_ arguments: String...) throws {
    try nbctl.run(
      ["--db=unix:\(Self.directory)/ovnnb_db.sock", "--timeout=30"] + arguments,
      as: Self.directory)
  }
  private func sb(_ arguments: String...) throws {
    try sbctl.run(
      ["--db=unix:\(Self.directory)/ovnsb_db.sock", "--timeout=30"] + arguments,
      as: Self.directory)
  }

  /// Gives a link of this namespace an address of the network that joins the hosts, and sets it up.
  private static func configure(_ name: String, _ address: String) throws {
    let deadline = Deadline.after(.seconds(10))
    do {
      let socket = try RouteSocket()
      let index = try socket.link(.named(name), until: deadline).index
      let prefix = try IPPrefix("\(address)/24")
      try socket.request(until: deadline) {
        $0.setLink(.index(index), isUp: true)
        $0.addAddress(prefix, to: index)
      }
    } catch { throw Failure("cannot configure \"\(name)\": \(error)") }
  }

  // MARK: - A host

  /// Starts a host, by a process that ends when it is there.
  private func startHost(_ name: String, number: Int, _ playground: PlaygroundHost) throws -> Int32
  {
    let run = "/run/hosts/\(name)"
    _ = try Directory.create(path: run, mode: 0o755)
    try writeCommand(name, run)
    try addNamespace(name)
    let namespace = try NetnsNames.open(name)
    do {
      try RouteSocket().request(until: .after(.seconds(10))) {
        $0.addVeth(
          VethEnd("ul-\(name)"), peer: VethEnd("phy"), in: namespace.fileDescriptor, isUp: true)
      }
    } catch { throw Failure("cannot join host \"\(name)\" to the others: \(error)") }
    try vsctl.run(["--timeout=30", "add-port", Self.underlay, "ul-\(name)"])
    if let pid = try Process.fork() { return pid }
    do {
      try playground.become(name, namespace, run: run)
      try startHost(name, address: "172.31.0.\(number)", number)
    } catch {
      say("\(error)", .error)
      Process.exit(1)
    }
    Process.exit(0)
  }

  /// Makes the namespace `name`, by a process that goes into it.
  private func addNamespace(_ name: String) throws {
    guard let pid = try Process.fork() else {
      do { try NetnsNames.add(name) } catch {
        say("\(error)", .error)
        Process.exit(1)
      }
      Process.exit(0)
    }
    let status = try Process.waitForEnd(of: pid)
    if status != .exited(0) { throw status.exitCode }
  }

  private func startHost(_ name: String, address: String, _ number: Int) throws {
    do {
      try RouteSocket().request(until: .after(.seconds(10))) {
        $0.setLink(.named("phy"), isUp: true)
      }
    } catch { throw Failure("cannot set \"phy\" up: \(error)") }
    try openvswitch.start()
    // The datapath in userspace makes the outer packet itself: its address is on a port of its own,
    // whose MAC address the others remember.
    try vsctl.run([
      "--timeout=30", "add-br", "br-phy", "--", "set", "Bridge", "br-phy", "datapath_type=netdev",
      "other_config:hwaddr=02:00:ac:1f:00:0\(number)", "--", "add-port", "br-phy", "phy", "--",
      "set", "Open_vSwitch", ".", "external_ids:system-id=\(name)",
      "external_ids:hostname=\(name)", "external_ids:ovn-remote=\"\(Self.southbound)\"",
      "external_ids:ovn-encap-type=geneve", "external_ids:ovn-encap-ip=\(address)",
      "external_ids:ovn-bridge-datapath-type=netdev",
    ])
    try Self.configure("br-phy", address)
    _ = try Directory.create(path: Self.directory, mode: 0o755)
    try controller.run(
      [PlaygroundSwitch.endpoint] + PlaygroundProgram.daemonOptions, as: Self.directory)
  }

  /// Writes the command `name`, which runs another on that host: in its network and its mount
  /// namespace, which its ovsdb-server is in.
  private func writeCommand(_ name: String, _ run: String) throws {
    let text = """
      #!/bin/sh
      # \(name) [COMMAND [ARGUMENT…]]: runs a command, or a shell, on the host \(name).
      [ $# -gt 0 ] || set -- "${SHELL:-/bin/sh}"
      export debian_chroot=\(name) \(Self.variables.joined(separator: " "))
      exec nsenter --target "$(cat \(run)/openvswitch/ovsdb-server.pid)" --mount --net \\
        sh -c 'cd "$0" 2>/dev/null; exec "$@"' "$PWD" "$@"

      """
    do {
      _ = try Directory.create(path: Self.commands, mode: 0o755)
      try FileDescriptor.open(
        "\(Self.commands)/\(name)", [.writeOnly, .create, .truncate], mode: 0o755
      ).write(Array(text.utf8))
    } catch { throw Failure("cannot write the command \"\(name)\": \(error)") }
  }
}
