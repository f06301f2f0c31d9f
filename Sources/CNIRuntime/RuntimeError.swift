public import CNI
public import Linux
public import PluginExecution

/// Why a runtime could not do what it was asked for.
public indirect enum RuntimeError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The directory has no configuration of this network, but of `others`.
  case noSuchNetwork(String, directory: String, others: [String])
  /// The directory has no configuration of any network.
  case noNetworks(directory: String)
  /// A file of the configuration directory cannot be used.
  case configuration(file: String, reason: String)
  /// The container ID, the interface name or the network's name is not legal.
  case illegalName(CNIError)
  /// The attachment is there already.
  case attached(Attachment, network: String)
  /// The attachment has no cached result, so that there is nothing to compare with.
  case notAttached(Attachment, network: String, cache: String)
  /// The network's version of the specification does not have the command.
  case unsupported(Command, version: String)
  /// A plugin of the chain failed.
  case plugin(type: String, name: String?, Command, PluginFailure)
  /// A plugin succeeded with something that is no result.
  case noResult(type: String, name: String?, reason: String)
  /// The result cache cannot be written; `network` is the one whose result it was to keep.
  case cache(network: String, SystemError)
  /// The result cache cannot be read.
  case unreadableCache(SystemError)
  /// The file that would keep the result has that of another attachment, which is on `network`.
  case fileTaken(file: String, Attachment, network: String)
  /// A file of the result cache is not what libcni or this runtime writes.
  case brokenCache(file: String, reason: String)
  /// Another command had not ended by the deadline: it works on what this says.
  case busy(String)
  /// The locks by which commands exclude each other cannot be had.
  case locks(SystemError)
  /// What an attachment has left could not be looked for, said in a sentence.
  case survey(String)
  /// ADD failed, and what was made before was taken back, as far as `failures` do not tell
  /// otherwise.
  case rolledBack(RuntimeError, failures: [RuntimeError])
  /// ADD failed, and nothing was taken back: the interface was in the sandbox before.
  case notRolledBack(RuntimeError, interface: String)
  /// All that failed; what did not depend on it was done.
  case several([RuntimeError])

  /// What was attempted, and why not. Lines are those of `several`; in a line, control characters
  /// that came from outside are escaped.
  public var description: String {
    switch self {
    case .rolledBack(let cause, let failures):
      failures.isEmpty
        ? "\(cause)\nwhat the plugins had made was taken back, by DEL in reverse order"
        : "\(cause)\ntaking back what was made, if anything was, failed as well: "
          + failures.map { $0.description }.joined(separator: "\n")
    case .notRolledBack(let cause, let interface):
      "\(cause)\nnothing was taken back: interface \"\(interface)\" was in the sandbox before"
    case .several(let errors): errors.map { $0.description }.joined(separator: "\n")
    default: sentence.controlCharactersEscaped
    }
  }

  private var sentence: String {
    switch self {
    case .noSuchNetwork(let name, let directory, let others):
      "no net configuration with name \"\(name)\" in \(directory)"
        + (others.isEmpty ? "" : "; it has: \(others.joined(separator: ", "))")
    case .noNetworks(let directory): "no net configurations found in \(directory)"
    case .configuration(let file, let reason): "\(file): \(reason)"
    case .illegalName(let error): error.description
    case .attached(let attachment, let network):
      "container \"\(attachment.containerID)\" is on network \"\(network)\" already, by interface "
        + "\"\(attachment.interfaceName)\""
    case .notAttached(let attachment, let network, let cache):
      "container \"\(attachment.containerID)\" is not on network \"\(network)\" by interface "
        + "\"\(attachment.interfaceName)\": \(cache) has no result of it"
    case .unsupported(let command, let version):
      "configuration version \"\(version)\" does not support the \(command.rawValue) command: "
        + "it needs \(command.since.rawValue) or later"
    case .plugin(let type, let name, let command, let failure):
      "\(Self.subject(type, name)) failed (\(Self.word(command))): \(failure)"
    case .noResult(let type, let name, let reason):
      "\(Self.subject(type, name)) failed (add): its result cannot be read: \(reason)"
    case .cache(let network, let error):
      "failed to set network \"\(network)\" cached result: \(error)"
    case .unreadableCache(let error): "cannot read the result cache: \(error)"
    case .fileTaken(let file, let holder, let network):
      "the result cannot be kept: \(file) is of another attachment, container "
        + "\"\(holder.containerID)\" on network \"\(network)\" by interface "
        + "\"\(holder.interfaceName)\"; another container ID has another file"
    case .busy(let subject): "another command on \(subject) has not ended in time"
    case .locks(let error): "cannot exclude other commands: \(error)"
    case .survey(let sentence): sentence
    case .brokenCache(let file, let reason):
      "\(file) is not a cached result: \(reason); del does without it"
    case .rolledBack, .notRolledBack, .several: ""
    }
  }

  private static func subject(_ type: String, _ name: String?) -> String {
    "plugin type=\"\(type)\"" + (name.map { " name=\"\($0)\"" } ?? "")
  }

  private static func word(_ command: Command) -> String {
    switch command {
    case .add: "add"
    case .del: "delete"
    case .check: "check"
    case .gc: "gc"
    case .status: "status"
    case .version: "version"
    }
  }

  /// Whether a plugin refused its configuration: then it has made nothing that could be taken back.
  var isRefusalOfConfiguration: Bool {
    guard case .plugin(_, _, _, .refused(let error)) = self else { return false }
    let refusals: [CNIError.Code] = [
      .incompatibleVersion, .unsupportedField, .decodingFailure, .invalidConfiguration,
    ]
    return refusals.contains(error.code)
  }

  /// Whether a plugin refused ADD with code 100, as a main plugin of this project does when the
  /// attachment is up or the interface exists: it left untouched what is there, and DEL would not.
  var isRefusalOfRepetition: Bool {
    guard case .plugin(_, _, .add, .refused(let error)) = self else { return false }
    return error.code == CNIError.Code(rawValue: 100)
  }

  /// Whether an ADD that failed so may have left something.
  var leavesRemains: Bool {
    switch self {
    case .rolledBack(_, let failures): !failures.isEmpty
    case .notRolledBack: true
    default: false
    }
  }

  /// Whether a plugin refused its configuration for ADD, and refuses it in the same words for DEL.
  func repeatsRefusal(of cause: RuntimeError) -> Bool {
    guard cause.isRefusalOfConfiguration,
      case .plugin(let type, _, .add, .refused(let first)) = cause,
      case .plugin(type, _, .del, .refused(first)) = self
    else { return false }
    return true
  }

  /// One error of what failed; nil where nothing did.
  static func joining(_ errors: [RuntimeError]) -> RuntimeError? {
    errors.count > 1 ? .several(errors) : errors.first
  }
}
