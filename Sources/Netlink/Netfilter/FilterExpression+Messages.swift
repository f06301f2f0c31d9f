internal import Addresses
internal import CLinux

extension FilterExpression {
  /// The register of 16 bytes that all of them use.
  private static let register = NetworkInteger(Register.first.rawValue)

  private var name: String {
    switch self {
    case .loadInputName, .loadOutputName, .loadInputGroup, .loadProtocol, .loadTransport,
      .loadFamily:
      "meta"
    case .load: "payload"
    case .loadExtension: "exthdr"
    case .toNetworkOrder: "byteorder"
    case .mask: "bitwise"
    case .compare: "cmp"
    case .counter: "counter"
    case .connectionState: "match"
    case .value, .verdict: "immediate"
    case .translateDestination: "nat"
    }
  }

  /// `NFT_META_…` of those that load such a thing; nil for the others.
  private var metaKey: UInt32? {
    switch self {
    case .loadInputName: UInt32(NFT_META_IIFNAME.rawValue)
    case .loadOutputName: UInt32(NFT_META_OIFNAME.rawValue)
    case .loadInputGroup: UInt32(NFT_META_IIFGROUP.rawValue)
    case .loadProtocol: UInt32(NFT_META_PROTOCOL.rawValue)
    case .loadTransport: UInt32(NFT_META_L4PROTO.rawValue)
    case .loadFamily: UInt32(NFT_META_NFPROTO.rawValue)
    default: nil
    }
  }

  func encode(into writer: inout AttributeWriter<FilterExpressionSpace>) {
    writer.put(.name, name)
    writer.nest(.operands) { encodeOperands(&$0) }
  }

  private func encodeOperands(_ writer: inout AttributeWriter<FilterOperandSpace>) {
    switch self {
    case .loadInputName, .loadOutputName, .loadInputGroup, .loadProtocol, .loadTransport,
      .loadFamily:
      writer.put(.metaKey, metaKey.map { NetworkInteger($0) })
      writer.put(.metaDestination, Self.register)
    case .load(let header, let offset, let count):
      writer.put(.payloadDestination, Self.register)
      writer.put(.payloadBase, NetworkInteger(header.rawValue))
      writer.put(.payloadOffset, NetworkInteger(offset))
      writer.put(.payloadLength, NetworkInteger(count))
    case .loadExtension(let type, let offset, let count):
      writer.put(.extensionDestination, Self.register)
      writer.put(.extensionType, type)
      writer.put(.extensionOffset, NetworkInteger(offset))
      writer.put(.extensionLength, NetworkInteger(count))
    case .toNetworkOrder:
      writer.put(.orderSource, Self.register)
      writer.put(.orderDestination, Self.register)
      writer.put(.orderOperation, NetworkInteger(UInt32(NFT_BYTEORDER_HTON.rawValue)))
      writer.put(.orderLength, NetworkInteger(4))
      writer.put(.orderSize, NetworkInteger(4))
    case .mask(let mask):
      writer.put(.maskSource, Self.register)
      writer.put(.maskDestination, Self.register)
      writer.put(.maskLength, NetworkInteger(UInt32(truncatingIfNeeded: mask.count)))
      writer.nest(.maskBits) { $0.put(.value, Octets(mask)) }
      let none = [UInt8](repeating: 0, count: mask.count)
      writer.nest(.maskFlip) { $0.put(.value, Octets(none)) }
    case .compare(let comparison, let bytes):
      writer.put(.comparisonSource, Self.register)
      writer.put(.comparison, NetworkInteger(comparison.rawValue))
      writer.nest(.comparisonData) { $0.put(.value, Octets(bytes)) }
    case .counter: break
    case .connectionState(let states):
      // `struct xt_conntrack_mtinfo3`: eight addresses and two times that are not compared, five
      // numbers likewise, then the flags XT_CONNTRACK_STATE, none inverted, and the states.
      var information = [UInt8](repeating: 0, count: 146)
      information.append(native: UInt16(1))
      information.append(native: UInt16(0))
      information.append(native: states)
      information += [UInt8](repeating: 0, count: 168 - information.count)
      writer.put(.matchName, "conntrack")
      writer.put(.matchRevision, NetworkInteger(3))
      writer.put(.matchInformation, Octets(information))
    case .verdict(let verdict):
      writer.put(.immediateDestination, NetworkInteger(UInt32(NFT_REG_VERDICT.rawValue)))
      writer.nest(.immediateData) {
        $0.nest(.verdict) { verdict.encode(into: &$0) }
      }
    case .value(let bytes, let register):
      writer.put(.immediateDestination, NetworkInteger(register.rawValue))
      writer.nest(.immediateData) { $0.put(.value, Octets(bytes)) }
    case .translateDestination(let family):
      writer.put(.natType, NetworkInteger(UInt32(NFT_NAT_DNAT.rawValue)))
      writer.put(.natFamily, NetworkInteger(UInt32(family.number)))
      writer.put(.natAddress, NetworkInteger(Register.first.rawValue))
      writer.put(.natPort, NetworkInteger(Register.second.rawValue))
      // NF_NAT_RANGE_PROTO_SPECIFIED
      writer.put(.natFlags, NetworkInteger(2))
    }
  }

