internal import CNI
internal import JSON
internal import Linux
internal import PluginConfigurations

/// One invocation of the plugin `P`, from the environment and standard input to the bytes of the
/// answer.
final class Service<P: Plugin> {
  /// Bytes that a configuration may have.
  private let inputLimit = 8 << 20
  private let started = Deadline.after(.zero)
  private let began = Clock.nanosecondsSinceEpoch
  /// What standard input said; nil until it was read.
  private var text: [UInt8]?

  /// What is left to print: the answer to VERSION, or nothing. Throws the error result.
  func run() throws(CNIError) -> [UInt8] {
    let invocation = try Invocation(environment: { Process.environment($0) })
    let text = try input(within: .seconds(NetworkConfiguration.defaultTimeout))
    self.text = text
    Self.trace(invocation.command)?.received(text)
    guard invocation.command != .version else { return versions(text) }
    let configuration: JSONCursor
    do { configuration = JSONCursor(try JSONValue(parsing: text)) } catch {
      throw CNIError(
        .decodingFailure, "error unmarshall network config: \(error)",
        details: text.isEmpty
          ? "standard input is empty; the plugin configuration is read there" : "")
    }
    let request = try Request(
      invocation, configuration: try P.completed(configuration, for: invocation.command), .ours,
      readsArguments: P.readsArguments)
    return try serve(request)
  }

  /// Prints the error result and ends the process with status 1.
  func refuse(_ error: CNIError) -> Never {
    // A fault of the environment was found before standard input was read.
    let text = self.text ?? (try? input(within: .milliseconds(500))) ?? []
    let version =
      NetworkConfiguration.statedVersion(of: text) ?? SpecificationVersion.current.rawValue
    let output = error.json(version: version).encoded(indentedBy: 4)
    let command = Process.environment("CNI_COMMAND").flatMap { Command(rawValue: $0) }
    if let command { Self.trace(command)?.sent(output) }
    try? StandardStream.output.write(output)
    Process.exit(1)
  }

  private static func trace(_ command: Command) -> JSONTrace? {
    JSONTrace("\(P.name) \(command.rawValue)")
  }

  private func input(within time: Duration) throws(CNIError) -> [UInt8] {
    let deadline = Deadline.after(time)
    do {
      return try StandardStream.input.readToEnd(limit: inputLimit, until: deadline)
    } catch {
      throw CNIError(
        .ioFailure, "cannot read the configuration from standard input",
        details: error.description)
    }
  }

  /// The answer to VERSION, which echoes the version of the input where it has one.
  private func versions(_ input: [UInt8]) -> [UInt8] {
    var version = SpecificationVersion.current.rawValue
    if let value = try? JSONValue(parsing: input), let text = value[PluginMember.cniVersion]?.text,
      !text.isEmpty
    {
      version = text
    }
    let supported = SpecificationVersion.allCases.map { JSONValue.string($0.rawValue) }
    let answer: JSONValue = [
      PluginMember.cniVersion.rawValue: .string(version), "supportedVersions": .array(supported),
    ]
    return answer.encoded() + [0x0a]
  }

  private func serve(_ request: Request) throws(CNIError) -> [UInt8] {
    let log = try openLog(request)
    let deadline = started.advanced(by: .seconds(request.network.timeout))
    let context = Context(deadline: deadline, log: log, began: began)
    do throws(CNIError) {
      // To DEL a path that has come to name another namespace is a sandbox that is gone.
      switch request.invocation.command {
      case .add, .check: try Sandbox.refuseOwnNamespace(request.invocation)
      case .del, .gc, .status, .version: break
      }
      let output = try perform(request, context)
      log.write(.info, "done")
      return output
    } catch {
      log.write(.error, "code \(error.code.rawValue): \(error)")
      throw error
    }
  }

  private func perform(_ request: Request, _ context: Context) throws(CNIError) -> [UInt8] {
    switch request.invocation.command {
    case .add:
      let configuration = try configuration(request)
      let detachment = try detachment(request)
      try P.refuseUnsupported(request)
      let result = try P.add(request, configuration, context)
      // The runtime never deletes an attachment whose result it did not receive.
      do throws(CNIError) { try tell(result, request) } catch {
        let context = Context(
          deadline: .after(Rollback.duration), log: context.log, began: began)
        do throws(CNIError) { try P.del(request, detachment, context) } catch {
          context.log.write(.error, "rolling back: \(error)")
        }
        throw error
      }
    case .del: try P.del(request, detachment(request), context)
    case .check: try P.check(request, configuration(request), context)
    case .gc: try P.gc(request, detachment(request), context)
    case .status:
      let configuration = try configuration(request)
      try P.refuseUnsupported(request)
      try P.status(request, configuration, context)
    case .version: break
    }
    return []
  }

  private func configuration(_ request: Request) throws(CNIError) -> P.Configuration {
    do throws(JSONDecodingError) { return try P.configuration(request) } catch {
      throw CNIError(error)
    }
  }

  private func detachment(_ request: Request) throws(CNIError) -> P.Detachment {
    do throws(JSONDecodingError) { return try P.detachment(request) } catch {
      throw CNIError(error)
    }
  }

  /// Writes the result of ADD.
  private func tell(_ result: AttachmentResult, _ request: Request) throws(CNIError) {
    let version = request.network.version
    let text: [UInt8]
    do throws(InexpressibleResult) { text = try result.json(version).encoded(indentedBy: 4) } catch
    {
      throw CNIError(
        .unsupportedField, InexpressibleResult.message, details: error.description)
    }
    Self.trace(request.invocation.command)?.sent(text)
    do throws(SystemError) { try StandardStream.output.write(text) } catch {
      throw CNIError(
        .ioFailure, "cannot write the result to standard output", details: error.description)
    }
  }

  /// The log that `logLevel` and `logFile` ask for; for DEL and GC that of the defaults where they
  /// ask for what is illegal.
  private func openLog(_ request: Request) throws(CNIError) -> Log {
    let invocation = request.invocation
    var subject = "\(P.name) \(invocation.command.rawValue) network=\(request.network.name)"
    if !invocation.containerID.isEmpty { subject += " container=\(invocation.containerID)" }
    if !invocation.interfaceName.isEmpty { subject += " interface=\(invocation.interfaceName)" }
    do throws(JSONDecodingError) {
      let settings = try LogSettings(request.network.json)
      return Log(level: settings.level, path: settings.path, subject: subject)
    } catch {
      guard invocation.command.isReleasing else { throw CNIError(error) }
      let log = Log(level: .error, path: nil, subject: subject)
      log.write(.error, "\(error)")
      return log
    }
  }
}

extension Plugin {
  /// Serves one invocation and ends the process: exit status 0, or 1 with an error result.
  public static func main() {
    Process.prepare()
    guard let command = Process.environment("CNI_COMMAND"), !command.isEmpty else { about() }
    let service = Service<Self>()
    do throws(CNIError) {
      let output = try service.run()
      if !output.isEmpty {
        do throws(SystemError) { try StandardStream.output.write(output) } catch {
          throw CNIError(
            .ioFailure, "cannot write the result to standard output", details: error.description)
        }
      }
      Process.exit(0)
    } catch {
      service.refuse(error)
    }
  }

  /// Says what this is, when it is run without a command. Nomad reads the first version number.
  private static func about() -> Never {
    let versions = SpecificationVersion.allCases.map { $0.rawValue }.joined(separator: ", ")
    let text =
      "CNI \(name) plugin v\(Release.version) (patchbay)\n"
      + "CNI protocol versions supported: \(versions)\n"
    try? StandardStream.error.write(Array(text.utf8))
    Process.exit(0)
  }
}
