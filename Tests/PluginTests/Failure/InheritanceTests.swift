import TestSupport
import Testing

/// Who starts a plugin hands on more than its environment: signals that are ignored or blocked,
/// limits, descriptors that are closed, a directory that is gone.
@Suite("What a plugin is started with", .privateHost) struct InheritanceTests {
  /// What a shell does before it goes on as the plugin, `$0`.
  struct Start: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let script: String

    init(_ description: String, _ script: String) {
      (testDescription, self.script) = (description, script)
    }
  }
  private static let blocking = """
    my $all = POSIX::SigSet->new; $all->fillset; sigprocmask(SIG_BLOCK, $all); exec @ARGV
    """
  static let starts = [
    Start("ends of children that are ignored", "exec env --ignore-signal=CHLD $0"),
    Start("every signal blocked", "exec perl -MPOSIX=:signal_h -e '\(blocking)' $0"),
    Start("no standard error", "exec $0 2>&-"),
    Start(
      "no standard error, and DEL no standard stream",
      "[ $CNI_COMMAND = ADD ] || exec >&-; exec $0 2>&-"),
    Start("few descriptors", "ulimit -n 40; exec $0"),
    Start("little stack", "ulimit -s 512; exec $0"),
    Start("a mask that takes every permission", "umask 0777; exec $0"),
    Start("a directory that is gone", "d=$(mktemp -d); cd $d; rmdir $d; exec $0"),
  ]

  private func run(
    _ command: String, _ script: String, _ network: Network, _ sandbox: Sandbox,
    members: [String: Document] = [:]
  ) throws -> PluginResult {
    try network.plugin.call(
      command, network.addressed("10.1.0.0/24", members: ["logLevel": "debug"]).with(members),
      containerID: "c1", sandbox: sandbox.path, ifname: "eth0", through: ["sh", "-c", script])
  }

  @Test("is no reason to fail, and ADD and DEL do what they do", arguments: starts)
  func start(_ start: Start) throws {
    let network = try Network()
    let sandbox = try Sandbox()
    let before = try network.host.snapshot()
    let result = try run("ADD", start.script, network, sandbox)
    try result.checked()
    #expect(result.json["ips"][0]["address"].text?.hasPrefix("10.1.0.") == true, "\(result)")
    try run("DEL", start.script, network, sandbox).checked()
    let left = try network.host.snapshot().difference(from: before).split(separator: "\n").filter {
      !$0.hasPrefix("+ file:") || $0.contains("/10.1.0.")
    }
    #expect(left == [])
    // Nothing that was opened has become standard error, to which the log goes.
    let written = try network.host.namespace.exec(
      "find", ["/run/patchbay", "-name", "*.lock", "-size", "+0"])
    #expect(written.stdout == "")
  }

  @Test("files that may have no content: ADD says so, and leaves nothing")
  func fileSize() throws {
    let network = try Network()
    let sandbox = try Sandbox()
    // The log is one of them, and the lease another.
    let log = "\(network.host.directory.path)/log"
    let refused = try run(
      "ADD", "ulimit -f 0; exec $0", network, sandbox, members: ["logFile": .string(log)])
    #expect(refused.status == 1 && refused.code != nil, "\(refused)")
    #expect(try network.host.ip("link").array.allSatisfy { $0["group"].text == "default" })
    #expect(try sandbox.ip("link").array.count == 1)
  }
}
