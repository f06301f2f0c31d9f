internal import CLinux
public import Linux

extension Batch {
  /// Keeps a link from answering ARP for any address of this host, from accepting IPv4 packets
  /// whose sender is not reached by it, and, where it has IPv6, from making itself addresses of
  /// that. It is to be without carrier: an address that it has already stays.
  ///
  /// All of it, and `alias`, is one message, of which others hear by one event.
  mutating func silenceLink(_ link: LinkReference, alias: String?, hasIPv6: Bool) {
    add(.silenceLink(link), RTM_SETLINK, link.header().bytes) {
      (writer: inout AttributeWriter<LinkSpace>) in
      writer.put(.name, link.name)
      writer.put(.alias, alias.map { Unterminated($0) })
      writer.nest(.families) {
        $0.nest(.ipv4) {
          $0.nest(.settings) {
            $0.put(.acceptsRedirects, 0)
            $0.put(.checksReversePath, 1)
            // 8: "do not reply for all local addresses".
            $0.put(.ignoreARP, 8)
          }
        }
        guard hasIPv6 else { return }
        $0.nest(.ipv6) { $0.put(.addressGeneration, UInt8(IN6_ADDR_GEN_MODE_NONE.rawValue)) }
      }
    }
  }
}

extension RouteSocket {
  /// Keeps a link that has no carrier from taking part in the networks of this host: it answers ARP
  /// for no address of this host, accepts no IPv4 packets whose sender is not reached by it, and
  /// makes itself no IPv6 addresses. An address that it has already stays.
  ///
  /// It gets `alias` in the same message, of which others hear by one event.
  public func silence(_ link: LinkReference, alias: String? = nil, until deadline: Deadline)
    throws(RouteError)
  {
    do throws(RouteError) {
      try request(until: deadline) { $0.silenceLink(link, alias: alias, hasIPv6: true) }
    } catch {
      // A kernel without IPv6 refuses the whole message, and so does a link that is too small for
      // it.
      guard error.isRefusal, error.errno?.rawValue == EAFNOSUPPORT else { throw error }
      try request(until: deadline) { $0.silenceLink(link, alias: alias, hasIPv6: false) }
    }
  }
}
