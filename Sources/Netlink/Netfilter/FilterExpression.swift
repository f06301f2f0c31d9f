internal import CLinux

/// An instruction of the kernel's packet filter, of those that this module writes. All of them use
/// the register `NFT_REG_1`.
enum FilterExpression: Hashable {
  enum Comparison: UInt32 {
    /// `NFT_CMP_EQ`
    case equal = 0
    /// `NFT_CMP_LTE`
    case atMost = 3
    /// `NFT_CMP_GTE`
    case atLeast = 5
  }

  /// `meta load iifname`
  case loadInputName
  /// `meta load iifgroup`
  case loadInputGroup
  /// `byteorder hton`: a number of this machine becomes one that compares byte by byte.
  case toNetworkOrder
  /// Ends the rule unless the register's first bytes compare so with these.
  case compare(Comparison, [UInt8])
  /// `immediate drop`
  case drop

  private static let register = NetworkInteger(UInt32(NFT_REG_1.rawValue))

  func encode(into writer: inout AttributeWriter<FilterExpressionSpace>) {
    switch self {
    case .loadInputName: Self.load(UInt32(NFT_META_IIFNAME.rawValue), &writer)
    case .loadInputGroup: Self.load(UInt32(NFT_META_IIFGROUP.rawValue), &writer)
    case .toNetworkOrder:
      writer.put(.name, "byteorder")
      writer.nest(.byteOrder) {
        $0.put(.source, Self.register)
        $0.put(.destination, Self.register)
        $0.put(.operation, NetworkInteger(UInt32(NFT_BYTEORDER_HTON.rawValue)))
        $0.put(.length, NetworkInteger(4))
        $0.put(.size, NetworkInteger(4))
      }
    case .compare(let comparison, let bytes):
      writer.put(.name, "cmp")
      writer.nest(.comparison) {
        $0.put(.source, Self.register)
        $0.put(.operation, NetworkInteger(comparison.rawValue))
        $0.nest(.data) { $0.put(.value, Octets(bytes)) }
      }
    case .drop:
      writer.put(.name, "immediate")
      writer.nest(.immediate) {
        $0.put(.destination, NetworkInteger(UInt32(NFT_REG_VERDICT.rawValue)))
        $0.nest(.data) {
          $0.nest(.verdict) { $0.put(.code, NetworkInteger(0 /* NF_DROP */)) }
        }
      }
    }
  }

  private static func load(
    _ key: UInt32, _ writer: inout AttributeWriter<FilterExpressionSpace>
  ) {
    writer.put(.name, "meta")
    writer.nest(.meta) {
      $0.put(.key, NetworkInteger(key))
      $0.put(.destination, register)
    }
  }

  /// Nil for an expression that is none of these.
  init?(_ attributes: Attributes<FilterExpressionSpace>) throws(NetlinkError) {
    switch try attributes[.name] {
    case "meta":
      guard let meta = try attributes[.meta], try meta[.destination] == Self.register else {
        return nil
      }
      switch try meta[.key]?.value {
      case UInt32(NFT_META_IIFNAME.rawValue): self = .loadInputName
      case UInt32(NFT_META_IIFGROUP.rawValue): self = .loadInputGroup
      default: return nil
      }
    case "byteorder":
      guard let order = try attributes[.byteOrder], try order[.source] == Self.register,
        try order[.destination] == Self.register,
        try order[.operation]?.value == UInt32(NFT_BYTEORDER_HTON.rawValue),
        try order[.length]?.value == 4, try order[.size]?.value == 4
      else { return nil }
      self = .toNetworkOrder
    case "cmp":
      guard let comparison = try attributes[.comparison],
        try comparison[.source] == Self.register,
        let operation = try comparison[.operation].flatMap({ Comparison(rawValue: $0.value) }),
        let value = try comparison[.data]?[.value]
      else { return nil }
      self = .compare(operation, value.bytes)
    case "immediate":
      guard let immediate = try attributes[.immediate],
        try immediate[.destination]?.value == UInt32(NFT_REG_VERDICT.rawValue),
        try immediate[.data]?[.verdict]?[.code]?.value == 0
      else { return nil }
      self = .drop
    default: return nil
    }
  }
}
