internal import CLinux

// The attributes of sets and their elements: `linux/netfilter/nf_tables.h`.

/// `NFTA_SET_…`
enum FilterSetSpace {}
/// `NFTA_SET_ELEM_LIST_…`
enum FilterElementsSpace {}
/// What `NFTA_SET_ELEM_LIST_ELEMENTS` holds: `NFTA_LIST_…`
enum FilterElementListSpace {}
/// `NFTA_SET_ELEM_…`
enum FilterElementSpace {}

extension Attribute where Space == FilterSetSpace, Value == String {
  static var table: Self { .init(NFTA_SET_TABLE.rawValue, "NFTA_SET_TABLE") }
  static var name: Self { .init(NFTA_SET_NAME.rawValue, "NFTA_SET_NAME") }
}
extension Attribute where Space == FilterSetSpace, Value == NetworkInteger {
  static var keyType: Self { .init(NFTA_SET_KEY_TYPE.rawValue, "NFTA_SET_KEY_TYPE") }
  /// Bytes.
  static var keyLength: Self { .init(NFTA_SET_KEY_LEN.rawValue, "NFTA_SET_KEY_LEN") }
}
extension Attribute where Space == FilterElementsSpace, Value == String {
  static var table: Self { .init(NFTA_SET_ELEM_LIST_TABLE.rawValue, "NFTA_SET_ELEM_LIST_TABLE") }
  static var set: Self { .init(NFTA_SET_ELEM_LIST_SET.rawValue, "NFTA_SET_ELEM_LIST_SET") }
}
extension Attribute where Space == FilterElementsSpace, Value == Nested<FilterElementListSpace> {
  static var elements: Self {
    .init(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue, "NFTA_SET_ELEM_LIST_ELEMENTS")
  }
}
extension Attribute where Space == FilterElementListSpace, Value == Nested<FilterElementSpace> {
  static var element: Self { .init(NFTA_LIST_ELEM.rawValue, "NFTA_LIST_ELEM") }
}
extension Attribute where Space == FilterElementSpace, Value == Nested<FilterDataSpace> {
  static var key: Self { .init(NFTA_SET_ELEM_KEY.rawValue, "NFTA_SET_ELEM_KEY") }
  static var data: Self { .init(NFTA_SET_ELEM_DATA.rawValue, "NFTA_SET_ELEM_DATA") }
}
