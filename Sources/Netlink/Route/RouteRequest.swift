public import Addresses

/// What the kernel is asked for, as errors name it.
public enum RouteRequest: Hashable, Sendable, CustomStringConvertible {
  /// Make a socket.
  case open
  /// Make a veth pair: the end here, and the other.
  case addVeth(String, peer: String)
  /// Change a link.
  case setLink(LinkReference)
  /// Give the link with this index another name.
  case renameLink(Int32, to: String)
  /// Keep a link from answering ARP and from making itself addresses.
  case silenceLink(LinkReference)
  /// Let the kernel announce the addresses of the link with this index.
  case enableAnnouncements(on: Int32)
  /// Have the kernel announce the addresses of the link with this index.
  case announceAddresses(of: Int32)
  /// Have the driver of the link with this index run an XDP program.
  case attachProgram(Int32)
  /// Delete a link.
  case deleteLink(LinkReference)
  /// Delete the links of a link group.
  case deleteLinks(inGroup: UInt32)
  /// Read a link.
  case readLink(LinkReference)
  /// List links.
  case listLinks
  /// Give an address to the link with this index.
  case addAddress(IPPrefix, to: Int32)
  /// Take an address from the link with this index.
  case deleteAddress(IPPrefix, from: Int32)
  /// List addresses, of the link with this index or of all.
  case listAddresses(of: Int32?)
  /// Add a route.
  case addRoute(Route)
  /// Delete a route.
  case deleteRoute(Route)
  /// List the routes of a family.
  case listRoutes(IPAddress.Family)
  /// Find how a packet would be sent.
  case findRoute(to: IPAddress)
  /// List the neighbours that are known on the link with this index.
  case listNeighbours(of: Int32)
  /// Ask by which number a namespace is known.
  case findNamespace
  /// Read the TX checksum offload of a link.
  case readChecksumOffload(String)
  /// Switch the TX checksum offload of a link.
  case setChecksumOffload(String, Bool)
  /// Hold back what leaves the link with this index.
  case limitLink(Int32)
  /// Read what holds back what leaves the link with this index.
  case readDiscipline(Int32)
  /// Find whether there are queueing disciplines of this kind.
  case testDiscipline(String)
  /// Find whether there are actions of this kind.
  case testAction(String)

  /// What was attempted: `add veth link "veth1"`. The caller names a link of which the index alone
  /// is known here: `cannot configure interface "eth0": add address 10.1.0.2/24: …`
  public var description: String {
    switch self {
    case .open: "open a netlink socket"
    case .addVeth(let name, _): "add veth link \"\(name)\""
    case .setLink(let link): "set \(link)"
    case .renameLink(let index, let name): "rename \(LinkReference.index(index)) to \"\(name)\""
    case .silenceLink(let link): "silence \(link)"
    case .enableAnnouncements: "enable announcements"
    case .announceAddresses: "announce the addresses"
    case .attachProgram: "attach an XDP program"
    case .deleteLink(let link): "delete \(link)"
    case .deleteLinks(let group): "delete the links of group \(group)"
    case .readLink(let link): "read \(link)"
    case .listLinks: "list links"
    case .addAddress(let prefix, _): "add address \(prefix)"
    case .deleteAddress(let prefix, _): "delete address \(prefix)"
    case .listAddresses: "list addresses"
    case .addRoute(let route): "add route \(route)"
    case .deleteRoute(let route): "delete route \(route)"
    case .listRoutes(let family): "list routes of \(family == .v4 ? "IPv4" : "IPv6")"
    case .findRoute(let destination): "find the route to \(destination)"
    case .listNeighbours: "list the neighbours"
    case .findNamespace: "find the number of a network namespace"
    case .readChecksumOffload(let name): "read TX checksum offload of link \"\(name)\""
    case .setChecksumOffload(let name, let on):
      "switch TX checksum offload of link \"\(name)\" \(on ? "on" : "off")"
    case .limitLink: "limit the rate"
    case .readDiscipline: "read the queueing discipline"
    case .testDiscipline(let kind): "look for the queueing discipline \"\(kind)\""
    case .testAction(let kind): "look for the action \"\(kind)\""
    }
  }
}
