import PluginCore
import TestSupport
import Testing

@Suite("the tool's command line") struct CommandLineTests {
  private let tool: Tool
  init() throws { tool = try Tool() }

  @Test("has help with an example for every subcommand, nested ones too")
  func help() throws {
    let help = try tool.run("--help").checked().stdout
    #expect(!help.contains("bench-worker"))
    for command in try Subcommand.all() {
      let output = try TestSupport.run(Patchbay.path, command.path + ["--help"]).checked()
      #expect(output.stderr.isEmpty)
      let examples = output.stdout.split(separator: "\n").drop { !$0.hasPrefix("Example") }
        .dropFirst().prefix { !$0.hasPrefix("USAGE") }
      let words = (["patchbay"] + command.path).joined(separator: " ")
      #expect(
        examples.contains { $0.contains(words) || $0.contains(#""hook", "oci""#) }, "\(words)")
      // A line that is too long for the terminal is broken, and cannot be copied.
      #expect(examples.allSatisfy { $0.hasPrefix("  ") }, "\(words)")
      let long = output.stdout.split(separator: "\n").filter { $0.count > 80 }
      #expect(long.isEmpty, "\(words)")
      if command.path.count == 1 {
        #expect(help.contains("\n  \(command.path[0]) "), "\(words) is not in --help")
      }
    }
  }

  @Test("tells its version")
  func version() throws {
    #expect(try tool.run("--version").checked().stdout == "patchbay \(Release.version)\n")
    let manual = try Project.text("Sources/patchbay/patchbay.8")
    #expect(manual.contains("\"patchbay \(Release.version)\""))
  }

  @Test("has completions", arguments: ["bash", "zsh", "fish"])
  func completions(shell: String) throws {
    let script = try tool.run("--generate-completion-script", shell).checked().stdout
    #expect(script.contains("patchbay"))
    #expect(script.contains("cache-dir"))
  }

  @Test(
    "that is not understood is exit status 2, and says what is legal",
    arguments: [
      ([], ["nosuch"]),
      (["netns"], ["ls"]),
      (["netns"], ["list", "x"]),
      (["add"], []),
      (["add"], ["net"]),
      (["add"], ["net", "ns", "--capability", "mac"]),
      (["add"], ["net", "ns", "--capability", "mac=02:0"]),
      (["add"], ["net", "ns", "--args", "A=B=C"]),
      (["add"], ["net", "ns", "--timeout", "0"]),
      (["del"], ["net"]),
      (["gc"], ["net", "--valid", "x"]),
      (["gc"], ["--none-valid"]),
      (["leases"], ["--data-dir", "/x"]),
      (["help"], ["nosuch"]),
      (["help", "netns"], ["ls"]),
      (["gc"], ["net", "--valid", "x/y", "--none-valid"]),
      (["bench"], ["net", "-p", "0"]),
      (["validate"], []),
    ])
  func usage(command: [String], arguments: [String]) throws {
    let output = try TestSupport.run("\(Plugin.directory)/patchbay", command + arguments)
    #expect(output.status == 2)
    #expect(output.stdout.isEmpty)
    let line = (command + arguments).joined(separator: " ")
    try Messages.expect(
      Patchbay.withoutUsage(output.stderr), of: "patchbay", on: "patchbay \(line)")
  }

  @Test("has CAP_ARGS as a JSON object")
  func capabilityVariable() throws {
    let output = try tool.run("add", "net", "ns", environment: ["CAP_ARGS": "[]"])
    #expect(output.status == 2)
    try Messages.expect(
      Patchbay.withoutUsage(output.stderr), of: "patchbay", on: "CAP_ARGS=[] patchbay add net ns")
  }

  @Test("names the networks there are when it is given another")
  func otherNetwork() throws {
    try tool.network("one", ["type": "bridge"])
    try tool.network("two", ["type": "bridge"])
    for command in ["add", "check", "del"] {
      let output = try tool.run(command, "three", "ns1")
      #expect(output.status == 1)
      #expect(output.stdout.isEmpty)
      try Messages.expect(
        output.stderr, of: "patchbay", on: "patchbay \(command) three ns1",
        hiding: ["DIRECTORY": tool.networks])
    }
    let status = try tool.run("status", "three")
    #expect(status.status == 1)
    try Messages.expect(
      status.stderr, of: "patchbay", on: "patchbay status three",
      hiding: ["DIRECTORY": tool.networks])
  }

  @Test("ends with 1 where its output is lost", arguments: ["version", "list --json"])
  func fullOutput(command: String) throws {
    let output = try TestSupport.run(
      "/bin/sh", ["-c", "\(Plugin.directory)/patchbay \(command) >/dev/full"],
      environment: ["NETCONFPATH": tool.networks, "CNI_PATH": tool.pluginPath, "PATH": "/bin"])
    #expect(output.status == 1)
    try Messages.expect(output.stderr, of: "patchbay", on: "\(command) >/dev/full")
  }

  @Test("takes options before variables")
  func precedence() throws {
    let output = try tool.run("status", "x", "--conf-dir", "/no/such/directory")
    try Messages.expect(
      output.stderr, of: "patchbay", on: "patchbay status x --conf-dir /no/such/directory")
  }

  @Test("says of a namespace that is not there which there are")
  func otherNamespace() throws {
    try tool.network("one", ["type": "bridge"])
    let output = try tool.run("add", "one", "no-such-namespace")
    #expect(output.status == 1)
    #expect(output.stderr.contains("/run/netns/no-such-namespace"))
    let file = try tool.run("add", "one", "/etc/passwd")
    #expect(file.status == 1)
    let first = file.stderr.prefix { $0 != "\n" }
    try Messages.expect(String(first), of: "patchbay", on: "patchbay add one /etc/passwd")
  }

  @Test("lists networks with their files, also those that are hidden or cannot be used")
  func list() throws {
    try tool.network("one", ["type": "bridge"], ["type": "portmap"])
    try tool.files.write(#"{"name": "one", "type": "x"}"#, to: "net.d/z.conf")
    try tool.files.write("{", to: "net.d/a.json")
    let output = try tool.run("list").checked()
    let lines = output.stdout.split(separator: "\n").map {
      $0.split(separator: " ").joined(separator: " ")
    }
    #expect(lines.first == "NETWORK VERSION PLUGINS FILE")
    #expect(lines.dropFirst().first == "one 1.0.0 bridge, portmap one.conflist")
    #expect(lines.dropFirst(2).first == "one 0.1.0 x z.conf (hidden by one.conflist)")
    let whole = try tool.run("list", "--no-trunc").checked().stdout
    #expect(whole.contains("bridge, portmap  \(tool.networks)/one.conflist\n"), "\(whole)")
    #expect(lines.last == "no attachments in \(tool.cache)/results")
    try Messages.expect(
      output.stderr, of: "patchbay", on: "patchbay list, a file that cannot be used",
      hiding: ["DIRECTORY": tool.networks])
    #expect(!output.stdout.contains("\u{1b}"))
    let json = try Document(parsing: try tool.run("list", "--json").checked().bytes)
    #expect(json["attachments"] == [])
    #expect(json["networks"].first(where: "name", is: "one")["plugins"] == ["bridge", "portmap"])
  }

  @Test("says of a network whether it is ready, to programs as well")
  func status() throws {
    var tool = tool
    tool.pluginPath = tool.files.path
    try tool.files.write(
      "#!/bin/sh\n[ ! -e '\(tool.files.path)/down' ] || { "
        + "echo '{\"code\": 50, \"msg\": \"no bridge\"}'; exit 1; }\n", to: "x", mode: 0o755)
    try tool.network("n", version: "1.1.0", ["type": "x"])
    #expect(
      try Document(parsing: tool.run("status", "n", "--json").checked().bytes) == [
        "network": "n", "cniVersion": "1.1.0", "ready": true,
      ])
    try tool.files.write("", to: "down")
    let output = try tool.run("status", "n", "--json")
    #expect(output.status == 1 && output.stderr.isEmpty, "\(output)")
    #expect(
      try Document(parsing: output.bytes) == [
        "network": "n", "cniVersion": "1.1.0", "ready": false,
        "error": "plugin type=\"x\" failed (status): no bridge",
      ])
  }

  @Test("shows the versions that the plugins there are speak")
  func plugins() throws {
    let found = try Document(parsing: try tool.run("version", "--json").checked().bytes)["plugins"]
    let bridge = found.first(where: "type", is: "bridge")
    #expect(bridge["supportedVersions"].array.contains("1.0.0"))
    #expect(bridge["directory"] == .string(Plugin.references))
    let missing = try tool.run("version", "bridge", "nosuch")
    #expect(missing.status == 1)
    #expect(missing.stdout.contains("bridge"))
    try Messages.expect(missing.stderr, of: "patchbay", on: "patchbay version bridge nosuch")
    // What is no plugin has a line, whatever it says; the tool itself has none.
    try tool.files.write("#!/bin/sh\necho one; echo two; exit 3\n", to: "bin/other", mode: 0o755)
    try run("ln", ["-s", Patchbay.path, "\(tool.files.path)/bin/patchbay"]).checked()
    let others = try tool.run("version", "--cni-path", "\(tool.files.path)/bin").checked()
    let lines = others.stdout.split(separator: "\n")
    #expect(lines.count > 2 && lines[2].hasPrefix("other "), "\(others)")
    #expect(lines.count { $0.hasPrefix("patchbay ") } == 1, "\(others)")
    try Messages.expect(
      lines.dropFirst(2).joined(separator: " ").split(separator: " ").joined(separator: " "),
      of: "patchbay", on: "patchbay version, of what is no plugin")
  }
}
