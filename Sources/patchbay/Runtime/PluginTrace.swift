import CNI
import CNIRuntime
import JSON
import Linux
import PluginExecution

/// What `--trace` shows: what goes into each plugin and what comes out of it.
enum PluginTrace {
  /// Writes `event` to standard error.
  static func show(_ event: PluginEvent) {
    switch event {
    case .starting(let call):
      say("→ \(call.command.rawValue) \(call.type)  \(call.executable)", .strong)
      for variable in call.environment { say("  \(variable.controlCharactersEscaped)", .faint) }
      say(indented(call.input.encoded(indentedBy: 2)))
    case .wrote(_, let octets): try? StandardStream.error.write(printable(octets))
    case .ended(let call, .success(let output), let duration):
      let line =
        "← \(call.command.rawValue) \(call.type)  \(output.status), \(duration.milliseconds)"
      say(line, output.status == .exited(0) ? .good : .error)
      guard !output.bytes.isEmpty else { return }
      let value = try? JSONValue(parsing: output.bytes)
      say(indented(value?.encoded(indentedBy: 2) ?? output.bytes))
    case .ended(let call, .failure(let failure), let duration):
      let reason = failure.description.controlCharactersEscaped
      say("← \(call.command.rawValue) \(call.type)  \(reason), \(duration.milliseconds)", .error)
    case .removingRemains: remark(event)
    }
  }

  /// Writes what is worth knowing without being asked for.
  static func remark(_ event: PluginEvent) {
    switch event {
    case .starting: return
    case .wrote(_, let octets): plugins.take(octets)
    case .ended(_, let result, _): plugins.end(result)
    case .removingRemains(let cached): remark(cached)
    }
  }

  private static let plugins = PluginLogFilter()

  private static func remark(_ cached: CachedAttachment) {
    say(
      "the interface \"\(cached.attachment.interfaceName)\" that container "
        + "\"\(cached.attachment.containerID)\" had on network \"\(cached.network)\" is gone; "
        + "first its remains are removed by DEL", .warning)
  }

  private static func indented(_ bytes: [UInt8]) -> String {
    String(decoding: bytes, as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false)
      .map { "  \($0)" }.joined(separator: "\n")
  }
}

extension Duration {
  /// `12.3 ms`
  var milliseconds: String {
    let tenths = (nanoseconds + 50_000) / 100_000
    return "\(tenths / 10).\(tenths % 10) ms"
  }
}
