import Foundation
import Synchronization
import TestSupport
import Testing

/// Tests that start container runtimes. One after the other: they share a host.
@Suite("container runtimes", .serialized, .runtimes) enum RuntimeTests {}

/// A machine for container runtimes, as `Tests/runtime-host` makes it. Their files are where they
/// have them everywhere, and no other process sees them.
final class RuntimeHost: Sendable {
  /// One with nothing on it. Tests share it, as long as each leaves it so.
  static func clean() throws -> RuntimeHost {
    try last.withLock { last in
      if let host = last, host.isClean.exchange(false, ordering: .relaxed) { return host }
      last = nil
      let host = try RuntimeHost()
      last = host
      return host
    }
  }
  private static let last = Mutex<RuntimeHost?>(nil)
  private let isClean = Atomic(false)

  /// The root file system of the machine, as .ci/machines/fresh-base makes one; nil for that of
  /// this machine.
  static let root = ProcessInfo.processInfo.environment["PATCHBAY_ROOT"]

  /// The directory of the sources.
  static let sources = Project.root.path

  private let files: TemporaryDirectory
  private let outside: Daemon
  /// Its process 1, as it is called outside.
  private let pid: String

  private init() throws {
    try PrivateHost.require()
    files = try TemporaryDirectory()
    let files = files
    outside = try Daemon(
      "\(Self.sources)/Tests/runtime-host", [Plugin.directory] + (Self.root.map { [$0] } ?? []),
      environment: Self.environment,
      log: "\(files.path)/log")
    let outside = outside
    try eventually("the host for container runtimes", timeout: .seconds(30)) {
      let log = files.read("log") ?? ""
      guard !outside.hasEnded else { throw HostError(description: log) }
      return log.hasPrefix("ready\n") || log.contains("\nready\n")
    }
    let children = "/proc/\(outside.pid)/task/\(outside.pid)/children"
    pid = try String(contentsOfFile: children, encoding: .utf8).trimmingCharacters(in: .whitespaces)
    for (name, text) in Self.image { try write(text, to: "/run/image/\(name)") }
    try sh("sh -e /run/image/make")
  }

  deinit {
    outside.stop(SIGKILL)
    removeControlGroups()
  }

  /// Removes those that no container uses any more: they are not of the host alone.
  private func removeControlGroups() {
    let script = """
      find /sys/fs/cgroup -depth -type d '(' -path '*/libpod_parent*' -o -path '*/lxc.*' \
        -o -path '*/default*' ')' -exec rmdir {} + 2>/dev/null
      """
    _ = try? TestSupport.run("sh", ["-c", script])
  }

  private static let environment = [
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
    "LC_ALL": "C.UTF-8", "CONTAINERD_SNAPSHOTTER": "native",
  ]

  private static func entering(_ pid: String) -> [String] {
    ["--target", pid, "--net", "--mount", "--pid"]
  }

  // MARK: - Programs

  /// Runs a program there.
  func run(
    _ command: [String], environment: [String: String] = [:], input: String = "",
    timeout: Duration = .seconds(30)
  ) throws -> Output {
    try TestSupport.run(
      "nsenter", Self.entering(pid) + ["--wd=/"] + command,
      environment: Self.environment.merging(environment) { $1 }, input: input.utf8,
      timeout: timeout)
  }

  /// Runs a program there, which must succeed, and answers what it prints.
  @discardableResult
  func call(_ command: String..., timeout: Duration = .seconds(30)) throws -> String {
    try run(command, timeout: timeout).checked().stdout
  }

  /// Runs commands of a shell there, which must all succeed, and answers what they print.
  @discardableResult
  func sh(_ script: String, timeout: Duration = .seconds(30)) throws -> String {
    try run(["sh", "-ec", script], timeout: timeout).checked().stdout
  }

  /// Starts a program that stays until `stop` of its name.
  func start(_ command: String...) throws -> Daemon {
    let script = "echo $$ >/run/$0.pid; exec \"$0\" \"$@\""
    return try Daemon(
      "nsenter", Self.entering(pid) + ["sh", "-c", script] + command,
      environment: Self.environment, log: "\(files.path)/\(command[0]).log")
  }

