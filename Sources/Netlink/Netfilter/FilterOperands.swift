internal import CLinux

// The attributes of each kind of expression. Each kind counts its own from 1.

extension Attribute where Space == FilterOperandSpace, Value == NetworkInteger {
  static var metaDestination: Self { .init(NFTA_META_DREG.rawValue, "NFTA_META_DREG") }
  static var metaKey: Self { .init(NFTA_META_KEY.rawValue, "NFTA_META_KEY") }

  static var payloadDestination: Self { .init(NFTA_PAYLOAD_DREG.rawValue, "NFTA_PAYLOAD_DREG") }
  static var payloadBase: Self { .init(NFTA_PAYLOAD_BASE.rawValue, "NFTA_PAYLOAD_BASE") }
  /// Bytes.
  static var payloadOffset: Self { .init(NFTA_PAYLOAD_OFFSET.rawValue, "NFTA_PAYLOAD_OFFSET") }
  /// Bytes.
  static var payloadLength: Self { .init(NFTA_PAYLOAD_LEN.rawValue, "NFTA_PAYLOAD_LEN") }

  static var extensionDestination: Self { .init(NFTA_EXTHDR_DREG.rawValue, "NFTA_EXTHDR_DREG") }
  /// Bytes.
  static var extensionOffset: Self { .init(NFTA_EXTHDR_OFFSET.rawValue, "NFTA_EXTHDR_OFFSET") }
  /// Bytes.
  static var extensionLength: Self { .init(NFTA_EXTHDR_LEN.rawValue, "NFTA_EXTHDR_LEN") }
  static var extensionFlags: Self { .init(NFTA_EXTHDR_FLAGS.rawValue, "NFTA_EXTHDR_FLAGS") }
  /// `NFT_EXTHDR_OP_…`; 0 is IPv6.
  static var extensionOperation: Self { .init(NFTA_EXTHDR_OP.rawValue, "NFTA_EXTHDR_OP") }

  static var orderSource: Self { .init(NFTA_BYTEORDER_SREG.rawValue, "NFTA_BYTEORDER_SREG") }
  static var orderDestination: Self { .init(NFTA_BYTEORDER_DREG.rawValue, "NFTA_BYTEORDER_DREG") }
  static var orderOperation: Self { .init(NFTA_BYTEORDER_OP.rawValue, "NFTA_BYTEORDER_OP") }
  /// Bytes.
  static var orderLength: Self { .init(NFTA_BYTEORDER_LEN.rawValue, "NFTA_BYTEORDER_LEN") }
  /// Bytes of one number.
  static var orderSize: Self { .init(NFTA_BYTEORDER_SIZE.rawValue, "NFTA_BYTEORDER_SIZE") }

  static var maskSource: Self { .init(NFTA_BITWISE_SREG.rawValue, "NFTA_BITWISE_SREG") }
  static var maskDestination: Self { .init(NFTA_BITWISE_DREG.rawValue, "NFTA_BITWISE_DREG") }
  /// Bytes.
  static var maskLength: Self { .init(NFTA_BITWISE_LEN.rawValue, "NFTA_BITWISE_LEN") }
  /// `NFT_BITWISE_…`; 0 is with a mask.
  static var maskOperation: Self { .init(NFTA_BITWISE_OP.rawValue, "NFTA_BITWISE_OP") }

  static var comparisonSource: Self { .init(NFTA_CMP_SREG.rawValue, "NFTA_CMP_SREG") }
  static var comparison: Self { .init(NFTA_CMP_OP.rawValue, "NFTA_CMP_OP") }

  /// `NFT_NAT_…`
  static var natType: Self { .init(NFTA_NAT_TYPE.rawValue, "NFTA_NAT_TYPE") }
  /// `NFPROTO_…`
  static var natFamily: Self { .init(NFTA_NAT_FAMILY.rawValue, "NFTA_NAT_FAMILY") }
  /// The register that has the first address.
  static var natAddress: Self { .init(NFTA_NAT_REG_ADDR_MIN.rawValue, "NFTA_NAT_REG_ADDR_MIN") }
  /// The register that has the first port.
  static var natPort: Self { .init(NFTA_NAT_REG_PROTO_MIN.rawValue, "NFTA_NAT_REG_PROTO_MIN") }
  /// `NF_NAT_RANGE_…` of linux/netfilter/nf_nat.h
  static var natFlags: Self { .init(NFTA_NAT_FLAGS.rawValue, "NFTA_NAT_FLAGS") }

  static var immediateDestination: Self {
    .init(NFTA_IMMEDIATE_DREG.rawValue, "NFTA_IMMEDIATE_DREG")
  }
}
extension Attribute where Space == FilterOperandSpace, Value == UInt8 {
  /// The number of the header.
  static var extensionType: Self { .init(NFTA_EXTHDR_TYPE.rawValue, "NFTA_EXTHDR_TYPE") }
}
extension Attribute where Space == FilterOperandSpace, Value == BigEndian<UInt64> {
  static var packets: Self { .init(NFTA_COUNTER_PACKETS.rawValue, "NFTA_COUNTER_PACKETS") }
}
extension Attribute where Space == FilterOperandSpace, Value == Nested<FilterDataSpace> {
  static var maskBits: Self { .init(NFTA_BITWISE_MASK.rawValue, "NFTA_BITWISE_MASK") }
  /// The bits that change.
  static var maskFlip: Self { .init(NFTA_BITWISE_XOR.rawValue, "NFTA_BITWISE_XOR") }
  static var comparisonData: Self { .init(NFTA_CMP_DATA.rawValue, "NFTA_CMP_DATA") }
  static var immediateData: Self { .init(NFTA_IMMEDIATE_DATA.rawValue, "NFTA_IMMEDIATE_DATA") }
}

// Matches of iptables(8): `linux/netfilter/nf_tables_compat.h`.

extension Attribute where Space == FilterOperandSpace, Value == String {
  static var matchName: Self { .init(NFTA_MATCH_NAME.rawValue, "NFTA_MATCH_NAME") }
}
extension Attribute where Space == FilterOperandSpace, Value == NetworkInteger {
  static var matchRevision: Self { .init(NFTA_MATCH_REV.rawValue, "NFTA_MATCH_REV") }
}
extension Attribute where Space == FilterOperandSpace, Value == Octets {
  static var matchInformation: Self { .init(NFTA_MATCH_INFO.rawValue, "NFTA_MATCH_INFO") }
}
