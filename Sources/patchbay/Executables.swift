import ArgumentParser
import Linux

/// Programs by their names, as a shell finds them.
enum Executables {
  /// The name of this one.
  static let tool = "patchbay"

  /// Where an ordinary user's `PATH` often does not lead, though what it takes is there.
  static let administrators = ["/usr/local/sbin", "/usr/sbin", "/sbin"]

  /// `path` with the directories that it lacks of `first` at its beginning, of `last` at its end.
  static func path(_ path: String, with first: [String] = [], _ last: [String] = administrators)
    -> String
  {
    let present = path.split(separator: ":").map { String($0) }
    return
      (first.filter { !present.contains($0) } + present
      + last.filter { !present.contains($0) && !first.contains($0) }).joined(separator: ":")
  }

  /// The file that `name` stands for: itself with a `/` in it, else the first of that name that can
  /// be run in the directories of `path`; nil if there is none.
  static func find(_ name: String, in path: String) -> String? {
    if name.utf8.contains(UInt8(ascii: "/")) { return name }
    for directory in path.split(separator: ":") {
      let candidate = "\(directory)/\(name)"
      guard let status = try? FileStatus(path: candidate), status.kind == .regular,
        status.permissions & 0o111 != 0
      else { continue }
      return candidate
    }
    return nil
  }

  /// Goes on as `command`. Where there is no such program the exit status is 127, where it cannot
  /// be run 126, as a shell has it.
  static func become(_ command: [String], environment: [String]) throws -> Never {
    let variable = environment.last { $0.hasPrefix("PATH=") }
    let path = variable.map { String($0.dropFirst(5)) } ?? ""
    let name = command.first ?? ""
    guard let file = find(name, in: path) else {
      say("there is no program \"\(name)\" in PATH (\(path))", .error)
      throw ExitCode(127)
    }
    do { try Process.execute(file, command, environment: environment) } catch {
      say("cannot run \"\(name)\": \(error)", .error)
      throw ExitCode(error.errno == .noSuchFileOrDirectory ? 127 : 126)
    }
  }
}
