public import CNI
public import JSON
public import Linux

/// Another plugin that this one runs on its own behalf (CNI specification 1.1.0, section 4
/// "Plugin Delegation"), most often for IPAM.
///
/// It works while this process goes on with something else, until its answer is asked for.
public struct Delegate: ~Copyable {
  private let type: String
  private let command: Command
  private let process: ChildProcess

  /// Starts `type` for `command`, with the environment and the configuration of `request`.
  ///
  /// - Parameter configuration: What it gets instead of the configuration of `request`.
  public init(
    start type: String, for request: Request, _ command: Command, configuration: JSONValue? = nil
  ) throws(CNIError) {
    let executable = try Self.find(type, in: request.invocation.path)
    var environment = Process.environment.filter { !$0.hasPrefix("CNI_COMMAND=") }
    environment.append("CNI_COMMAND=\(command.rawValue)")
    let input = (configuration ?? request.network.json.value ?? .null).encoded()
    var attempts = 0
    while true {
      do throws(SystemError) {
        process = try ChildProcess(start: executable, environment: environment, input: input)
        break
      } catch {
        attempts += 1
        // The executable is being replaced at this moment: its writer still has it open.
        guard error.errno == .textFileBusy, attempts < 50 else {
          throw CNIError(
            .internalFailure, "cannot run plugin \"\(type)\"", details: error.description)
        }
        Clock.sleep(.milliseconds(20))
      }
    }
    self.type = type
    self.command = command
  }

  /// The executable of the plugin `type`: the first regular file of that name in `path`.
  ///
  /// A name with a `/` in it is refused, so that a configuration cannot choose any file.
  public static func find(_ type: String, in path: [String]) throws(CNIError) -> String {
    guard !type.isEmpty else { throw CNIError(.invalidConfiguration, "no plugin name provided") }
    guard !type.utf8.contains(UInt8(ascii: "/")), type != ".", type != "..",
      type.utf8.allSatisfy({ $0 >= 0x20 }), type.utf8.count <= Names.maximumLength
    else {
      throw CNIError(
        .invalidConfiguration, "invalid plugin name: \(type)",
        details: "a plugin is named by its executable's name, which is looked up in CNI_PATH; "
          + "it has no \"/\"")
    }
    guard !path.isEmpty else { throw CNIError(.invalidEnvironment, "no paths provided") }
    for directory in path {
      let candidate = "\(directory)/\(type)"
      if let status = try? FileStatus(path: candidate), status.kind == .regular { return candidate }
    }
    throw CNIError(
      .internalFailure,
      "failed to find plugin \"\(type)\" in path [\(path.joined(separator: " "))]",
      details: "install it there, or add its directory to CNI_PATH")
  }

  /// Waits for the end of the delegate and answers what it printed: a result, or nothing.
  ///
  /// Its error result is thrown with its own code; no answer at the deadline is code 11.
  public consuming func result(until deadline: Deadline) throws(CNIError) -> JSONCursor? {
    let (type, command) = (type, command)
    let output: ChildProcess.Output
    do throws(ChildProcess.Failure) { output = try process.finish(until: deadline) } catch {
      var code = CNIError.Code.internalFailure
      if case .deadlinePassed = error { code = .tryAgainLater }
      throw CNIError(
        code, "plugin \"\(type)\" gave no answer to \(command.rawValue)",
        details: error.description)
    }
    let isEmpty = output.bytes.allSatisfy { $0 == 0x20 || (0x09...0x0d).contains($0) }
    guard output.status == .exited(0) else {
      guard !isEmpty else {
        throw CNIError(
          .internalFailure, "plugin \"\(type)\" failed without an error result",
          details: "\(output.status) and nothing on standard output")
      }
      throw Self.errorResult(output, of: type)
    }
    if isEmpty { return nil }
    do throws(JSONSyntaxError) {
      let value = try JSONValue(parsing: output.bytes)
      return value == .null ? nil : JSONCursor(value)
    } catch {
      throw CNIError(
        .decodingFailure, "plugin \"\(type)\" answered \(command.rawValue) with no JSON text",
        details: "\(error): \(excerpt(output.bytes))")
    }
  }

  private static func errorResult(_ output: ChildProcess.Output, of type: String) -> CNIError {
    if let value = try? JSONValue(parsing: output.bytes),
      let error = try? CNIError(JSONCursor(value))
    {
      return CNIError(error.code, "plugin \"\(type)\": \(error.message)", details: error.details)
    }
    return CNIError(
      .internalFailure, "plugin \"\(type)\" failed without an error result",
      details: "\(output.status): \(excerpt(output.bytes))")
  }
}

/// The first of `bytes`, quoted, for a message.
private func excerpt(_ bytes: [UInt8]) -> String {
  let text = String(decoding: bytes.prefix(200), as: UTF8.self)
  return "\"\(text)\"" + (bytes.count > 200 ? "… (\(bytes.count) octets)" : "")
}
