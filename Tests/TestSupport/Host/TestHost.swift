import Foundation

/// A host of its own for one test: a network namespace with its own Open vSwitch, in which plugins
/// run as they would on a machine. Nothing another test does is seen here, so that what is there
/// before and after can be compared.
public final class TestHost: Sendable {
  /// The network namespace of the host.
  public let namespace: Sandbox
  /// Works in `namespace`.
  public let openVSwitch: OpenVSwitch
  /// For leases, caches and configurations.
  public let directory: TemporaryDirectory

  /// Makes the namespace and starts Open vSwitch in it.
  public init() throws {
    namespace = try Sandbox()
    openVSwitch = try .start(in: namespace)
    directory = try TemporaryDirectory()
  }

  /// An executable that runs on this host.
  public func plugin(_ name: String, reference: Bool = false) -> Plugin {
    Plugin(name, in: namespace, reference: reference)
  }

  /// What `ip -j` reports on this host.
  public func ip(_ arguments: String...) throws -> Document {
    try TestSupport.ip(in: namespace, arguments)
  }

  /// What is on this host now, the files of `directory` included.
  public func snapshot() throws -> HostSnapshot {
    try HostSnapshot(in: namespace, openVSwitch, directories: [directory.path])
  }

  /// What is on this host when what was set off by the last change has happened, too.
  public func settledSnapshot() throws -> HostSnapshot {
    var last = try snapshot()
    for _ in 0..<50 {
      usleep(100_000)
      let next = try snapshot()
      if next == last { break }
      last = next
    }
    return last
  }
}
