import TestSupport

/// A subcommand of the tool, as the tool itself describes it.
struct Subcommand {
  /// `netns`, `add`
  let path: [String]
  /// With their dashes: `--ifname`, `-i`.
  let options: [String]

  /// Those that a person is shown, nested ones as well; first the tool itself, with an empty path.
  static func all() throws -> [Subcommand] {
    let description = try Document(
      parsing: Patchbay.run("--experimental-dump-help").checked().bytes)
    return below(description["command"], [])
  }

  private static func below(_ command: Document, _ path: [String]) -> [Subcommand] {
    let options = command["arguments"].array.filter { $0["shouldDisplay"] == true }.flatMap {
      $0["names"].array.compactMap { name in
        name["name"].text.map { (name["kind"] == "long" ? "--" : "-") + $0 }
      }
    }
    let own = Subcommand(path: path, options: options)
    return command["subcommands"].array.filter { command in
      command["shouldDisplay"] == true && command["commandName"] != "help"
    }.reduce(into: [own]) { all, command in
      all += below(command, path + [command["commandName"].text ?? ""])
    }
  }
}
