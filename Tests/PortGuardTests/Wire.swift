import Addresses
import Linux
import Netlink
import PortGuard
import TestSupport
import Testing

/// A container, a host whose Linux bridge has its port, and a receiver behind another port.
///
/// A Linux bridge takes the frames of its ports where the kernel datapath of Open vSwitch does.
struct Wire {
  let host: Sandbox
  let container: Sandbox
  let receiver: Sandbox
  /// The host end.
  let port = "port"

  init(mtu: Int = 1500) throws {
    host = try Sandbox()
    container = try Sandbox()
    receiver = try Sandbox()
    // Where the kernel's bridge asks its firewall, it drops frames that are not as they should be.
    let settings =
      "for f in /proc/sys/net/bridge/bridge-nf-call-*; do [ ! -e $f ] || echo 0 >$f; done"
    try host.exec("sh", ["-c", settings]).checked()
    try host.exec("ip", ["link", "add", "br0", "type", "bridge", "mcast_snooping", "0"]).checked()
    try plug("port", container, mac: Container.mac, mtu: mtu)
    try plug("other", receiver, mac: "02:00:00:00:00:99", mtu: mtu)
    try host.exec("ip", ["link", "set", "br0", "mtu", "\(mtu)", "up"]).checked()
  }

  private func plug(_ name: String, _ sandbox: Sandbox, mac: String, mtu: Int) throws {
    try host.exec(
      "ip",
      [
        "link", "add", name, "mtu", "\(mtu)", "numrxqueues", "1", "numtxqueues", "1", "type",
        "veth", "peer", "name", "eth0", "netns", sandbox.name, "address", mac, "mtu", "\(mtu)",
        "numrxqueues", "1", "numtxqueues", "1",
      ]
    ).checked()
    for setting in ["disable_ipv6", "addr_gen_mode"] {
      try sandbox.exec("sh", ["-c", "echo 1 > /proc/sys/net/ipv6/conf/eth0/\(setting)"]).checked()
    }
    try sandbox.exec("ip", ["link", "set", "eth0", "up"]).checked()
    try host.exec("ip", ["link", "set", name, "master", "br0", "up"]).checked()
  }

  /// The index of the host end.
  var index: Int32 {
    get throws {
      let socket = try RouteSocket(in: NetworkNamespace(path: host.path))
      return try socket.link(.named(port), until: .after(.seconds(5))).index
    }
  }

  // MARK: - Frames

  /// Sends all of `cases`, and compares what the receiver gets with what they say.
  func expect(_ cases: [Case], through interface: String = "eth0") throws {
    let last = Case.arp[0].bytes
    let received = try exchange(
      cases.map { $0.bytes }, last: last, from: container, through: interface, to: receiver)
    for (number, item) in cases.enumerated() {
      #expect(received.contains(number) == (item.passes && item.isForwarded), "\(item)")
    }
  }
}
