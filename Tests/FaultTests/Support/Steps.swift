import Foundation
import TestSupport

/// What becomes of a program at one of its system calls; see Tests/Steps/main.c.
enum Fault {
  /// Nothing.
  case none
  /// It is killed.
  case kill
  /// The call is not made, and answers this error number.
  case fail(CInt)
  /// Before it, a command of the shell is run to its end.
  case run(String)

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
struct Stepped {
  let result: PluginResult
  /// The system calls that were made, the faulty one included.
  let count: Int
  /// The name of the call; nil where there was none of that number, or none that may fail.
  let call: String?
  let duration: Duration
}

extension FaultHost {
  private static let steps = "\(Plugin.debugDirectory)/steps"

  /// Runs a command, with a fault at the system call `number` of the plugin, or of its delegate.
  func step(
    _ fault: Fault, at number: Int, ofDelegate: Bool = false, _ command: String,
    _ configuration: Document, _ containerID: String?, _ sandbox: Sandbox?,
    sandboxPath: String? = nil, program: Plugin? = nil
  ) throws -> Stepped {
    let program = program ?? plugin
    let report = "\(host.directory.path)/steps-\(UUID().uuidString)"
    defer { unlink(report) }
    var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("CNI_") }
    environment["CNI_COMMAND"] = command
    environment["CNI_PATH"] = program.searchPath
    environment["CNI_CONTAINERID"] = containerID
    environment["CNI_NETNS"] = sandboxPath ?? sandbox?.path
    environment["CNI_IFNAME"] = containerID == nil ? nil : "eth0"
    let words = fault.words
    let began = ContinuousClock.now
    let output = try run(
      Self.steps,
      [
        report, host.namespace.path, ofDelegate ? "delegate" : "self", words[0], "\(number)",
        words[1], program.path,
      ], environment: environment, input: configuration.encoded)
    let duration = ContinuousClock.now - began
    let text = FileManager.default.contents(atPath: report).map {
      String(decoding: $0, as: UTF8.self)
    }
    let parts = (text ?? "").split(separator: "\n").first?.split(separator: " ") ?? []
    guard let count = parts.first.flatMap({ Int($0) }) else {
      throw StepsError(description: output.description)
    }
    return Stepped(
      result: PluginResult(output), count: count,
      call: parts.count > 1 ? String(parts[1]) : nil, duration: duration)
  }
}

/// A program that told nothing of its steps.
struct StepsError: Error, CustomStringConvertible {
  let description: String
}
