internal import CLinux

// The attributes of nf_tables: `linux/netfilter/nf_tables.h`. Its numbers are in network byte
// order.

/// `NFTA_TABLE_…`
enum FilterTableSpace {}
/// `NFTA_CHAIN_…`
enum FilterChainSpace {}
/// `NFTA_HOOK_…`
enum FilterHookSpace {}
/// `NFTA_RULE_…`
enum FilterRuleSpace {}
/// `NFTA_LIST_…`
enum FilterListSpace {}
/// `NFTA_EXPR_…`
enum FilterExpressionSpace {}
/// What `NFTA_EXPR_DATA` holds: attributes of the expression's own kind.
enum FilterOperandSpace {}
/// `NFTA_DATA_…`
enum FilterDataSpace {}
/// `NFTA_VERDICT_…`
enum FilterVerdictSpace {}

extension Attribute where Space == FilterTableSpace, Value == String {
  static var name: Self { .init(NFTA_TABLE_NAME.rawValue, "NFTA_TABLE_NAME") }
}
extension Attribute where Space == FilterTableSpace, Value == NetworkInteger {
  /// `NFT_TABLE_F_…`; 1 is a table that is switched off.
  static var flags: Self { .init(NFTA_TABLE_FLAGS.rawValue, "NFTA_TABLE_FLAGS") }
  /// How many chains it has, and sets and objects.
  static var uses: Self { .init(NFTA_TABLE_USE.rawValue, "NFTA_TABLE_USE") }
}
extension Attribute where Space == FilterTableSpace, Value == Octets {
  /// What the kernel keeps for its owner.
  static var userData: Self { .init(NFTA_TABLE_USERDATA.rawValue, "NFTA_TABLE_USERDATA") }
}
extension Attribute where Space == FilterChainSpace, Value == String {
  static var table: Self { .init(NFTA_CHAIN_TABLE.rawValue, "NFTA_CHAIN_TABLE") }
  static var name: Self { .init(NFTA_CHAIN_NAME.rawValue, "NFTA_CHAIN_NAME") }
  static var type: Self { .init(NFTA_CHAIN_TYPE.rawValue, "NFTA_CHAIN_TYPE") }
}
extension Attribute where Space == FilterChainSpace, Value == NetworkInteger {
  /// What becomes of a packet that no rule decides: 0 is drop, 1 accept.
  static var policy: Self { .init(NFTA_CHAIN_POLICY.rawValue, "NFTA_CHAIN_POLICY") }
  /// How many rules it has, and how many rules and elements lead to it.
  static var uses: Self { .init(NFTA_CHAIN_USE.rawValue, "NFTA_CHAIN_USE") }
}
extension Attribute where Space == FilterChainSpace, Value == Nested<FilterHookSpace> {
  static var hook: Self { .init(NFTA_CHAIN_HOOK.rawValue, "NFTA_CHAIN_HOOK") }
}
extension Attribute where Space == FilterHookSpace, Value == NetworkInteger {
  static var number: Self { .init(NFTA_HOOK_HOOKNUM.rawValue, "NFTA_HOOK_HOOKNUM") }
  static var priority: Self { .init(NFTA_HOOK_PRIORITY.rawValue, "NFTA_HOOK_PRIORITY") }
}
extension Attribute where Space == FilterHookSpace, Value == String {
  static var device: Self { .init(NFTA_HOOK_DEV.rawValue, "NFTA_HOOK_DEV") }
}
extension Attribute where Space == FilterRuleSpace, Value == String {
  static var table: Self { .init(NFTA_RULE_TABLE.rawValue, "NFTA_RULE_TABLE") }
  static var chain: Self { .init(NFTA_RULE_CHAIN.rawValue, "NFTA_RULE_CHAIN") }
}
extension Attribute where Space == FilterRuleSpace, Value == BigEndian<UInt64> {
  static var handle: Self { .init(NFTA_RULE_HANDLE.rawValue, "NFTA_RULE_HANDLE") }
}
extension Attribute where Space == FilterRuleSpace, Value == Nested<FilterListSpace> {
  static var expressions: Self { .init(NFTA_RULE_EXPRESSIONS.rawValue, "NFTA_RULE_EXPRESSIONS") }
}
extension Attribute where Space == FilterRuleSpace, Value == Octets {
  static var userData: Self { .init(NFTA_RULE_USERDATA.rawValue, "NFTA_RULE_USERDATA") }
}
extension Attribute where Space == FilterListSpace, Value == Nested<FilterExpressionSpace> {
  static var element: Self { .init(NFTA_LIST_ELEM.rawValue, "NFTA_LIST_ELEM") }
}
extension Attribute where Space == FilterExpressionSpace, Value == String {
  static var name: Self { .init(NFTA_EXPR_NAME.rawValue, "NFTA_EXPR_NAME") }
}
extension Attribute where Space == FilterExpressionSpace, Value == Nested<FilterOperandSpace> {
  static var operands: Self { .init(NFTA_EXPR_DATA.rawValue, "NFTA_EXPR_DATA") }
}
extension Attribute where Space == FilterDataSpace, Value == Octets {
  static var value: Self { .init(NFTA_DATA_VALUE.rawValue, "NFTA_DATA_VALUE") }
}
extension Attribute where Space == FilterDataSpace, Value == Nested<FilterVerdictSpace> {
  static var verdict: Self { .init(NFTA_DATA_VERDICT.rawValue, "NFTA_DATA_VERDICT") }
}
extension Attribute where Space == FilterVerdictSpace, Value == NetworkInteger {
  static var code: Self { .init(NFTA_VERDICT_CODE.rawValue, "NFTA_VERDICT_CODE") }
}
extension Attribute where Space == FilterVerdictSpace, Value == String {
  static var chain: Self { .init(NFTA_VERDICT_CHAIN.rawValue, "NFTA_VERDICT_CHAIN") }
}

/// A number in network byte order, which most of nfnetlink uses.
struct BigEndian<Number: FixedWidthInteger & Sendable>: AttributeValue, Hashable {
  let value: Number

  init(_ value: Number) { self.value = value }
  func encode(into bytes: inout [UInt8]) { bytes.append(native: value.bigEndian) }
  init?(decoding payload: Span<UInt8>) {
    guard let value = Number(decoding: payload) else { return nil }
    self.value = Number(bigEndian: value)
  }
}
/// A number of 32 bits in network byte order.
typealias NetworkInteger = BigEndian<UInt32>

/// Bytes as they are.
struct Octets: AttributeValue, Hashable {
  let bytes: [UInt8]

  init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }
  func encode(into bytes: inout [UInt8]) { bytes += self.bytes }
  init?(decoding payload: Span<UInt8>) { bytes = payload.octets }
}
