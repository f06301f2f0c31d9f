import ArgumentParser
import Linux
import Synchronization
import PluginCore

@main
struct Patchbay: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: Executables.tool,
    abstract: "Plug network namespaces into networks, by hand, with CNI plugins.",
    discussion: """
      Runs what a container runtime would run: network configurations of a directory, the \
      plugins they name, and libcni's cache of results.

      Example:
        patchbay netns add ns1
        patchbay add ovs-1 ns1
        patchbay show
        patchbay del ovs-1 ns1
      """,
    version: "patchbay \(Release.version)",
    subcommands: [
      Add.self, Check.self, Del.self, GC.self, Status.self, List.self, Show.self,
      LeasesCommand.self, ClusterCommand.self, TraceCommand.self, DoctorCommand.self, Repair.self,
      Version.self, Validate.self, Bench.self, BenchWorker.self, NetworkCommand.self,
      Netns.self, Playground.self,
      Hook.self,
    ])

  static func main() {
    Process.prepare()
    let words = CommandLine.arguments.dropFirst()
    if words.first == "help", let text = unknownCommand(Array(words.dropFirst())) {
      say(text)
      exit(withError: ExitCode(2))
    }
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch { end(error) }
    if outputIsLost.load(ordering: .relaxed) {
      say("cannot write to standard output; what the command has done is done", .error)
      exit(withError: ExitCode(1))
    }
  }

  /// Ends with exit status 0 after help, 1 when it could not be done, 2 when it was not understood.
  private static func end(_ error: any Error) -> Never {
    let code = exitCode(for: error)
    if let failure = error as? Failure {
      say(failure.description, .error)
      exit(withError: ExitCode(1))
    }
    guard code == .validationFailure else { exit(withError: error) }
    say(unknownCommand(Array(CommandLine.arguments.dropFirst())) ?? fullMessage(for: error))
    exit(withError: ExitCode(2))
  }

  /// That a word which should name a command names none, and which there are; nil where all do.
  private static func unknownCommand(_ words: [String]) -> String? {
    var group: any ParsableCommand.Type = Patchbay.self
    var path = Executables.tool
    for word in words {
      let commands = group.configuration.subcommands
      guard !commands.isEmpty, !word.hasPrefix("-"), word != "help" else { return nil }
      guard let next = commands.first(where: { $0.configuration.commandName == word }) else {
        let names = commands.filter { $0.configuration.shouldDisplay }.compactMap {
          $0.configuration.commandName
        }
        return "there is no command \"\(path) \(word)\"; there is: \(names.joined(separator: ", "))"
      }
      group = next
      path += " \(word)"
    }
    return nil
  }
}
