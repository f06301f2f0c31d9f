internal import Addresses
internal import Linux
internal import Netlink

// Flows of protocols that have no connections: the kernel goes on to send what a client sends where
// it sent it before, as long as the client keeps its port.

extension PortFirewall {
  /// Has the kernel forget flows to these ports that lead to something else than their container:
  /// to the host itself, or to a container that had the port before.
  public borrowing func forgetFlows(before ports: [PublishedPort]) throws(PublishedPortsError) {
    try forgetFlows(ports) { $0.replySource != $1.container }
  }

  /// Has the kernel forget flows to these ports that lead to their container, which is gone.
  public borrowing func forgetFlows(after ports: [PublishedPort]) throws(PublishedPortsError) {
    try forgetFlows(ports) { $0.replySource == $1.container }
  }

  private borrowing func forgetFlows(
    _ ports: [PublishedPort], where isStale: (Flow, PublishedPort) -> Bool
  ) throws(PublishedPortsError) {
    let lasting = ports.filter { $0.transport.hasLastingFlows }
    for family in Set(lasting.map { $0.family }) {
      let own = lasting.filter { $0.family == family }
      let stale: [Flow]
      do throws(FilterError) {
        stale = try socket.flows(
          family, transports: Set(own.map { $0.transport.number }),
          to: Set(own.map { $0.hostPort }), until: deadline
        ).filter { flow in
          own.contains {
            $0.transport.number == flow.transport && $0.hostPort == flow.destinationPort
              && ($0.isOfAllAddresses || $0.host == flow.destination) && isStale(flow, $0)
          }
        }
      } catch { throw .netfilter(error) }
      guard !stale.isEmpty else { continue }
      // Flows through the host to the same port of others are none of these.
      var local: Set<IPAddress> = []
      do throws(RouteError) {
        local = Set(try RouteSocket().addresses(until: deadline).map { $0.prefix.address })
      } catch { throw .route(error) }
      for flow in stale
      where local.contains(flow.destination) || flow.destination.bytes.first == 127 {
        do { try socket.delete(flow, until: deadline) } catch { throw .netfilter(error) }
      }
    }
  }
}
