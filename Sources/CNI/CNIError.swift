public import JSON

/// An error result (CNI specification 1.1.0, section 5 "Error").
public struct CNIError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of error it is; 100 and above belong to the plugin.
  public struct Code: RawRepresentable, Hashable, Sendable {
    /// The number in the error result.
    public let rawValue: Int64
    /// The code with this number.
    public init(rawValue: Int64) { self.rawValue = rawValue }
    /// The plugin does not speak this version of the specification.
    public static let incompatibleVersion = Code(rawValue: 1)
    /// A member of the configuration that the plugin cannot honour; the message names key and
    /// value.
    public static let unsupportedField = Code(rawValue: 2)
    /// The container is not known.
    public static let unknownContainer = Code(rawValue: 3)
    /// Environment variables are missing or malformed; the message names them.
    public static let invalidEnvironment = Code(rawValue: 4)
    /// Standard input or a file cannot be read.
    public static let ioFailure = Code(rawValue: 5)
    /// The configuration is not JSON.
    public static let decodingFailure = Code(rawValue: 6)
    /// The configuration has an illegal value.
    public static let invalidConfiguration = Code(rawValue: 7)
    /// The sandbox is not a network namespace, or is the plugin's own. Not in the specification;
    /// libcni's.
    public static let invalidSandbox = Code(rawValue: 8)
    /// Something was busy past the deadline; the same may succeed later.
    public static let tryAgainLater = Code(rawValue: 11)
    /// STATUS: ADD could not succeed now.
    public static let notAvailable = Code(rawValue: 50)
    /// STATUS: ADD could not succeed now, and existing attachments suffer.
    public static let limitedConnectivity = Code(rawValue: 51)
    /// The attachment is up, or the name of its interface is taken: nothing was touched. Not in the
    /// specification; of the plugins of this project.
    public static let alreadyExists = Code(rawValue: 100)
    /// Anything else. Not in the specification; libcni's.
    public static let internalFailure = Code(rawValue: 999)
  }
  /// What kind of error it is.
  public let code: Code
  /// What was attempted, and why not.
  public let message: String
  /// More of it; may be empty.
  public let details: String

  /// An error result.
  public init(_ code: Code, _ message: String, details: String = "") {
    self.code = code
    self.message = message
    self.details = details
  }

  /// A configuration that cannot be decoded. Where a reference plugin has words for it, these are
  /// the message, and ours the details.
  public init(_ error: JSONDecodingError) {
    if let message = error.message {
      self.init(.invalidConfiguration, message, details: Self.details(error, after: message))
    } else {
      self.init(.invalidConfiguration, error.description)
    }
  }

  /// Path and reason, without what `message` says already.
  private static func details(_ error: JSONDecodingError, after message: String) -> String {
    guard error.reason.hasPrefix(message) else { return error.description }
    let rest = error.reason.utf8.dropFirst(message.utf8.count).drop {
      // What joins the two: ";", ":" or " ".
      $0 == 0x3b || $0 == 0x3a || $0 == 0x20
    }
    let path = error.path.description
    return rest.isEmpty ? path : "\(path): \(Substring(rest))"
  }

  /// `message: details`
  public var description: String { details.isEmpty ? message : "\(message): \(details)" }

  /// The error result that a plugin prints, for a configuration of this `cniVersion`.
  public func json(version: String) -> JSONValue {
    .object([
      ("cniVersion", .string(version)), ("code", .integer(code.rawValue)),
      ("msg", .string(message)), ("details", details.isEmpty ? nil : .string(details)),
    ])
  }
}

extension CNIError: JSONDecodable {
  /// The error result that another plugin printed. Zero, and what is less, is the code of no error.
  public init(_ json: JSONCursor) throws(JSONDecodingError) {
    let number: Int64 = try json["code"].decode()
    self.init(
      number > 0 ? Code(rawValue: number) : .internalFailure,
      try json["msg"].decodeIfPresent() ?? "",
      details: try json["details"].decodeIfPresent() ?? "")
  }
}
