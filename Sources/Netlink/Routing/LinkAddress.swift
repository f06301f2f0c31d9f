public import Addresses
internal import CLinux

/// `struct ifaddrmsg` (rtnetlink(7)).
struct AddressHeader: Hashable {
  static let size = 8

  var family: UInt8
  var length: UInt8 = 0
  /// The lowest eight bits of `IFA_F_…`.
  var flags: UInt8 = 0
  var scope: UInt8 = 0
  var index: Int32

  var bytes: [UInt8] {
    var bytes = [family, length, flags, scope]
    bytes.append(native: index)
    return bytes
  }

  init(family: UInt8, length: UInt8 = 0, flags: UInt8 = 0, scope: UInt8 = 0, index: Int32) {
    self.family = family
    self.length = length
    self.flags = flags
    self.scope = scope
    self.index = index
  }

  init(_ body: ArraySlice<UInt8>) throws(NetlinkError) {
    guard let family: UInt8 = body.integer(at: 0), let length: UInt8 = body.integer(at: 1),
      let flags: UInt8 = body.integer(at: 2), let scope: UInt8 = body.integer(at: 3),
      let index: Int32 = body.integer(at: 4)
    else { throw .badLength(body.count, at: body.startIndex) }
    self.init(family: family, length: length, flags: flags, scope: scope, index: index)
  }
}

/// How far an address or a route reaches: `RT_SCOPE_…` of `linux/rtnetlink.h`.
public struct Scope: RawRepresentable, Hashable, Sendable {
  /// 0…255; larger is nearer.
  public let rawValue: UInt8
  /// The scope with this number.
  public init(rawValue: UInt8) { self.rawValue = rawValue }
  /// `global` of `ip`: everywhere.
  public static let universe = Scope(rawValue: 0)
  /// `site`
  public static let site = Scope(rawValue: 200)
  /// `link`: what is attached to the link.
  public static let link = Scope(rawValue: 253)
  /// `host`: this host.
  public static let host = Scope(rawValue: 254)
  /// Of a route to be deleted: whichever.
  static let nowhere = Scope(rawValue: 255)
}

/// An address of a link as the kernel reports it.
public struct LinkAddress: Hashable, Sendable {
  /// The address, and the length of its prefix.
  public let prefix: IPPrefix
  /// The address of the other end of a point-to-point link; nil if there is none.
  public let peer: IPAddress?
  /// Nil for IPv6, and where none was set.
  public let broadcast: IPAddress?
  /// The index of the link that has it.
  public let linkIndex: Int32
  /// How far it reaches.
  public let scope: Scope
  /// All of `IFA_F_…`.
  public let flags: UInt32

  /// Whether duplicate address detection (RFC 4862 §5.4) has not ended: it cannot be used yet.
  public var isTentative: Bool { flags & UInt32(IFA_F_TENTATIVE) != 0 }
  /// Whether another host was found to have it: it is not used.
  public var isDuplicate: Bool { flags & UInt32(IFA_F_DADFAILED) != 0 }
  /// Whether the kernel made it from a router advertisement (RFC 4862 §5.5).
  public var isAutomatic: Bool { !isPermanent && flags & UInt32(IFA_F_MANAGETEMPADDR) != 0 }
  /// Whether it stays until it is deleted.
  public var isPermanent: Bool { flags & UInt32(IFA_F_PERMANENT) != 0 }
}

extension LinkAddress: Reported {
  static var answerType: UInt16 { UInt16(RTM_NEWADDR) }

  static func decode(_ body: ArraySlice<UInt8>, into addresses: inout [LinkAddress])
    throws(NetlinkError)
  {
    let header = try AddressHeader(body)
    // Phonet, DECnet and others have addresses too.
    guard let family = IPAddress.Family(number: header.family) else { return }
    addresses.append(try LinkAddress(header, family, body.dropFirst(AddressHeader.size)))
  }

  private init(
    _ header: AddressHeader, _ family: IPAddress.Family, _ rest: ArraySlice<UInt8>
  ) throws(NetlinkError) {
    let attributes = try Attributes<AddressSpace>(rest)
    let remote = try attributes[.address]
    let local = try attributes[.local] ?? remote
    guard let local, local.family == family, let prefix = IPPrefix(local, length: header.length)
    else { throw .badValue(attribute: UInt16(IFA_ADDRESS), size: Int(header.length)) }
    self.prefix = prefix
    peer = remote == local ? nil : remote
    broadcast = try attributes[.broadcast]
    linkIndex = header.index
    scope = Scope(rawValue: header.scope)
    flags = try attributes[.flags] ?? UInt32(header.flags)
  }
}
