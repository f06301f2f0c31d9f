public import CNI
public import JSON
public import Linux

/// What a command has besides its request: time, and where to log.
public struct Context {
  /// When the plugin must have answered.
  public let deadline: Deadline
  /// The log of this invocation.
  public let log: Log
  /// When the invocation began: nanoseconds since 1970-01-01T00:00:00Z.
  public let began: Int64

  /// A context.
  public init(deadline: Deadline, log: Log, began: Int64) {
    self.began = began
    self.deadline = deadline
    self.log = log
  }
}

/// A CNI plugin: an executable that serves one invocation and ends.
public protocol Plugin {
  /// The members of the configuration that are the plugin's own, all legal.
  associatedtype Configuration
  /// What DEL and GC need of it: the configuration itself, unless the plugin says otherwise.
  associatedtype Detachment = Configuration

  /// The executable's name.
  static var name: String { get }
  /// Whether it, or a delegate of it, has a use for `CNI_ARGS`; what is malformed there is refused.
  static var readsArguments: Bool { get }

  /// The configuration with the members that come from elsewhere.
  static func completed(_ json: JSONCursor, for command: Command) throws(CNIError) -> JSONCursor
  /// Decodes the configuration; an error names the path and what is legal.
  static func configuration(_ request: Request) throws(JSONDecodingError) -> Configuration
  /// Decodes what DEL and GC need.
  static func detachment(_ request: Request) throws(JSONDecodingError) -> Detachment
  /// Refuses, with code 2, what the configuration asks for and this plugin cannot do.
  static func refuseUnsupported(_ request: Request) throws(CNIError)

  /// All or nothing: what was made is undone when it throws.
  static func add(_ request: Request, _ configuration: Configuration, _ context: Context)
    throws(CNIError) -> AttachmentResult
  /// Succeeds when nothing of the attachment is left, whatever removed it.
  static func del(_ request: Request, _ detachment: Detachment, _ context: Context)
    throws(CNIError)
  /// Changes nothing; throws what is not as ADD made it.
  static func check(_ request: Request, _ configuration: Configuration, _ context: Context)
    throws(CNIError)
  /// Frees what belongs to no valid attachment of this network.
  static func gc(_ request: Request, _ detachment: Detachment, _ context: Context)
    throws(CNIError)
  /// Throws code 50 or 51 when ADD could not succeed now.
  static func status(_ request: Request, _ configuration: Configuration, _ context: Context)
    throws(CNIError)
}

extension Plugin where Detachment == Configuration {
  /// All of the configuration.
  public static func detachment(_ request: Request) throws(JSONDecodingError) -> Detachment {
    try configuration(request)
  }
}

extension Plugin {
  /// It has.
  public static var readsArguments: Bool { true }

  /// All members are in the configuration itself.
  public static func completed(_ json: JSONCursor, for command: Command) throws(CNIError)
    -> JSONCursor
  { json }

  /// Refuses nothing.
  public static func refuseUnsupported(_ request: Request) throws(CNIError) {}
}
