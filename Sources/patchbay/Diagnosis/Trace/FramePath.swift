import Addresses
import Linux
import Netlink
import Unixctl

/// One end of a way through a bridge: a port, and who is behind it.
struct BridgeEnd {
  /// The container's name, or that of a link of this host.
  let name: String
  let port: DatabaseReading.Port
  let interface: DatabaseReading.Interface
  let mac: MACAddress
  /// Nil at layer 2 only.
  let address: IPAddress?
  /// Whether it is a container's, and not a link of this host.
  let attachment: AttachmentReading?
}

/// A way through one bridge, in one direction, and what ovs-vswitchd makes of frames on it.
struct FramePath {
  let bridge: DatabaseReading.Bridge
  let from: BridgeEnd
  let to: BridgeEnd
  /// The addresses of the packet, which may come from farther and go farther than the ends.
  let source: IPAddress?
  let destination: IPAddress?
  let traffic: TraceQuestion.Traffic
  let isReply: Bool

  /// The tag of a frame for a tunnel that takes certain customer VLANs only.
  private var customerTag: String {
    let vlans = from.port.vlans
    guard vlans.mode == "dot1q-tunnel", let first = vlans.customers.first,
      !vlans.customers.contains(0)
    else { return "" }
    return "dl_vlan=\(first),"
  }

  /// The frames that take it, each with its name: first the question for the MAC address, then the
  /// packet.
  var frames: [(name: String, flow: String)] {
    guard let number = from.interface.ofport else { return [] }
    let head = "in_port=\(number),"
    guard let source, let destination, let near = from.address, let next = to.address else {
      return [
        ("frame", head + "\(customerTag)dl_src=\(from.mac),dl_dst=\(to.mac),dl_type=0x0800")
      ]
    }
    var frames: [(name: String, flow: String)] = []
    if !destination.isIPv6 {
      frames.append(
        (
          "ARP",
          head + "arp,dl_src=\(from.mac),dl_dst=ff:ff:ff:ff:ff:ff,arp_op=1,arp_spa=\(near),"
            + "arp_tpa=\(next),arp_sha=\(from.mac)"
        ))
    } else {
      // RFC 4291 §2.7.1: the solicited-node group of the neighbour; RFC 2464 §7: its MAC address.
      let tail = next.bytes.suffix(3)
      let group = IPAddress(
        bytes: [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff] + tail)
      let mac = MACAddress(bytes: [0x33, 0x33, 0xff] + tail)
      if let group, let mac {
        frames.append(
          (
            "neighbour solicitation",
            head + "icmp6,dl_src=\(from.mac),dl_dst=\(mac),ipv6_src=\(near),ipv6_dst=\(group),"
              + "icmpv6_type=135,icmpv6_code=0,nd_target=\(next),nd_sll=\(from.mac)"
          ))
      }
    }
    let (family, prefix) = destination.isIPv6 ? ("6", "ipv6") : ("", "nw")
    var packet =
      head + "\(traffic.name)\(family),dl_src=\(from.mac),dl_dst=\(to.mac),"
      + "\(prefix)_src=\(source),\(prefix)_dst=\(destination)"
    switch traffic {
    case .icmp:
      packet +=
        destination.isIPv6
        ? ",icmpv6_type=\(isReply ? 129 : 128),icmpv6_code=0"
        : ",icmp_type=\(isReply ? 0 : 8),icmp_code=0"
    case .tcp(let port):
      packet += isReply ? ",tcp_src=\(port),tcp_flags=0x12" : ",tcp_dst=\(port),tcp_flags=0x2"
    case .udp(let port): packet += isReply ? ",udp_src=\(port)" : ",udp_dst=\(port)"
    }
    frames.append((traffic.name, packet))
    return frames
  }
}

/// What ovs-vswitchd said of one frame.
struct TracedFrame {
  let bridge: String
  let name: String
  let flow: String
  let text: String
  let trace: FlowTrace
}
