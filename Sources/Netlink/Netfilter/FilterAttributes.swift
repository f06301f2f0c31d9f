internal import CLinux

// The attributes of nf_tables: `linux/netfilter/nf_tables.h`. Its numbers are in network byte order.

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
/// `NFTA_META_…`
enum FilterMetaSpace {}
/// `NFTA_BYTEORDER_…`
enum FilterByteOrderSpace {}
/// `NFTA_CMP_…`
enum FilterComparisonSpace {}
/// `NFTA_IMMEDIATE_…`
enum FilterImmediateSpace {}
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
}
extension Attribute where Space == FilterChainSpace, Value == String {
  static var table: Self { .init(NFTA_CHAIN_TABLE.rawValue, "NFTA_CHAIN_TABLE") }
  static var name: Self { .init(NFTA_CHAIN_NAME.rawValue, "NFTA_CHAIN_NAME") }
  static var type: Self { .init(NFTA_CHAIN_TYPE.rawValue, "NFTA_CHAIN_TYPE") }
}
extension Attribute where Space == FilterChainSpace, Value == NetworkInteger {
  /// What becomes of a packet that no rule decides: 0 is drop, 1 accept.
  static var policy: Self { .init(NFTA_CHAIN_POLICY.rawValue, "NFTA_CHAIN_POLICY") }
}
extension Attribute where Space == FilterChainSpace, Value == Nested<FilterHookSpace> {
  static var hook: Self { .init(NFTA_CHAIN_HOOK.rawValue, "NFTA_CHAIN_HOOK") }
}
extension Attribute where Space == FilterHookSpace, Value == NetworkInteger {
  static var number: Self { .init(NFTA_HOOK_HOOKNUM.rawValue, "NFTA_HOOK_HOOKNUM") }
  static var priority: Self { .init(NFTA_HOOK_PRIORITY.rawValue, "NFTA_HOOK_PRIORITY") }
}
extension Attribute where Space == FilterRuleSpace, Value == String {
  static var table: Self { .init(NFTA_RULE_TABLE.rawValue, "NFTA_RULE_TABLE") }
  static var chain: Self { .init(NFTA_RULE_CHAIN.rawValue, "NFTA_RULE_CHAIN") }
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
extension Attribute where Space == FilterExpressionSpace, Value == Nested<FilterMetaSpace> {
  static var meta: Self { .init(NFTA_EXPR_DATA.rawValue, "NFTA_EXPR_DATA") }
}
extension Attribute where Space == FilterExpressionSpace, Value == Nested<FilterByteOrderSpace> {
  static var byteOrder: Self { .init(NFTA_EXPR_DATA.rawValue, "NFTA_EXPR_DATA") }
}
extension Attribute where Space == FilterExpressionSpace, Value == Nested<FilterComparisonSpace> {
  static var comparison: Self { .init(NFTA_EXPR_DATA.rawValue, "NFTA_EXPR_DATA") }
}
extension Attribute where Space == FilterExpressionSpace, Value == Nested<FilterImmediateSpace> {
  static var immediate: Self { .init(NFTA_EXPR_DATA.rawValue, "NFTA_EXPR_DATA") }
}
extension Attribute where Space == FilterMetaSpace, Value == NetworkInteger {
  static var destination: Self { .init(NFTA_META_DREG.rawValue, "NFTA_META_DREG") }
  static var key: Self { .init(NFTA_META_KEY.rawValue, "NFTA_META_KEY") }
}
extension Attribute where Space == FilterByteOrderSpace, Value == NetworkInteger {
  static var source: Self { .init(NFTA_BYTEORDER_SREG.rawValue, "NFTA_BYTEORDER_SREG") }
  static var destination: Self { .init(NFTA_BYTEORDER_DREG.rawValue, "NFTA_BYTEORDER_DREG") }
  static var operation: Self { .init(NFTA_BYTEORDER_OP.rawValue, "NFTA_BYTEORDER_OP") }
  /// Bytes.
  static var length: Self { .init(NFTA_BYTEORDER_LEN.rawValue, "NFTA_BYTEORDER_LEN") }
  /// Bytes of one number.
  static var size: Self { .init(NFTA_BYTEORDER_SIZE.rawValue, "NFTA_BYTEORDER_SIZE") }
}
extension Attribute where Space == FilterComparisonSpace, Value == NetworkInteger {
  static var source: Self { .init(NFTA_CMP_SREG.rawValue, "NFTA_CMP_SREG") }
  static var operation: Self { .init(NFTA_CMP_OP.rawValue, "NFTA_CMP_OP") }
}
extension Attribute where Space == FilterComparisonSpace, Value == Nested<FilterDataSpace> {
  static var data: Self { .init(NFTA_CMP_DATA.rawValue, "NFTA_CMP_DATA") }
}
extension Attribute where Space == FilterImmediateSpace, Value == NetworkInteger {
  static var destination: Self { .init(NFTA_IMMEDIATE_DREG.rawValue, "NFTA_IMMEDIATE_DREG") }
}
extension Attribute where Space == FilterImmediateSpace, Value == Nested<FilterDataSpace> {
  static var data: Self { .init(NFTA_IMMEDIATE_DATA.rawValue, "NFTA_IMMEDIATE_DATA") }
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

/// A number of 32 bits in network byte order.
struct NetworkInteger: AttributeValue, Hashable {
  let value: UInt32

  init(_ value: UInt32) { self.value = value }
  func encode(into bytes: inout [UInt8]) { bytes.append(native: value.bigEndian) }
  init?(decoding payload: Span<UInt8>) {
    guard payload.count == 4, let value: UInt32 = payload.integer(at: 0) else { return nil }
    self.value = UInt32(bigEndian: value)
  }
}

/// Bytes as they are.
struct Octets: AttributeValue, Hashable {
  let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }
  func encode(into bytes: inout [UInt8]) { bytes += self.bytes }
  init?(decoding payload: Span<UInt8>) { bytes = payload.octets }
}
