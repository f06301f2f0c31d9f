internal import CNI
public import JSON
public import Linux

/// A plugin at work: one invocation, from its start to its answer.
///
/// It works while this process goes on with something else, until its answer is asked for.
public struct PluginProcess: ~Copyable {
  private let process: ChildProcess

  /// Starts `executable` with exactly this environment and with `input` on standard input.
  ///
  /// - Parameters:
  ///   - isHeld: Whether it gets its input only when its end is waited for.
  ///   - deadline: How long to wait for an executable that is being replaced.
  public init(
    start executable: String, environment: [String], input: [UInt8], isHeld: Bool = false,
    standardError: ChildProcess.StandardError = .inherited, until deadline: Deadline
  ) throws(PluginFailure) {
    while true {
      do throws(SystemError) {
        process = try ChildProcess(
          start: executable, environment: environment, input: input, isHeld: isHeld,
          standardError: standardError)
        return
      } catch {
        // The executable is being replaced at this moment: its writer still has it open.
        guard error.errno == .textFileBusy, !deadline.hasPassed else { throw .notStarted(error) }
        Clock.sleep(.milliseconds(20))
      }
    }
  }

  /// Waits for the end of the plugin. Past the deadline it is killed.
  ///
  /// - Parameter read: Gets what it writes to standard error, when it does, if that is piped.
  public consuming func finish(
    until deadline: Deadline, errors read: ([UInt8]) -> Void = { _ in }
  ) throws(PluginFailure) -> PluginOutput {
    do throws(ChildProcess.Failure) {
      let output = try process.finish(until: deadline, errors: read)
      return PluginOutput(status: output.status, bytes: output.bytes)
    } catch { throw .unfinished(error) }
  }
}

/// How a plugin ended, and what it printed.
public struct PluginOutput: Hashable, Sendable {
  /// How it ended.
  public let status: ChildProcess.Status
  /// All of its standard output.
  public let bytes: [UInt8]

  /// The result that it printed; nil where it printed nothing, or `null`. Throws what it refused
  /// with (CNI specification 1.1.0, section 5).
  public func result() throws(PluginFailure) -> JSONValue? {
    guard status == .exited(0) else {
      if let value = try? JSONValue(parsing: bytes), let error = try? CNIError(JSONCursor(value)) {
        throw .refused(error)
      }
      throw .noErrorResult(status, output: bytes)
    }
    if bytes.isBlank { return nil }
    do throws(JSONSyntaxError) {
      let value = try JSONValue(parsing: bytes)
      return value == .null ? nil : value
    } catch { throw .noJSON(error, output: bytes) }
  }
}
