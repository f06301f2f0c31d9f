internal import Netlink
internal import OpenVSwitch
internal import PluginConfigurations

/// How the limits of `bandwidth` are kept, in the units of each column.
///
/// Towards the container: QoS of type `linux-htb` at the port, with one queue. ovs-vswitchd has the
/// kernel hold the frames back on the host end. It does so on both datapaths: on `netdev` it sends
/// by a packet socket, which passes the link's queueing discipline (tc(8)).
///
/// From the container: a token bucket on the container end. On `netdev` nothing on the host end can
/// do it: ovs-vswitchd reads frames by a packet socket, which gets them before what is at the
/// link's ingress, the policer of `ingress_policing_rate` and an ifb link included (seen with Open
/// vSwitch 3.1.0). So there the limit holds for programs that may not configure the sandbox: who
/// has `CAP_NET_ADMIN` in it can take it away, as they can the address. On `system` the port has
/// `ingress_policing_rate` besides, which the sandbox cannot reach.
package struct Rates: Hashable {
  private let bandwidth: Bandwidth
  /// Bytes of the longest frame.
  private let frame: UInt64

  /// Nil where nothing is limited.
  init?(_ bandwidth: Bandwidth?, mtu: UInt32?) {
    guard let bandwidth else { return nil }
    self.bandwidth = bandwidth
    // Header, two VLAN tags.
    frame = UInt64(mtu ?? 1500) + 14 + 8
  }

  /// `QoS.type`
  static let qosType = "linux-htb"

  /// Whether what goes towards the container is limited.
  var limitsIngress: Bool { bandwidth.ingress != nil }
  /// Whether what comes from the container is limited.
  var limitsEgress: Bool { bandwidth.egress != nil }

  /// Bytes of burst at `rate` bytes a second, below which a busy machine does not reach the rate:
  /// tokens that are not taken in time are lost, so that there must be room for a frame or two, and
  /// for what comes in while the kernel is kept from looking, a few milliseconds.
  private func smallestBurst(_ rate: UInt64) -> UInt64 { max(2 * frame, rate / 250) }

  // MARK: - Towards the container

  /// Frames that may wait on the host end: its `txqueuelen`, which the queue takes for its length.
  ///
  /// On `netdev` ovs-vswitchd sends by one packet socket for all ports. A frame that waits counts
  /// against the socket's buffer (`net.core.wmem_default`, 208 KiB, of which a frame of 1514 bytes
  /// takes 2304) until it has left, and with a full buffer nothing is sent to any port: with the
  /// kernel's 1000 frames, a flood to one limited port stops the bridge. So no more than about a
  /// quarter of the buffer waits at one port.
  var hostQueueLength: UInt32? {
    guard limitsIngress else { return nil }
    return UInt32(min(24, max(4, 24 * 1536 / frame)))
  }

  /// `QoS.other_config`: bits per second.
  var qosSettings: [String: String]? {
    bandwidth.ingress.map { ["max-rate": String(Self.hierarchicalRate($0))] }
  }

  /// `Queue.other_config`: bits per second, and bits.
  ///
  /// Without `min-rate` the queue would borrow what it sends from the QoS, and the burst of that is
  /// one frame.
  var queueSettings: [String: String]? {
    guard let limit = bandwidth.ingress else { return nil }
    let rate = Self.hierarchicalRate(limit)
    let burst = max(limit.burst, 8 * smallestBurst(rate / 8))
    return [
      "max-rate": String(rate), "min-rate": String(rate),
      // The kernel keeps a burst as time in 32 bits of 64 ns, and ovs-vswitchd as 32 bits of bytes.
      "burst": String(min(burst, rate * 200, 8 * UInt64(UInt32.max))),
    ]
  }

  /// Bytes per second of the class that ovs-vswitchd makes of the queue on the host end.
  var hostRate: UInt64? { bandwidth.ingress.map { Self.hierarchicalRate($0) / 8 } }

  /// The number of the class that ovs-vswitchd makes of queue 0.
  static let queueClass: UInt32 = 1

  /// ovs-vswitchd keeps rates as 32 bits of bytes a second.
  private static func hierarchicalRate(_ limit: Bandwidth.Limit) -> UInt64 {
    min(limit.rate, 8 * UInt64(UInt32.max))
  }

  // MARK: - From the container

  /// The token bucket on the container end.
  var containerBucket: TokenBucket? {
    bandwidth.egress.map { limit in
      let rate = limit.rate / 8
      let burst = max(limit.burst / 8, smallestBurst(rate))
      return TokenBucket(
        rate: rate, burst: UInt32(clamping: burst),
        // As the reference `bandwidth` plugin: what 25 ms let through, and a burst.
        limit: UInt32(clamping: burst + max(rate / 40, 2 * frame)))
    }
  }

  /// `Interface.ingress_policing_rate` in kilobits per second; 0 where there is no limit.
  func policingRate(_ datapath: DatapathType?) -> Int64 {
    guard datapath == .system, let limit = bandwidth.egress else { return 0 }
    return Int64(min((limit.rate + 999) / 1000, UInt64(UInt32.max)))
  }

  /// `Interface.ingress_policing_burst` in kilobits; 0 where there is no limit.
  ///
  /// What the token bucket lets pass must pass, and a packet that is cut into frames later on
  /// counts as a whole: up to 64 KiB at once. With less TCP comes to a halt.
  func policingBurst(_ datapath: DatapathType?) -> Int64 {
    guard datapath == .system, let limit = bandwidth.egress else { return 0 }
    return Int64(min(max((limit.burst + 999) / 1000, 1000), UInt64(UInt32.max)))
  }
}

extension Plan {
  /// Nil where nothing is limited.
  var rates: Rates? { Rates(configuration.bandwidth, mtu: mtu) }
}