  /// Ends a program that stays.
  func stop(_ program: String, _ daemon: Daemon) throws {
    _ = try run(["sh", "-c", "kill $(cat /run/\(program).pid)"])
    try eventually("the end of \(program)") { daemon.hasEnded }
  }

  /// What a program that stays has written.
  func log(of program: String) -> String { files.read("\(program).log") ?? "" }

  // MARK: - Files

  func write(_ text: String, to path: String) throws {
    let script = "mkdir -p \"${0%/*}\" && cat >\"$0\""
    try run(["sh", "-ec", script, path], input: text).checked()
  }

  /// A file of the sources, at `path`.
  func install(_ name: String, as path: String) throws {
    try call("install", "-D", "\(Self.sources)/\(name)", path)
  }

  // MARK: - What is there

  /// What `patchbay show --json` shows of attachments: each with its `containerID`.
  func attachments() throws -> [Document] {
    let shown = try Document(parsing: call("patchbay", "show", "--json").utf8)
    return shown["bridges"].array.flatMap { $0["ports"].array.map { $0["attachment"] } }
      .filter { !$0.isAbsent && $0 != nil }
  }

  /// Fails unless a container has just these attachments, each as `ovs-1/eth0 192.168.0.1/24`.
  func expectAttachments(
    of containerID: String, _ expected: [String], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let found = try attachments(of: containerID)
    #expect(found == expected, sourceLocation: sourceLocation)
  }

  /// Everything that attachments leave while they are there, and what shows of them.
  func remains() throws -> String {
    try sh(
      """
      find /var/lib/cni -type f \\( -path '*/results/*' -o -name '*.*.*.*' -o -name '*:*' \\)
      ip -oneline link show type veth
      ovs-vsctl --timeout=10 show | grep 'Port veth' || true
      iptables -t nat -S | grep 'CNI-DN' || true
      nft list tables | grep patchbay | grep -v patchbay_host_ends || true
      ip -oneline -4 address show | grep -v ': lo ' || true
      """)
  }

  /// Fails unless all that was attached is detached, or soon is; then makes the host as it was.
  func expectNothingLeft(sourceLocation: SourceLocation = #_sourceLocation) throws {
    var left = ""
    for _ in 0..<60 {
      left = try remains()
      if left.isEmpty { break }
      usleep(50_000)
    }
    #expect(left.isEmpty, sourceLocation: sourceLocation)
    let shown = try call("patchbay", "show")
    #expect(shown.hasSuffix("no problem\n"), sourceLocation: sourceLocation)
    try sh(
      """
      for bridge in $(ovs-vsctl --timeout=10 list-br); do ovs-vsctl del-br $bridge; done
      rm -rf /etc/cni/net.d/* /var/lib/cni/*
      """)
    removeControlGroups()
    isClean.store(left.isEmpty, ordering: .relaxed)
  }
}

/// Why there is no host.
struct HostError: Error, CustomStringConvertible {
  let description: String
}

/// Lets a suite run where container runtimes can: as root of the machine.
struct RuntimesTrait: SuiteTrait, TestTrait {
  var isRecursive: Bool { true }

  func prepare(for test: Test) async throws {
    let mapped = (try? String(contentsOfFile: "/proc/self/uid_map", encoding: .utf8)) ?? ""
    let isRoot =
      geteuid() == 0 && mapped.split(separator: " ").count == 3 && !mapped.contains(" 1\n")
    let isCI = ProcessInfo.processInfo.environment["CI"] == "true"
    try await ConditionTrait.disabled(
      if: !isRoot && !isCI, "container runtimes need root, with its users and control groups"
    ).prepare(for: test)
    let privateHost: PrivateHostTrait = .privateHost
    try await privateHost.prepare(for: test)
  }
}

extension Trait where Self == RuntimesTrait {
  /// The test starts container runtimes.
  static var runtimes: Self { RuntimesTrait() }
}
