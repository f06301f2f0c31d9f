import Linux
import Netlink

/// Finds the other ends of veth pairs that were made by hand, in the namespaces that have names.
final class PeerSearch {
  private let host: HostReading
  /// By the path of the namespace; read when the first is asked for.
  private lazy var places: [(path: String, links: [Link])] = read()

  init(_ host: HostReading) { self.host = host }

  /// `eth0 in /run/netns/ns1`; nil where it is in no such namespace, or in one that is unknown.
  func place(of link: Link) -> String? {
    guard link.kind == "veth", let index = link.peerIndex else { return nil }
    if link.peerNamespaceID == nil, let peer = host.links.first(where: { $0.index == index }) {
      return "\(peer.name) in this namespace"
    }
    // Indices are of their namespace: two pairs may have the same.
    let found = places.flatMap { place in
      place.links.filter { $0.index == index && $0.peerIndex == link.index && $0.kind == "veth" }
        .map { "\($0.name) in \(place.path)" }
    }
    return found.count == 1 ? found[0] : nil
  }

  private func read() -> [(path: String, links: [Link])] {
    let directory = "/run/netns"
    guard let names = try? Directory(path: directory).names() else { return [] }
    return names.sorted().compactMap { name in
      let path = "\(directory)/\(name)"
      guard let namespace = try? NetworkNamespace(path: path),
        let links = try? RouteSocket(in: namespace).links(until: host.deadline)
      else { return nil }
      return (path: path, links: links)
    }
  }
}
