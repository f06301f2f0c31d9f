import ArgumentParser
import JSON
import Linux

/// `patchbay netns`
struct Netns: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "netns",
    abstract: "Network namespaces by hand.",
    discussion: """
      They are those of ip-netns(8): what one of the two programs adds, the other sees, enters and \
      deletes.

      Examples:
        patchbay netns add ns1 ns2
        patchbay netns exec ns1 ip address
        patchbay netns del ns1 ns2
      """,
    subcommands: [NetnsAdd.self, NetnsList.self, NetnsDelete.self, NetnsExec.self])
}

/// `patchbay netns add`
struct NetnsAdd: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Add network namespaces, with lo up.",
    discussion: """
      Example:
        patchbay netns add ns1 ns2
      """)

  @Argument(help: "The names; each becomes a file in /run/netns.")
  var names: [String]

  func run() throws { for name in names { try NetnsNames.add(name) } }
}

/// `patchbay netns list`
struct NetnsList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the network namespaces that have a name.",
    discussion: """
      Examples:
        patchbay netns list
        patchbay netns list --json | jq -r '.[].path'
      """)

  @Flag(help: "A JSON text instead: [{\"name\": …, \"path\": …}].")
  var json = false

  func run() throws {
    let all = try NetnsNames.all()
    guard !json else {
      let rows = all.filter { NetnsNames.isNamespace($0) }.map { name -> JSONValue in
        ["name": .string(name), "path": .string(NetnsNames.path(name))]
      }
      return print(String(decoding: JSONValue.array(rows).encoded(indentedBy: 2), as: UTF8.self))
    }
    for name in all {
      let text = name.controlCharactersEscaped
      print(NetnsNames.isNamespace(name) ? text : "\(text) (a file without a namespace)")
    }
  }
}

/// `patchbay netns del`
struct NetnsDelete: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "del", abstract: "Delete the names of network namespaces.",
    discussion: """
      A namespace ends when no process is in it any more.

      Example:
        patchbay netns del ns1 ns2
      """)

  @Argument(help: "The names, as list shows them.", completion: .namespaces)
  var names: [String]

  func run() throws { for name in names { try NetnsNames.remove(name) } }
}

/// `patchbay netns exec`
struct NetnsExec: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exec", abstract: "Run a command in a network namespace.",
    discussion: """
      The command sees the namespace's links in /sys, and the files of /etc/netns/NAME in /etc. \
      The exit status is its own.

      Examples:
        patchbay netns exec ns1 ip address
        patchbay netns exec ns1 ping -c 1 192.168.0.9
      """)

  @Argument(
    help: "The name of the network namespace, as list shows it.", completion: .namespaces)
  var name: String

  @Argument(parsing: .captureForPassthrough, help: "The command and its arguments.")
  var command: [String]

  func run() throws {
    if command.first == "--help" || command.first == "-h" { throw CleanExit.helpRequest(self) }
    let command = command.first == "--" ? Array(command.dropFirst()) : command
    guard !command.isEmpty else {
      throw ValidationError("There is no command to run: patchbay netns exec \(name) ip address")
    }
    let namespace = try NetnsNames.open(name)
    do {
      try namespace.enter()
      try Process.unshare(.mount)
      // What is mounted from here on is this command's; what others mount, it still sees.
      try Mount.setPropagation(of: "/", .receiving)
    } catch {
      throw Failure("cannot enter network namespace \"\(name)\": \(error)")
    }
    mountSystemFiles()
    bindConfiguration()
    try Executables.become(command, environment: Process.environment)
  }

  /// The files in /sys are those of the network namespace in which they were mounted.
  private func mountSystemFiles() {
    do {
      let options: Mount.Options = try Mount.isReadOnly("/sys") ? .readOnly : []
      try? Mount.remove(at: "/sys")
      try Mount.add("sysfs", on: "/sys", options)
    } catch { say("/sys does not show the links of \"\(name)\": \(error)", .warning) }
  }

  private func bindConfiguration() {
    let directory = "/etc/netns/\(name)"
    guard let names = try? Directory(path: directory).names() else { return }
    for file in names {
      do { try Mount.bind("\(directory)/\(file)", on: "/etc/\(file)") } catch {
        say("/etc/\(file) is not that of \"\(name)\": \(error)", .warning)
      }
    }
  }
}
