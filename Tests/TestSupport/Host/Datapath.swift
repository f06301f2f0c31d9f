import Foundation
import Testing

/// What forwards the frames of the tests' bridges.
///
/// Nearly every test is about both. One that is about one of them says so, by `Trait.only`.
public enum Datapath: String, Sendable {
  /// ovs-vswitchd itself, which every kernel can do.
  case userspace = "netdev"
  /// The module openvswitch.ko.
  case kernel = "system"

  /// The one of this run: the `datapath_type` in the variable `PATCHBAY_DATAPATH`, else userspace.
  public static let current = environment["PATCHBAY_DATAPATH"].flatMap(Self.init) ?? .userspace
}

/// A machine that is there for the tests alone and is thrown away after them, as that of
/// `.ci/machines/test-kernel`: tests may load, unload and block modules of its kernel.
public enum DisposableMachine {
  /// Whether this is one.
  public static let isHere = environment["PATCHBAY_MACHINE"] == "disposable"
}

/// How many times longer than elsewhere everything takes: the variable `PATCHBAY_SLOWNESS`, which
/// is more than 1 under emulation. What waits for something waits that much longer.
public let slowness = environment["PATCHBAY_SLOWNESS"].flatMap { Int($0) } ?? 1

private let environment = ProcessInfo.processInfo.environment

extension Trait where Self == ConditionTrait {
  /// The test is about what one datapath does, and is not run on another.
  public static func only(on datapath: Datapath) -> Self {
    .enabled(if: Datapath.current == datapath, "about the datapath \(datapath) alone")
  }

  /// The test changes which modules the kernel has.
  public static var onDisposableMachine: Self {
    .enabled(
      if: DisposableMachine.isHere, "changes the kernel; .ci/machines/test-kernel has a machine")
  }
}
