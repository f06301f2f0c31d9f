import Foundation
import Testing

/// The place where tests may change links, namespaces and Open vSwitch: a mount and a network
/// namespace of their own, with a private `/run`, as `Tests/private` makes it.
public enum PrivateHost {
  /// Why this process may not do what it was about to.
  public struct NotPrivate: Error, CustomStringConvertible {
    /// What to do.
    public let description: String
  }

  /// `Tests/private` writes here in which network namespace one is safe. The variable alone, which
  /// anything may inherit, says nothing: this process must be there.
  private static let promised = ProcessInfo.processInfo.environment["PATCHBAY_PRIVATE"]

  /// Whether this process is in the private place.
  public static var isHere: Bool {
    guard let promised, !promised.isEmpty else { return false }
    return promised
      == (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net"))
  }

  /// Whether this machine has no such place to give; never true in CI.
  public static var isImpossible: Bool {
    promised == "impossible" && ProcessInfo.processInfo.environment["CI"] != "true"
  }

  /// Throws unless this process is in the private place.
  public static func require() throws {
    guard !isHere else { return }
    throw NotPrivate(
      description: """
        this test would change this machine's network: run it by `make test`, or by \
        `Tests/private swift test --skip-build --filter NAME` after `swift build --build-tests`
        """)
  }
}

/// Lets a test or suite run in the private place only; see `Trait.privateHost`.
public struct PrivateHostTrait: SuiteTrait, TestTrait {
  /// It is one for every test of a suite.
  public var isRecursive: Bool { true }

  /// Throws outside of the private place.
  public func prepare(for test: Test) async throws {
    let skipped = ConditionTrait.disabled(
      if: PrivateHost.isImpossible, "no private network namespace on this machine")
    try await skipped.prepare(for: test)
    try PrivateHost.require()
  }
}

extension Trait where Self == PrivateHostTrait {
  /// The test changes links, namespaces or Open vSwitch: outside of the private place it fails.
  public static var privateHost: Self { PrivateHostTrait() }
}

/// `base` with the process ID and a number: a name that no other test of this run uses, at most 15
/// octets where `base` has at most 4.
public func uniqueName(_ base: String) -> String {
  "\(base)\(ProcessInfo.processInfo.processIdentifier % 1_000_000)x\(names.next())"
}

private let names = Counter()