  /// Nil for an expression that is none of these.
  init?(_ attributes: Attributes<FilterExpressionSpace>) throws(NetlinkError) {
    guard let operands = try attributes[.operands] else { return nil }
    let found: FilterExpression? =
      switch try attributes[.name] {
      case "meta": try Self.meta(operands)
      case "payload": try Self.payload(operands)
      case "exthdr": try Self.extensionHeader(operands)
      case "byteorder": try Self.byteOrder(operands)
      case "bitwise": try Self.bitwise(operands)
      case "cmp": try Self.comparison(operands)
      case "counter": .counter(packets: try operands[.packets]?.value ?? 0)
      case "immediate": try Self.immediate(operands)
      default: nil
      }
    guard let found else { return nil }
    self = found
  }

  private typealias Operands = Attributes<FilterOperandSpace>

  private static func meta(_ operands: Operands) throws(NetlinkError) -> FilterExpression? {
    guard try operands[.metaDestination] == register, let key = try operands[.metaKey]?.value else {
      return nil
    }
    let all: [FilterExpression] = [
      .loadInputName, .loadOutputName, .loadInputGroup, .loadProtocol, .loadTransport,
      .loadFamily,
    ]
    return all.first { $0.metaKey == key }
  }

  private static func payload(_ operands: Operands) throws(NetlinkError) -> FilterExpression? {
    guard try operands[.payloadDestination] == register,
      let base = try operands[.payloadBase]?.value, let header = Header(rawValue: base),
      let offset = try operands[.payloadOffset]?.value,
      let count = try operands[.payloadLength]?.value
    else { return nil }
    return .load(header, offset: offset, count: count)
  }

  private static func extensionHeader(_ operands: Operands) throws(NetlinkError)
    -> FilterExpression?
  {
    guard try operands[.extensionDestination] == register,
      try operands[.extensionFlags]?.value ?? 0 == 0,
      try operands[.extensionOperation]?.value ?? 0 == 0,
      let type = try operands[.extensionType], let offset = try operands[.extensionOffset]?.value,
      let count = try operands[.extensionLength]?.value
    else { return nil }
    return .loadExtension(type, offset: offset, count: count)
  }

  private static func byteOrder(_ operands: Operands) throws(NetlinkError) -> FilterExpression? {
    guard try operands[.orderSource] == register, try operands[.orderDestination] == register,
      try operands[.orderOperation]?.value == UInt32(NFT_BYTEORDER_HTON.rawValue),
      try operands[.orderLength]?.value == 4, try operands[.orderSize]?.value == 4
    else { return nil }
    return .toNetworkOrder
  }

  private static func bitwise(_ operands: Operands) throws(NetlinkError) -> FilterExpression? {
    guard try operands[.maskOperation]?.value ?? 0 == 0,
      try operands[.maskSource] == register, try operands[.maskDestination] == register,
      let mask = try operands[.maskBits]?[.value]?.bytes,
      let flip = try operands[.maskFlip]?[.value]?.bytes, flip.allSatisfy({ $0 == 0 })
    else { return nil }
    return .mask(mask)
  }

  private static func comparison(_ operands: Operands) throws(NetlinkError) -> FilterExpression? {
    guard try operands[.comparisonSource] == register,
      let operation = try operands[.comparison]?.value,
      let comparison = Comparison(rawValue: operation),
      let value = try operands[.comparisonData]?[.value]
    else { return nil }
    return .compare(comparison, value.bytes)
  }

  private static func immediate(_ operands: Operands) throws(NetlinkError) -> FilterExpression? {
    guard try operands[.immediateDestination]?.value == UInt32(NFT_REG_VERDICT.rawValue),
      let attributes = try operands[.immediateData]?[.verdict],
      let code = try attributes[.code]?.value
    else { return nil }
    let verdict = Verdict(Int32(bitPattern: code), try attributes[.chain])
    return verdict.map { .verdict($0) }
  }
}

extension FilterExpression.Verdict {
  func encode(into writer: inout AttributeWriter<FilterVerdictSpace>) {
    writer.put(.code, NetworkInteger(UInt32(bitPattern: code)))
    writer.put(.chain, chain)
  }

  /// `NF_…` of linux/netfilter.h, `NFT_…` of linux/netfilter/nf_tables.h
  fileprivate var code: Int32 {
    switch self {
    case .accept: 1
    case .drop: 0
    case .return: -5
    case .jump: -3
    case .goTo: -4
    }
  }

  fileprivate var chain: String? {
    switch self {
    case .jump(let chain), .goTo(let chain): chain
    case .accept, .drop, .return: nil
    }
  }

  fileprivate init?(_ code: Int32, _ chain: String?) {
    switch (code, chain) {
    case (1, nil): self = .accept
    case (0, nil): self = .drop
    case (-5, nil): self = .return
    case (-3, let chain?): self = .jump(chain)
    case (-4, let chain?): self = .goTo(chain)
    default: return nil
    }
  }
}
