import ArgumentParser
import CNIRuntime
import JSON
import Linux

/// `patchbay network edit`
struct NetworkEdit: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "edit", abstract: "Change a network's configuration in an editor.",
    usage: "patchbay network edit <name> [<options>]",
    discussion: """
      The editor is VISUAL, else EDITOR, else vi. It gets a copy, which takes the file's place if \
      it validates. Attachments that there are keep what they were made with.

      Example:
        patchbay network edit lab
      """)

  @Argument(help: "The network's name.", completion: .networks)
  var name: String

  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  func run() throws {
    let (path, _) = try NetworkFile.find(name, options)
    let parts = path.split(separator: "/")
    let file = parts.last.map { String($0) } ?? path
    let copy = ".\(file).edit"
    do {
      let directory = try Directory(path: String(path.dropLast(file.count + 1)))
      let before = try directory.read(file, limit: 16 << 20) ?? []
      try directory.replace(copy, with: before, mode: 0o600)
      defer { _ = try? directory.remove(copy) }
      try edit("\(directory.path)/\(copy)")
      let after = try directory.read(copy, limit: 16 << 20) ?? []
      guard after != before else { return say("\(path) is as it was") }
      let json: JSONValue
      do { json = try JSONValue(parsing: after) } catch {
        throw Failure("\(path) is as it was: what was written is not JSON: \(error)")
      }
      do { try NetworkFile.validate(json, as: file) } catch {
        throw Failure("\(path) is as it was; what was written has faults:\n\(error)")
      }
      try directory.replace(file, with: after, mode: 0o644)
    } catch let error as SystemError { throw Failure("cannot change \(path): \(error)") }
  }

  private func edit(_ path: String) throws {
    let set = [Process.environment("VISUAL"), Process.environment("EDITOR")].compactMap { $0 }
    let editor = set.first { !$0.isEmpty } ?? "vi"
    guard let child = try Process.fork() else {
      // An editor with options is several words, which a shell takes apart.
      try Executables.become(
        ["/bin/sh", "-c", "\(editor) \"$1\"", "sh", path], environment: Process.environment)
    }
    guard case .exited(0) = try Process.waitForEnd(of: child) else {
      throw Failure("the editor \"\(editor)\" did not succeed; nothing was changed")
    }
  }
}
