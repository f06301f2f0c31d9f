import Foundation

/// What becomes of a program at one of its system calls; see Tests/Steps/main.c.
public enum Fault: Sendable {
  /// Nothing.
  case none
  /// It is killed.
  case kill
  /// The call is not made, and answers this error number.
  case fail(CInt)
  /// Before it, a command of the shell is run to its end.
  case run(String)

  /// The errors of which calls are made to fail.
  public static let errors = [ENOMEM, ENOSPC, EPERM, EINTR, EIO, ENOBUFS, EMFILE]
  /// Those of the call whose turn it is: one, and in a soak each.
  public static func errors(inTurn turn: Int) -> [CInt] {
    isSoak ? errors : [errors[turn % errors.count]]
  }

  fileprivate var words: [String] {
    switch self {
    case .none: ["count", ""]
    case .kill: ["kill", ""]
    case .fail(let number): ["fail", "\(number)"]
    case .run(let command): ["run", command]
    }
  }
}

/// A plugin whose fault is at one system call.
public struct Stepped: Sendable {
  /// What it answered.
  public let result: PluginResult
  /// The system calls that were made, the faulty one included.
  public let count: Int
  /// The name of the call; nil where there was none of that number, or none that may fail.
  public let call: String?
  /// From its start to its end.
  public let duration: Duration
}

extension Plugin {
  /// Runs a command for the interface `eth0`, with a fault at the system call `number` of the
  /// plugin, or of its delegate.
  ///
  /// - Parameter files: Where the report of the steps is for a moment.
  public func step(
    _ fault: Fault, at number: Int, ofDelegate: Bool = false, _ command: String,
    _ configuration: Document, containerID: String?, sandbox: String?,
    files: TemporaryDirectory
  ) throws -> Stepped {
    let report = "\(files.path)/steps-\(UUID().uuidString)"
    defer { unlink(report) }
    var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("CNI_") }
    environment["CNI_COMMAND"] = command
    environment["CNI_PATH"] = searchPath
    environment["CNI_CONTAINERID"] = containerID
    environment["CNI_NETNS"] = sandbox
    environment["CNI_IFNAME"] = containerID == nil ? nil : "eth0"
    let words = fault.words
    let began = ContinuousClock.now
    let output = try run(
      "\(Self.debugDirectory)/steps",
      [
        report, host?.path ?? "/proc/self/ns/net", ofDelegate ? "delegate" : "self", words[0],
        "\(number)", words[1], path,
      ], environment: environment, input: configuration.encoded, timeout: .seconds(60))
    let duration = ContinuousClock.now - began
    let text = FileManager.default.contents(atPath: report).map {
      String(decoding: $0, as: UTF8.self)
    }
    let parts = (text ?? "").split(separator: "\n").first?.split(separator: " ") ?? []
    guard let count = parts.first.flatMap({ Int($0) }) else {
      throw RunError(description: "a program said nothing of its steps: \(output)")
    }
    return Stepped(
      result: PluginResult(output), count: count,
      call: parts.count > 1 ? String(parts[1]) : nil, duration: duration)
  }
}
