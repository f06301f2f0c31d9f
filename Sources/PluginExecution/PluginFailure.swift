public import CNI
public import JSON
public import Linux

/// Why a plugin gave no result.
///
/// The sentences are those that libcni has for the same, so that they are found again.
public enum PluginFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// The configuration has no `type`.
  case unnamed
  /// The `type` cannot be the name of an executable.
  case illegalName(String)
  /// There is no directory to look in.
  case noPath
  /// No directory has a regular file of that name.
  case notFound(type: String, path: [String])
  /// The executable cannot be run.
  case notStarted(SystemError)
  /// It was run and did not come to an end by itself.
  case unfinished(ChildProcess.Failure)
  /// It failed, and printed an error result that says why.
  case refused(CNIError)
  /// It failed, and what it printed is no error result.
  case noErrorResult(ChildProcess.Status, output: [UInt8])
  /// It succeeded, and what it printed is not JSON.
  case noJSON(JSONSyntaxError, output: [UInt8])

  /// Whether the plugin ran, and may have had effects.
  public var isOfRun: Bool {
    switch self {
    case .unnamed, .illegalName, .noPath, .notFound, .notStarted: false
    case .unfinished, .refused, .noErrorResult, .noJSON: true
    }
  }

  /// What was attempted, and why not.
  public var description: String {
    switch self {
    case .unnamed: "no plugin name provided"
    case .illegalName(let name): "\(Self.illegal(name)): \(Self.legalNames)"
    case .noPath: "no paths provided"
    case .notFound(let type, let path): "\(Self.missing(type, path)): \(Self.whereToInstall)"
    case .notStarted(let error): error.description
    case .unfinished(let failure): failure.description
    case .refused(let error): error.description
    case .noErrorResult(let status, let output):
      output.isBlank
        ? "netplugin failed with no error message: \(status)"
        : "netplugin failed but error parsing its diagnostic message \(output.excerpt): \(status)"
    case .noJSON(let error, let output): "its response is not JSON: \(error): \(output.excerpt)"
    }
  }

  fileprivate static func illegal(_ name: String) -> String { "invalid plugin name: \(name)" }
  fileprivate static let legalNames =
    "a plugin is named by its executable's name, which is looked up in CNI_PATH; it has no \"/\""
  fileprivate static func missing(_ type: String, _ path: [String]) -> String {
    "failed to find plugin \"\(type)\" in path [\(path.joined(separator: " "))]"
  }
  fileprivate static let whereToInstall = "install it there, or add its directory to CNI_PATH"
}

extension CNIError {
  /// The error result of a plugin whose delegate `type` failed at `command`.
  public init(_ failure: PluginFailure, of type: String, _ command: Command) {
    switch failure {
    case .unnamed: self.init(.invalidConfiguration, failure.description)
    case .illegalName(let name):
      self.init(
        .invalidConfiguration, PluginFailure.illegal(name), details: PluginFailure.legalNames)
    case .noPath: self.init(.invalidEnvironment, failure.description)
    case .notFound(let type, let path):
      self.init(
        .internalFailure, PluginFailure.missing(type, path),
        details: PluginFailure.whereToInstall)
    case .notStarted(let error):
      self.init(.internalFailure, "cannot run plugin \"\(type)\"", details: error.description)
    case .unfinished(let reason):
      var code = CNIError.Code.internalFailure
      if case .deadlinePassed = reason { code = .tryAgainLater }
      self.init(
        code, "plugin \"\(type)\" did not respond to \(command.rawValue)",
        details: reason.description)
    case .refused(let error):
      self.init(error.code, "plugin \"\(type)\": \(error.message)", details: error.details)
    case .noErrorResult(let status, let output):
      self.init(
        .internalFailure, "plugin \"\(type)\" failed without an error result",
        details: output.isBlank
          ? "\(status) and nothing on standard output" : "\(status): \(output.excerpt)")
    case .noJSON(let error, let output):
      self.init(
        .decodingFailure,
        "plugin \"\(type)\" responded to \(command.rawValue) with what is not JSON",
        details: "\(error): \(output.excerpt)")
    }
  }
}

extension [UInt8] {
  /// Whether there is nothing but white space.
  var isBlank: Bool { allSatisfy { $0 == 0x20 || (0x09...0x0d).contains($0) } }

  /// The first of these bytes, quoted, for a message.
  var excerpt: String {
    let text = String(decoding: prefix(200), as: UTF8.self)
    return "\"\(text)\"" + (count > 200 ? "… (\(count) bytes)" : "")
  }
}
