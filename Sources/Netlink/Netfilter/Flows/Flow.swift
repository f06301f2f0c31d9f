public import Addresses
internal import CLinux

/// `CTA_…` of linux/netfilter/nfnetlink_conntrack.h
enum FlowSpace {}
/// `CTA_TUPLE_…`
enum FlowTupleSpace {}
/// `CTA_IP_…`
enum FlowAddressSpace {}
/// `CTA_PROTO_…`
enum FlowProtocolSpace {}

extension Attribute where Space == FlowSpace, Value == Nested<FlowTupleSpace> {
  static var original: Self { .init(CTA_TUPLE_ORIG.rawValue, "CTA_TUPLE_ORIG") }
  static var reply: Self { .init(CTA_TUPLE_REPLY.rawValue, "CTA_TUPLE_REPLY") }
}
extension Attribute where Space == FlowSpace, Value == Octets {
  static var originalTuple: Self {
    .init(CTA_TUPLE_ORIG.rawValue | UInt32(NLA_F_NESTED), "CTA_TUPLE_ORIG")
  }
  static var identity: Self { .init(CTA_ID.rawValue, "CTA_ID") }
  static var zone: Self { .init(CTA_ZONE.rawValue, "CTA_ZONE") }
}
extension Attribute where Space == FlowTupleSpace, Value == Nested<FlowAddressSpace> {
  static var addresses: Self { .init(CTA_TUPLE_IP.rawValue, "CTA_TUPLE_IP") }
}
extension Attribute where Space == FlowTupleSpace, Value == Nested<FlowProtocolSpace> {
  static var transport: Self { .init(CTA_TUPLE_PROTO.rawValue, "CTA_TUPLE_PROTO") }
}
extension Attribute where Space == FlowAddressSpace, Value == IPAddress {
  static var source4: Self { .init(CTA_IP_V4_SRC.rawValue, "CTA_IP_V4_SRC") }
  static var source6: Self { .init(CTA_IP_V6_SRC.rawValue, "CTA_IP_V6_SRC") }
  static var destination4: Self { .init(CTA_IP_V4_DST.rawValue, "CTA_IP_V4_DST") }
  static var destination6: Self { .init(CTA_IP_V6_DST.rawValue, "CTA_IP_V6_DST") }
}
extension Attribute where Space == FlowProtocolSpace, Value == UInt8 {
  static var number: Self { .init(CTA_PROTO_NUM.rawValue, "CTA_PROTO_NUM") }
}
extension Attribute where Space == FlowProtocolSpace, Value == BigEndian<UInt16> {
  static var destinationPort: Self { .init(CTA_PROTO_DST_PORT.rawValue, "CTA_PROTO_DST_PORT") }
}

/// A flow that the kernel tracks: it keeps the addresses that it had when it began.
public struct Flow: Hashable, Sendable, CustomStringConvertible {
  /// `IPPROTO_…`
  public let transport: UInt8
  /// The address that its first packet was sent to.
  public let destination: IPAddress
  /// The port that its first packet was sent to.
  public let destinationPort: UInt16
  /// The address that replies come from.
  public let replySource: IPAddress
  /// `CTA_TUPLE_ORIG`, by which the kernel finds it again.
  let tuple: Octets
  /// `CTA_ID`: another flow with the same tuple has another.
  let identity: Octets?
  let zone: Octets?

  /// `17 to 192.0.2.1 53, replies from 10.1.0.2`
  public var description: String {
    "\(transport) to \(destination) \(destinationPort), replies from \(replySource)"
  }

  /// Nil for a flow of a protocol without ports.
  init?(_ body: ArraySlice<UInt8>) throws(NetlinkError) {
    let attributes = try Attributes<FlowSpace>(body)
    guard let original = try attributes[.original], let reply = try attributes[.reply],
      let transport = try original[.transport], let number = try transport[.number],
      let port = try transport[.destinationPort], let addresses = try original[.addresses],
      let replies = try reply[.addresses],
      let tuple = attributes.payload(UInt16(CTA_TUPLE_ORIG.rawValue))
    else { return nil }
    let (destination4, source4) = (try addresses[.destination4], try replies[.source4])
    let (destination6, source6) = (try addresses[.destination6], try replies[.source6])
    guard let destination = destination4 ?? destination6, let source = source4 ?? source6 else {
      return nil
    }
    self.transport = number
    self.destination = destination
    destinationPort = port.value
    replySource = source
    self.tuple = Octets(tuple)
    identity = try attributes[.identity]
    zone = try attributes[.zone]
  }
}
