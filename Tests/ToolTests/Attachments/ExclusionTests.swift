import Foundation
import TestSupport
import Testing

/// The tool is a runtime: the specification wants it to exclude its own commands on one attachment,
/// and GC against all others of its network.
@Suite("commands that exclude each other", .privateHost) final class ExclusionTests {
  private var tool: Tool
  private let sandbox: Sandbox
  init() throws {
    tool = try Tool()
    sandbox = try Sandbox()
    tool.pluginPath = tool.files.path
    // It writes when it begins and ends, and takes a while.
    try tool.files.write(
      """
      #!/bin/sh
      cat >/dev/null
      log='\(tool.files.path)/log'
      echo "begin $CNI_COMMAND $CNI_CONTAINERID" >>"$log"
      case $CNI_CONTAINERID in
        forever) exec sleep 30 ;;
        long) sleep 3 ;;
        meet*)
          for turn in $(seq 200); do
            [ "$(grep -c ^begin "$log")" -lt 2 ] || break
            sleep 0.1
          done ;;
        *) sleep 0.3 ;;
      esac
      echo "end $CNI_COMMAND $CNI_CONTAINERID" >>"$log"
      [ "$CNI_COMMAND" != ADD ] || echo '{"cniVersion": "1.1.0"}'
      """, to: "slow", mode: 0o755)
    try tool.network("net", version: "1.1.0", ["type": "slow"])
  }

  /// Runs these at once, each a command line of the tool; returns their exit statuses.
  private func atOnce(_ lines: String..., between: String = "") throws -> [String] {
    let patchbay = "'\(Plugin.directory)/patchbay'"
    let options = "--cache-dir '\(tool.cache)' >/dev/null 2>'\(tool.files.path)/said'"
    let starts = lines.map { "\(patchbay) \($0) \(options) & pids=\"$pids $!\"; \(between)" }
    let script =
      "pids=\n\(starts.joined(separator: "\n"))\nfor p in $pids; do wait $p; echo $?; done"
    var environment = ProcessInfo.processInfo.environment
    environment["NETCONFPATH"] = tool.networks
    environment["CNI_PATH"] = tool.pluginPath
    let output = try run("bash", ["-c", script], environment: environment, timeout: .seconds(60))
    return try output.checked().stdout.split(separator: "\n").map { String($0) }
  }
  /// Waits in the shell until the first command is at work.
  private var begun: String {
    "until grep -q ^begin '\(tool.files.path)/log' 2>/dev/null; do sleep 0.05; done"
  }
  private var log: [String] {
    (tool.files.files()["log"] ?? "").split(separator: "\n").map { String($0) }
  }

  @Test("two on one attachment have their turns")
  func attachment() throws {
    // Without an interface nothing is up, so the second replaces what the first has made.
    let statuses = try atOnce(
      "add net \(sandbox.name) --container-id a", "del net \(sandbox.name) --container-id a",
      "check net \(sandbox.name) --container-id a")
    #expect(statuses.count == 3)
    let log = log
    #expect(log.count >= 4 && log.count % 2 == 0)
    for index in stride(from: 0, to: log.count, by: 2) {
      #expect(log[index].hasPrefix("begin "), "\(log)")
      #expect(log[index + 1] == "end " + log[index].dropFirst(6), "\(log)")
    }
  }

  @Test("those on two attachments do not wait for each other")
  func others() throws {
    let statuses = try atOnce(
      "add net \(sandbox.name) --container-id meet-a",
      "add net \(sandbox.name) --container-id meet-b")
    #expect(statuses == ["0", "0"])
    // Each ends when the other has begun.
    #expect(log.prefix(2).allSatisfy { $0.hasPrefix("begin ") }, "\(log)")
  }

  @Test("GC has its network to itself")
  func gc() throws {
    let statuses = try atOnce(
      "add net \(sandbox.name) --container-id long", "gc net --none-valid",
      "add net \(sandbox.name) --container-id b", between: begun + "; sleep 0.7")
    #expect(statuses == ["0", "0", "0"])
    // The one that was at work first ends; then what it made is freed; then comes the other.
    #expect(
      log == [
        "begin ADD long", "end ADD long", "begin DEL long", "end DEL long", "begin GC ", "end GC ",
        "begin ADD b", "end ADD b",
      ], "\(log)")
  }

  @Test("one that does not get its turn in time says so, and one that was killed had none")
  func deadline() throws {
    let statuses = try atOnce(
      "add net \(sandbox.name) --container-id forever --timeout 6",
      "del net \(sandbox.name) --container-id forever --timeout 1", between: begun)
    #expect(statuses == ["1", "1"])
    #expect(log.filter { $0.hasPrefix("begin ADD") }.count == 1, "\(log)")
    let output = try run(
      "timeout",
      [
        "--signal=KILL", "0.5", "\(Plugin.directory)/patchbay", "add", "net", sandbox.path,
        "--container-id", "forever", "--conf-dir", tool.networks, "--cni-path", tool.pluginPath,
        "--cache-dir", tool.cache,
      ])
    #expect(output.status == 137 || output.status == 9 || output.status == -9, "\(output)")
    let added = try tool.run("add", "net", sandbox.name, "--container-id", "next", "--timeout", "5")
    #expect(added.status == 0, "\(added)")
  }

  @Test("the locks are root's, and do not grow")
  func file() throws {
    try tool.run("add", "net", sandbox.name, "--container-id", "a").checked()
    let modes = try run("stat", ["-c", "%a %s %U", "/run/patchbay", "/run/patchbay/runtime.lock"])
    let lines = try modes.checked().stdout.split(separator: "\n")
    #expect(lines.first?.hasPrefix("700 ") == true && lines.last == "600 0 root", "\(modes)")
  }
}
