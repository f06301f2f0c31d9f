public import Addresses

/// An instruction of the kernel's packet filter, of those that this module writes.
///
/// What one loads, the next ones look at; a comparison that does not hold ends the rule, and so
/// does a load of bytes that the packet does not have.
public enum FilterExpression: Hashable, Sendable {
  /// Where bytes of a packet are counted from: `NFT_PAYLOAD_…`
  public enum Header: UInt32, Hashable, Sendable {
    /// The Ethernet header.
    case link = 0
    /// The header behind Ethernet's, and behind one tag.
    case network = 1
    /// The header of the protocol that the network header carries, behind the extension headers of
    /// IPv6. Fragments but the first have none.
    case transport = 2
  }
  /// How what was loaded compares: `NFT_CMP_…`
  public enum Comparison: UInt32, Hashable, Sendable {
    case equal = 0
    case notEqual = 1
    case less = 2
    case atMost = 3
    case greater = 4
    case atLeast = 5
  }
  /// What becomes of the packet.
  public enum Verdict: Hashable, Sendable {
    case accept
    case drop
    /// Back to the chain that jumped here.
    case `return`
    /// On to a chain, and back from it.
    case jump(String)
    /// On to a chain.
    case goTo(String)
  }

  /// A register of 16 bytes. All but what is given to an address translation use the first.
  public enum Register: UInt32, Hashable, Sendable {
    /// `NFT_REG_1`
    case first = 1
    /// `NFT_REG_2`
    case second = 2
  }

  /// `meta load iifname`
  case loadInputName
  /// `meta load oifname`
  case loadOutputName
  /// `meta load iifgroup`
  case loadInputGroup
  /// `meta load protocol`: the kind of the network header, as EtherType, of two bytes.
  case loadProtocol
  /// `meta load l4proto`: the number of the protocol that the network header carries, one byte.
  /// Where the headers are not as they should be there is none.
  case loadTransport
  /// `meta load nfproto`: whether the packet is IPv4 or IPv6, one byte.
  case loadFamily
  /// `payload load`: 1…16 bytes of the packet.
  case load(Header, offset: UInt32, count: UInt32)
  /// `exthdr load`: bytes of the extension header of IPv6 that has this number.
  case loadExtension(UInt8, offset: UInt32, count: UInt32)
  /// `byteorder hton`: a number of this machine becomes one that compares byte by byte.
  case toNetworkOrder
  /// `bitwise`: leaves of what was loaded the bits of the mask, which is as long.
  case mask([UInt8])
  /// Ends the rule unless what was loaded begins with bytes that compare so with these.
  case compare(Comparison, [UInt8])
  /// Counts the packet. `packets` has a meaning only where it was read from the kernel.
  case counter(packets: UInt64)
  /// `match conntrack`, as iptables-nft(8) writes it: one of the states `XT_CONNTRACK_STATE_…` of
  /// linux/netfilter/xt_conntrack.h. It is not read.
  case connectionState(UInt16)
  /// `immediate`: puts bytes into a register. It is not read.
  case value([UInt8], Register)
  /// `nat dnat`: the destination becomes the address of this family in the first register, and the
  /// port in the second. It is not read.
  case translateDestination(IPAddress.Family)
  /// `immediate`: ends the rule.
  case verdict(Verdict)

  /// The same without a count.
  var uncounted: FilterExpression {
    if case .counter = self { .counter(packets: 0) } else { self }
  }
}
