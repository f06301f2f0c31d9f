public import Addresses
internal import CLinux

extension Batch {
  /// Gives `prefix` to the link with `index`. One that it has already is refused with `EEXIST`.
  ///
  /// Without duplicate address detection (RFC 4862 §5.4), an IPv6 address can be used at once.
  /// As `ip address add` does without `brd`, no broadcast address is set.
  public mutating func addAddress(
    _ prefix: IPPrefix, to index: Int32, detectsDuplicates: Bool = true, scope: Scope = .universe
  ) {
    let flags = prefix.address.isIPv6 && !detectsDuplicates ? UInt8(IFA_F_NODAD) : 0
    let header = AddressHeader(
      family: prefix.address.family.number, length: prefix.length, flags: flags,
      scope: scope.rawValue, index: index)
    add(
      .addAddress(prefix, to: index), RTM_NEWADDR, flags: NLM_F_CREATE | NLM_F_EXCL, header.bytes
    ) { (writer: inout AttributeWriter<AddressSpace>) in
      writer.put(.local, prefix.address)
      writer.put(.address, prefix.address)
    }
  }

  /// Takes `prefix` from the link with `index`. One that it does not have is refused with
  /// `EADDRNOTAVAIL`.
  public mutating func deleteAddress(_ prefix: IPPrefix, from index: Int32) {
    let header = AddressHeader(
      family: prefix.address.family.number, length: prefix.length, index: index)
    add(.deleteAddress(prefix, from: index), RTM_DELADDR, header.bytes) {
      (writer: inout AttributeWriter<AddressSpace>) in
      writer.put(.local, prefix.address)
      writer.put(.address, prefix.address)
    }
  }

  /// Adds `route` after those to the same destination that are there. The same route again is
  /// refused with `EEXIST`.
  public mutating func addRoute(_ route: Route) {
    add(
      .addRoute(route), RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_APPEND, route.header().bytes
    ) { route.encode(into: &$0) }
  }

  /// Deletes the first route that has all that `route` says. If there is none: `ESRCH`.
  public mutating func deleteRoute(_ route: Route) {
    add(.deleteRoute(route), RTM_DELROUTE, route.header(isPattern: true).bytes) {
      route.encode(into: &$0)
    }
  }
}
