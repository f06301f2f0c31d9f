// The one file that touches libjansson. Nothing of it leaves this file.
internal import CJansson

/// A text that is not JSON, and where it stops being so.
public struct JSONSyntaxError: Error, Hashable, Sendable, CustomStringConvertible {
  /// From 1.
  public let line: Int
  /// In characters.
  public let column: Int
  /// libjansson's words.
  public let text: String

  /// `line 1, column 7: string or '}' expected near end of file`
  public var description: String { "line \(line), column \(column): \(text)" }
}

extension JSONValue {
  /// Parses one JSON text in UTF-8. Two members of one name are an error, and so is a number that
  /// does not fit, or arrays and objects more than 2,048 deep.
  public init(parsing bytes: [UInt8]) throws(JSONSyntaxError) {
    var error = json_error_t()
    let root = unsafe bytes.withUnsafeBytes {
      unsafe json_loadb(
        $0.baseAddress, $0.count, cjansson_reject_duplicates | cjansson_decode_any, &error)
    }
    guard let root = unsafe root else {
      let text = unsafe withUnsafeBytes(of: &error.text) { raw in
        unsafe String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
      }
      throw JSONSyntaxError(line: Int(error.line), column: Int(error.column), text: text)
    }
    defer { unsafe cjansson_decref(root) }
    self = unsafe JSONValue(copying: root)
  }

  private init(copying value: UnsafeMutablePointer<json_t>) {
    switch unsafe value.pointee.type {
    case JSON_OBJECT:
      var members: [JSONObject.Member] = []
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
