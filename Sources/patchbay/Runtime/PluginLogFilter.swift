import CNIRuntime
import Linux
import PluginExecution
import Synchronization

/// What plugins write to standard error, on its way to ours.
///
/// A plugin that refuses says so in its log, and each plugin that runs it as a delegate once more
/// in its own. Those lines are left out where the error result says the same.
final class PluginLogFilter: Sendable {
  private struct State {
    /// The line that has not come to its end.
    var rest: [UInt8] = []
    /// Lines that may say what the error result will.
    var refusals: [[UInt8]] = []
  }
  private let state = Mutex(State())

  /// Lines that are longer are handed on in pieces.
  private static let longest = 64 << 10
  /// More refusals of one plugin are handed on at once.
  private static let most = 64

  /// Takes what a plugin wrote, and hands on what is no refusal.
  func take(_ octets: [UInt8]) {
    state.withLock { state in
      var rest = state.rest + octets
      defer { state.rest = rest }
      var start = rest.startIndex
      while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
        let line = Array(rest[start...end])
        start = end + 1
        if Self.refusal(line) != nil, state.refusals.count < Self.most {
          state.refusals.append(line)
        } else {
          Self.write(line)
        }
      }
      rest.removeSubrange(..<start)
      if rest.count > Self.longest {
        Self.write(rest)
        rest = []
      }
    }
  }

  /// The plugin has ended so: hands on what its result does not say.
  func end(_ result: Result<PluginOutput, PluginFailure>) {
    var reason = ""
    do throws(PluginFailure) { _ = try result.get().result() } catch {
      reason = Self.inOneLine(error.description)
    }
    state.withLock { state in
      for line in state.refusals where !reason.contains(Self.inOneLine(Self.refusal(line) ?? "")) {
        Self.write(line)
      }
      if !state.rest.isEmpty { Self.write(state.rest + [UInt8(ascii: "\n")]) }
      state = State()
    }
  }

  /// What a plugin of ours refuses with, if `line` of its log says that, as
  /// `2026-11-25T14:05:28.932Z error host-local ADD … duration=0.291ms code 7: ipam: missing` does.
  private static func refusal(_ line: [UInt8]) -> String? {
    let words = String(decoding: line, as: UTF8.self).dropLast()
      .split(separator: " ", maxSplits: 2)
    guard words.count == 3, words[1] == "error", let start = words[2].firstRange(of: "ms code ")
    else {
      return nil
    }
    let reason = words[2][start.upperBound...].split(separator: ": ", maxSplits: 1)
    return reason.count == 2 ? String(reason[1]) : nil
  }

  /// A reason as it is compared: a log has a space or an escape for each line feed.
  private static func inOneLine(_ text: String) -> String {
    text.controlCharactersEscaped.split(separator: "\\n", omittingEmptySubsequences: false)
      .joined(separator: " ")
  }

  private static func write(_ octets: [UInt8]) {
    try? StandardStream.error.write(printable(octets))
  }
}
