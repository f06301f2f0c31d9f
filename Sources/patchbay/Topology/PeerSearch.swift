import Linux
import Netlink

/// Finds the other ends of veth pairs, in the namespaces that have names.
final class PeerSearch {
  private let host: HostReading
  /// By the path of the namespace; read when the first is asked for.
  private lazy var places: [(path: String, links: [Link])] = read()

  init(_ host: HostReading) { self.host = host }

  /// The other end of a veth pair.
  struct Place {
    let name: String
    /// The namespace; nil for this one.
    let path: String?

    /// `eth0 in /run/netns/ns1`
    var text: String { "\(name) in \(path ?? "this namespace")" }
  }

  /// Where the other end of `link` is; nil where it is in no such namespace, or in one that is
  /// unknown.
  func place(of link: Link) -> Place? {
    guard link.kind == "veth", let index = link.peerIndex else { return nil }
    if link.peerNamespaceID == nil, let peer = host.links.first(where: { $0.index == index }) {
      return Place(name: peer.name, path: nil)
    }
    // Indices are of their namespace: two pairs may have the same.
    let found = places.flatMap { place in
      place.links.filter { $0.index == index && $0.peerIndex == link.index && $0.kind == "veth" }
        .map { Place(name: $0.name, path: place.path) }
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
