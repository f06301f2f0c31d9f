/// What can be learnt of a JSON text without making values of it.
public enum JSONOutline {
  /// Bytes that the values of one text may take, libjansson's and ours together, the text included.
  public static let memoryLimit = 48 << 20

  /// What the parts of a text take in memory, measured: a short text may stand for many values.
  private enum Cost {
    static let byte = 4
    static let object = 288
    static let array = 208
    static let string = 112
    static let other = 80
  }

  /// Throws where the values of `bytes` would take more than `memoryLimit`. One pass, no memory.
  static func checkMemory(of bytes: [UInt8]) throws(JSONSyntaxError) {
    // Nothing takes more than an empty object, which is two bytes long.
    guard bytes.count > memoryLimit / (Cost.object / 2 + Cost.byte) else { return }
    var cost = 0
    var line = 1
    var column = 0
    var isInString = false
    var isEscaped = false
    var isInWord = false
    for octet in bytes {
      cost += Cost.byte
      column += 1
      if octet == UInt8(ascii: "\n") { (line, column) = (line + 1, 0) }
      if isInString {
        if isEscaped {
          isEscaped = false
        } else if octet == UInt8(ascii: "\\") {
          isEscaped = true
        } else if octet == UInt8(ascii: "\"") {
          isInString = false
        }
        continue
      }
      var isWord = false
      switch octet {
      case UInt8(ascii: "{"): cost += Cost.object
      case UInt8(ascii: "["): cost += Cost.array
      case UInt8(ascii: "\""): (cost, isInString) = (cost + Cost.string, true)
      case 0...0x20, UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "}"), UInt8(ascii: "]"):
        break
      default:
        isWord = true
        if !isInWord { cost += Cost.other }
      }
      isInWord = isWord
      guard cost <= memoryLimit else {
        throw JSONSyntaxError(
          line: line, column: column,
          text: "too large: the values up to here take \(memoryLimit >> 20) MiB of memory, which "
            + "is the limit")
      }
    }
  }

  /// The string that the outermost object of `bytes` has under `name`, in whatever ASCII case; nil
  /// where there is none that can be read. What comes after it may be no JSON at all.
  public static func string(_ name: String, of bytes: [UInt8]) -> String? {
    var depth = 0
    var isKey = false
    var key: String?
    var rest = bytes[...]
    while let octet = rest.popFirst() {
      switch octet {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        (isKey, key) = (octet == UInt8(ascii: "{"), nil)
      case UInt8(ascii: "}"), UInt8(ascii: "]"): (depth, key) = (depth - 1, nil)
      case UInt8(ascii: ","): (isKey, key) = (true, nil)
      case UInt8(ascii: ":"): isKey = false
      case UInt8(ascii: "\""):
        guard let text = quoted(&rest) else { return nil }
        guard depth == 1 else { continue }
        if isKey {
          key = text
        } else if let found = key, found.differsInCaseOnly(from: name) {
          return text
        }
      default: break
      }
    }
    return nil
  }

  /// The text up to the quotation mark that ends it; nil where that is missing. Escapes stay.
  private static func quoted(_ rest: inout ArraySlice<UInt8>) -> String? {
    var text: [UInt8] = []
    while let octet = rest.popFirst() {
      if octet == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
      text.append(octet)
      if octet == UInt8(ascii: "\\"), let next = rest.popFirst() { text.append(next) }
    }
    return nil
  }
}
