import CNIRuntime
import Foundation
import TestSupport

/// Plugins that are shell scripts: each writes down how it was run, and answers as it is told.
///
/// What a chain does is seen in what its plugins get.
struct ScriptedPlugins {
  let directory: TemporaryDirectory
  let runtime: Runtime
  init() throws {
    directory = try TemporaryDirectory()
    try FileManager.default.createDirectory(
      atPath: "\(directory.path)/log", withIntermediateDirectories: true)
    runtime = Runtime(
      pluginPath: ["\(directory.path)/none", "\(directory.path)/bin"],
      cache: ResultCache(directory: "\(directory.path)/cache"), timeout: .seconds(5))
  }

  /// Makes the plugin `type`; `answers` are lines of a `case` over the command.
  func make(_ type: String, _ answers: String = #"ADD) echo '{"cniVersion":"1.1.0"}' ;;"#) throws {
    let script = """
      #!/bin/sh
      n=$(ls '\(directory.path)/log' | wc -l)
      { echo "\(type) $CNI_COMMAND id=$CNI_CONTAINERID if=$CNI_IFNAME ns=$CNI_NETNS \
      args=$CNI_ARGS path=$CNI_PATH"
        cat
      } >'\(directory.path)/log/'$(printf %03d $n)
      case $CNI_COMMAND in
      \(answers)
      esac
      """
    try directory.write(script, to: "bin/\(type)", mode: 0o755)
  }

  /// How plugins were run, in order: the first line of each.
  var calls: [String] { logs.map { String($0.prefix { $0 != "\n" }) } }
  /// `TYPE COMMAND` of each.
  var order: [String] {
    calls.map { $0.split(separator: " ").prefix(2).joined(separator: " ") }
  }
  /// What each got on standard input.
  var inputs: [Document] {
    logs.map { log in
      (try? Document(parsing: log.drop { $0 != "\n" }.utf8)) ?? .absent
    }
  }
  private var logs: [String] {
    directory.files().filter { $0.key.hasPrefix("log/") }.sorted { $0.key < $1.key }.map(\.value)
  }
  func forget() {
    for name in directory.files().keys where name.hasPrefix("log/") {
      try? FileManager.default.removeItem(atPath: "\(directory.path)/\(name)")
    }
  }
}
