public import CNI
public import JSON
public import Linux
internal import PluginExecution

/// Another plugin that this one runs on its own behalf (CNI specification 1.1.0, section 4
/// "Plugin Delegation"), most often for IPAM.
///
/// It works while this process goes on with something else, until its answer is asked for.
public struct Delegate: ~Copyable {
  private let type: String
  private let command: Command
  private let process: PluginProcess
  private let trace: JSONTrace?
  private static let grace = Duration.milliseconds(200)

  /// Starts `type` for `command`, with the environment and the configuration of `request`.
  ///
  /// - Parameters:
  ///   - configuration: What it gets instead of the configuration of `request`.
  ///   - isHeld: Whether it gets that only when its answer is asked for. Till then it does nothing.
  ///   - deadline: How long to wait for an executable that is being replaced.
  public init(
    start type: String, for request: Request, _ command: Command, configuration: JSONValue? = nil,
    isHeld: Bool = false, until deadline: Deadline
  ) throws(CNIError) {
    var environment = Process.environment.filter {
      !$0.hasPrefix("CNI_COMMAND=") && !$0.hasPrefix("CNI_ARGS=")
    }
    environment.append("CNI_COMMAND=\(command.rawValue)")
    if !request.argumentText.isEmpty { environment.append("CNI_ARGS=\(request.argumentText)") }
    let input = (configuration ?? request.network.json.value ?? .null).encoded()
    trace = JSONTrace("delegate \(type) \(command.rawValue)")
    trace?.received(input)
    do throws(PluginFailure) {
      let executable = try PluginSearch.executable(of: type, in: request.invocation.path)
      process = try PluginProcess(
        start: executable, environment: environment, input: input, isHeld: isHeld,
        until: deadline)
    } catch { throw CNIError(error, of: type, command) }
    self.type = type
    self.command = command
  }

  /// Waits for the end of the delegate and returns what it printed: a result, or nothing.
  ///
  /// Its error result is thrown with its own code; no answer at the deadline is code 11. A delegate
  /// that knows the same deadline, and what it waits for, gets the time to tell.
  public consuming func result(until deadline: Deadline) throws(CNIError) -> JSONCursor? {
    let (type, command, trace) = (type, command, trace)
    do throws(PluginFailure) {
      let output = try process.finish(until: deadline.advanced(by: Self.grace))
      trace?.sent(output.bytes)
      return try output.result().map { JSONCursor($0) }
    } catch { throw CNIError(error, of: type, command) }
  }
}
