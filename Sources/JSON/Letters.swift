// Letters and white space without the tables of Unicode that `lowercased()` and `isWhitespace` of
// the standard library bring along, which are 36 kB of an executable.

extension String {
  /// The same with the capital letters of ASCII small.
  public var asciiLowercased: String { String(decoding: utf8.lowercased, as: UTF8.self) }

  /// Whether it differs from `other` in the case of letters of ASCII only, or not at all.
  func differsInCaseOnly(from other: String) -> Bool {
    utf8.count == other.utf8.count && utf8.lowercased.elementsEqual(other.utf8.lowercased)
  }
}

extension String.UTF8View {
  /// The octets, with the capital letters of ASCII small.
  fileprivate var lowercased: some Collection<UInt8> {
    lazy.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
  }
}

extension Unicode.Scalar {
  /// Whether it is white space: has the property White_Space (PropList.txt of Unicode 15.1).
  public var isSpace: Bool {
    switch value {
    case 0x09...0x0d, 0x20, 0x85, 0xa0, 0x1680, 0x2000...0x200a, 0x2028, 0x2029, 0x202f, 0x205f,
      0x3000:
      true
    default: false
    }
  }
}
