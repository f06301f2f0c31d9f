import Foundation
import TestSupport

/// The tool, as a person runs it.
enum Patchbay {
  static let path = "\(Plugin.directory)/patchbay"
  /// The directory `conf` of the sources.
  static let configurations = Project.path("conf")

  /// Runs it with these arguments.
  static func run(
    _ arguments: String..., environment: [String: String]? = nil, timeout: Duration = .seconds(60)
  ) throws -> Output {
    try TestSupport.run(path, arguments, environment: environment, timeout: timeout)
  }

  /// What it says of an error, without the usage below it, which has every option.
  static func withoutUsage(_ error: some StringProtocol) -> String {
    String(error.split(separator: "\nUsage:", maxSplits: 1).first ?? "")
  }

  /// Runs a script in a playground. Some have many steps, which take long on a busy machine.
  static func play(_ script: String, environment: [String: String] = [:]) throws -> Output {
    let inherited = ProcessInfo.processInfo.environment.filter {
      !["CNI_PATH", "NETCONFPATH"].contains($0.key)
    }
    return try run(
      "playground", "bash", "-c", script, environment: inherited.merging(environment) { $1 },
      timeout: .seconds(300))
  }

  /// The processes that have `NAME=value` in their environment.
  static func processes(with variable: String) -> [String] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return all.filter { pid in
      guard Int(pid) != nil,
        let environment = try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(pid)/environ"))
      else { return false }
      return environment.split(separator: 0).contains { $0.elementsEqual(variable.utf8) }
    }
  }
}
