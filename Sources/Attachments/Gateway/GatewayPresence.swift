internal import Linux
internal import PluginExecution

/// What an ADD holds from before its rows say that it uses a gateway until the gateway has what it
/// needs: the last one to leave takes nothing away meanwhile.
final class GatewayPresence {
  private var lock: LinkLock?

  /// Waits until no one is taking the gateway away.
  init(_ port: GatewayPort, until deadline: Deadline) throws(AttachmentError) {
    do throws(LockError) {
      lock = .some(try LinkLock(.plugin, link: port.name, .shared, until: deadline))
    } catch {
      var kind = AttachmentError.Kind.failed
      if case .held = error { kind = .busy }
      throw AttachmentError(
        kind, "cannot set up the gateway \"\(port.name)\"", details: error.description)
    }
  }

  /// Ends it before this value ends.
  func end() { lock = nil }
}

/// What those hold that may be the last to leave a gateway.
final class GatewayAbsence {
  private var lock: LinkLock?
  /// Whether an ADD is about to use the gateway: that one keeps it, or takes it away.
  let isContradicted: Bool

  /// How long to wait for such an ADD. It holds what this waits for until ovs-vswitchd forwards.
  private static let patience = Duration.seconds(2)

  /// Waits until no ADD is about to use the gateway. Without the files of locks it goes on alone.
  init(_ name: String, until deadline: Deadline) {
    do throws(LockError) {
      lock = .some(
        try LinkLock(
          .plugin, link: name, .exclusive, until: min(deadline, .after(Self.patience))))
      isContradicted = false
    } catch {
      lock = nil
      if case .held = error { isContradicted = true } else { isContradicted = false }
    }
  }

  /// Ends it.
  func end() { lock = nil }
}
