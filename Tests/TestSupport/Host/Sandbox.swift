import Synchronization

/// A network namespace with a name, its `lo` up, deleted when this value goes away.
public final class Sandbox: Sendable {
  /// Its name, as in `ip netns list`.
  public let name: String
  /// Where it is bound: what a runtime gives as `CNI_NETNS`.
  public var path: String { "/run/netns/\(name)" }
  private let isThere = Mutex(true)

  /// Makes it; throws outside of the private place.
  public init() throws {
    try PrivateHost.require()
    name = uniqueName("pbt")
    try run("ip", ["netns", "add", name]).checked()
    try exec("ip", ["link", "set", "lo", "up"]).checked()
  }

  deinit { delete() }

  /// Deletes it now: what a test does that wants a sandbox that is gone.
  public func delete() {
    isThere.withLock { there in
      if there { _ = try? run("ip", ["netns", "delete", name]) }
      there = false
    }
  }

  /// Runs a program in it.
  @discardableResult
  public func exec(
    _ program: String, _ arguments: [String] = [], environment: [String: String]? = nil,
    input: some Sequence<UInt8> = "".utf8, timeout: Duration = .seconds(30)
  ) throws -> Output {
    try run(
      "ip", ["netns", "exec", name, executable(program)] + arguments, environment: environment,
      input: input, timeout: timeout)
  }

  /// Gives the host so many links that ADD asks for its port before it makes the link.
  public func addManyLinks() throws {
    let lines = (0..<40).map { "link add many\($0) type veth peer name other\($0)\n" }
    try exec("ip", ["-batch", "-"], input: lines.joined().utf8).checked()
  }

  /// What `ip -j` reports in it: `sandbox.ip("-d", "link", "show", "eth0")`.
  public func ip(_ arguments: String...) throws -> Document {
    try TestSupport.ip(in: self, arguments)
  }
}

/// What `ip -j` reports: an array of objects, or `.null` where it prints nothing.
public func ip(in sandbox: Sandbox? = nil, _ arguments: [String]) throws -> Document {
  let output = try run(
    "ip", (sandbox.map { ["-n", $0.name] } ?? []) + ["-j"] + arguments
  ).checked()
  return output.bytes.isEmpty ? .null : try Document(parsing: output.bytes)
}
/// What `ip -j` reports: an array of objects, or `.null` where it prints nothing.
public func ip(_ arguments: String...) throws -> Document { try ip(in: nil, arguments) }
