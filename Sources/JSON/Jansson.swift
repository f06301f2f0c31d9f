// The one file that touches libjansson. Nothing of it leaves this file.
internal import CJansson

extension JSONValue {
  /// Parses one JSON text in UTF-8. Two members of one name are an error, and so is a number that
  /// a double cannot hold, arrays and objects more than 2,048 deep, or a text whose values would
  /// take more than `JSONOutline.memoryLimit`.
  ///
  /// An integer that 64 bits cannot hold becomes a real number. Go's encoding/json reads it so, and
  /// writes real numbers below 10^21 without an exponent.
  public init(parsing bytes: [UInt8]) throws(JSONSyntaxError) {
    try JSONOutline.checkMemory(of: bytes)
    do throws(ParsingError) { self = try Self.parse(bytes) } catch {
      guard error.isNumberTooLarge else { throw error.syntax }
      // libjansson knows no integers of that size, but real numbers.
      do throws(ParsingError) { self = try Self.parse(Self.wideIntegersAsReals(bytes)) } catch {
        throw error.syntax
      }
    }
  }

  private struct ParsingError: Error {
    let syntax: JSONSyntaxError
    let isNumberTooLarge: Bool
  }

  /// Gives libjansson the seed of its hash tables, which it would read from `/dev/urandom`.
  private static let seeding: Void = json_object_seed(Int.random(in: 1...Int.max))

  private static func parse(_ bytes: [UInt8]) throws(ParsingError) -> JSONValue {
    seeding
    var error = json_error_t()
    let root = unsafe bytes.withUnsafeBytes {
      unsafe json_loadb(
        $0.baseAddress, $0.count, cjansson_reject_duplicates | cjansson_decode_any, &error)
    }
    guard let root = unsafe root else {
      let isNumberTooLarge = unsafe cjansson_is_numeric_overflow(&error)
      let text = unsafe withUnsafeBytes(of: &error.text) { raw in
        unsafe String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
      }
      throw ParsingError(
        syntax: JSONSyntaxError(line: Int(error.line), column: Int(error.column), text: text),
        isNumberTooLarge: isNumberTooLarge)
    }
    defer { unsafe cjansson_decref(root) }
    return unsafe JSONValue(copying: root)
  }

  /// The text `bytes` with an exponent of zero after each integer that 64 bits cannot hold.
  private static func wideIntegersAsReals(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    var rest = bytes[...]
    var isInString = false
    while let octet = rest.first {
      let isNumber = !isInString && (octet == UInt8(ascii: "-") || octet.isDigit)
      let length = isNumber ? rest.prefix { $0.isDigit || "+-.eE".utf8.contains($0) }.count : 1
      // After a backslash a quotation mark ends no string.
      let token = rest.prefix(octet == UInt8(ascii: "\\") ? 2 : length)
      rest = rest.dropFirst(token.count)
      out += token
      if octet == UInt8(ascii: "\"") { isInString.toggle() }
      if isNumber, token.dropFirst().allSatisfy({ $0.isDigit }),
        Int64(String(decoding: token, as: UTF8.self)) == nil
      {
        out += "e0".utf8
      }
    }
    return out
  }

  private init(copying value: UnsafeMutablePointer<json_t>) {
    switch unsafe value.pointee.type {
    case JSON_OBJECT:
      var members: [JSONObject.Member] = []
      members.reserveCapacity(unsafe json_object_size(value))
      var iterator = unsafe json_object_iter(value)
      while let position = unsafe iterator {
        let name = unsafe String(cString: json_object_iter_key(position))
        let member = unsafe JSONValue(copying: json_object_iter_value(position))
        members.append(JSONObject.Member(name: name, value: member))
        unsafe iterator = json_object_iter_next(value, position)
      }
      self = .object(JSONObject(unique: members))
    case JSON_ARRAY:
      self = .array(
        (unsafe 0..<json_array_size(value)).map {
          unsafe JSONValue(copying: json_array_get(value, $0))
        })
    case JSON_STRING:
      self = .string(
        unsafe String(
          decoding: UnsafeRawBufferPointer(
            start: json_string_value(value), count: json_string_length(value)), as: UTF8.self))
    case JSON_INTEGER: self = .integer(unsafe Int64(json_integer_value(value)))
    case JSON_REAL: self = .real(unsafe json_real_value(value))
    case JSON_TRUE: self = .bool(true)
    case JSON_FALSE: self = .bool(false)
    default: self = .null
    }
  }
}

extension UInt8 {
  fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}
