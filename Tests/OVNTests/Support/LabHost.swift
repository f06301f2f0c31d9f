import Foundation
import Synchronization
import TestSupport
import Testing

/// A host of the lab.
final class LabHost: Sendable {
  /// `h1`, `h2`: its `system-id`.
  let name: String
  let namespace: Sandbox
  let openVSwitch: OpenVSwitch
  private let controller: Mutex<Daemon?>

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
    controller = Mutex(
      try Lab.daemon(
        "ovn-controller", [openVSwitch.endpoint], in: namespace, openVSwitch.directory.path))
    let openVSwitch = openVSwitch
    try eventually("br-int of \(name)") {
      try openVSwitch.vsctl("list-br").contains("br-int")
    }
  }

  func plugin() -> Plugin { Plugin("ovn", in: namespace) }

  /// Kills ovn-controller, which cannot say goodbye.
  func killController() { controller.withLock { $0?.stop(SIGKILL) } }

  /// Ends ovn-controller, and starts another.
  func restartController() throws {
    let started = try controller.withLock { daemon in
      daemon?.stop()
      let started = try Lab.daemon(
        "ovn-controller", [openVSwitch.endpoint], in: namespace, openVSwitch.directory.path)
      daemon = started
      return started
    }
    #expect(!started.hasEnded)
  }

  /// Has ovn-controller make tunnels of this kind, `geneve` or `vxlan`.
  func setTunnels(_ kind: String) throws {
    try openVSwitch.vsctl("set", "Open_vSwitch", ".", "external_ids:ovn-encap-type=\(kind)")
  }
}
