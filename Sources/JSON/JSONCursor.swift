/// Where in a document a value stands, written `ipam.ranges[0][0].subnet`.
public struct JSONPath: Hashable, Sendable, CustomStringConvertible {
  enum Step: Hashable, Sendable {
    case name(String)
    case index(Int)
  }
  var steps: [Step] = []

  /// The whole document.
  public init() {}

  func appending(_ step: Step) -> JSONPath {
    var copy = self
    copy.steps.append(step)
    return copy
  }

  /// The path; empty for the whole document.
  public var description: String {
    var text = ""
    for step in steps {
      switch step {
      case .name(let name): text += text.isEmpty ? name : "." + name
      case .index(let index): text += "[\(index)]"
      }
    }
    return text
  }
}

/// A value that is not what was asked for, and where it stands.
public struct JSONDecodingError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Where.
  public let path: JSONPath
  /// What it is, and what is legal.
  public let reason: String
  /// What another program that reads the same document says of this fault; nil: nothing that is
  /// worth repeating.
  public var message: String?

  /// The value at `path` cannot be used, for this reason.
  public init(path: JSONPath, reason: String, message: String? = nil) {
    self.path = path
    self.reason = reason
    self.message = message
  }
  /// `vlan: 9100 is not in 0…4094`
  public var description: String { path.steps.isEmpty ? reason : "\(path): \(reason)" }
}

/// A position in a JSON document: the value there, if there is one, and its path.
public struct JSONCursor: Hashable, Sendable {
  /// Nil where nothing stands.
  public let value: JSONValue?
  /// Where this is.
  public let path: JSONPath
  /// Why nothing can stand here: something above is not an object.
  private let fault: Fault?

  /// The position of what is not an object, and what it is.
  private indirect enum Fault: Hashable, Sendable { case at(JSONPath, JSONValue) }

  /// The root of a document.
  public init(_ value: JSONValue) { self.init(value, JSONPath()) }

  private init(_ value: JSONValue?, _ path: JSONPath, _ fault: Fault? = nil) {
    self.value = value
    self.path = path
    self.fault = fault
  }

  /// The member called `name`, in whatever ASCII case; absent if there is none, or if nothing
  /// stands here.
  ///
  /// A wrong type is not absence: where this is neither an object nor null, decoding the member
  /// throws what should stand here instead.
  public subscript(name: String) -> JSONCursor {
    let path = path.appending(.name(name))
    switch value {
    case .object(let object)?: return JSONCursor(object.member(matching: name)?.value, path)
    case nil, .null?: return JSONCursor(nil, path, fault)
    case let other?: return JSONCursor(nil, path, .at(self.path, other))
    }
  }

  /// Whether nothing stands here, or `null`.
  public var isAbsent: Bool { fault == nil && (value == nil || value == .null) }

  /// Throws where something other than an object or null stands here, or above.
  public func checkObject() throws(JSONDecodingError) {
    guard isAbsent || value?.object != nil else { throw expected("an object") }
  }

  /// The elements of the array that must stand here.
  public var elements: [JSONCursor] {
    get throws(JSONDecodingError) {
      guard case .array(let items)? = value else { throw expected("an array") }
      return items.enumerated().map { JSONCursor($0.element, path.appending(.index($0.offset))) }
    }
  }

  /// The members of the object that must stand here.
  public var members: [(name: String, value: JSONCursor)] {
    get throws(JSONDecodingError) {
      guard case .object(let object)? = value else { throw expected("an object") }
      return object.members.map {
        ($0.name, JSONCursor($0.value, path.appending(.name($0.name))))
      }
    }
  }

  /// An error about this position.
  ///
  /// - Parameter message: What another program says of it.
  public func error(_ reason: String, message: String? = nil) -> JSONDecodingError {
    JSONDecodingError(path: path, reason: reason, message: message)
  }

  /// An error that says what should stand here instead of what does.
  public func expected(_ what: String) -> JSONDecodingError {
    if case .at(let path, let value)? = fault {
      return JSONCursor(value, path).expected("an object")
    }
    guard let value, value != .null else { return error("missing; \(what) is required") }
    let found =
      switch value {
      case .null: "null"
      case .bool(let bool): "\(bool)"
      case .integer(let number): "\(number)"
      case .real(let number): "\(number)"
      case .string(let text): text.utf8.count <= 64 ? "\"\(text)\"" : "a string"
      case .array: "an array"
      case .object: "an object"
      }
    return error("\(found) is not \(what)")
  }
}
