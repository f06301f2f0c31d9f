internal import CNI
internal import Linux
internal import PluginExecution

/// The turn of one command of a runtime, as long as the value lives: the specification wants a
/// runtime to exclude its commands on one attachment from each other, and GC of a network from all
/// others of that network (CNI specification 1.1.0, section 2).
enum RuntimeTurn {
  /// ADD, CHECK or DEL of one attachment.
  struct OnAttachment: ~Copyable {
    private let network: NetworkLock
    private let attachment: AttachmentLock

    init(_ network: String, _ attachment: Attachment, until deadline: Deadline)
      throws(RuntimeError)
    {
      // Whole values first: what is made in part cannot be destroyed.
      let shared = try RuntimeTurn.network(network, .shared, until: deadline)
      let own = try RuntimeTurn.attachment(network, attachment, until: deadline)
      self.network = shared
      self.attachment = own
    }

    /// Lets the next command have its turn.
    consuming func end() {}
  }

  /// GC.
  struct OnNetwork: ~Copyable {
    private let network: NetworkLock

    init(_ network: String, until deadline: Deadline) throws(RuntimeError) {
      self.network = try RuntimeTurn.network(network, .exclusive, until: deadline)
    }

    /// Lets other commands have their turn.
    consuming func end() {}
  }

  private static func attachment(
    _ network: String, _ attachment: Attachment, until deadline: Deadline
  ) throws(RuntimeError) -> AttachmentLock {
    do throws(LockError) {
      return try AttachmentLock(.runtime, network: network, attachment, until: deadline)
    } catch { throw RuntimeError(error) }
  }

  /// All wait in one queue, or GC would wait for as long as others that share the network come.
  private static func network(_ network: String, _ mode: RangeLock.Mode, until deadline: Deadline)
    throws(RuntimeError) -> NetworkLock
  {
    do throws(LockError) {
      // No network has a name with "/" in it.
      let queue = try NetworkLock(.runtime, "\(network)/queue", .exclusive, until: deadline)
      let lock = try NetworkLock(.runtime, network, mode, until: deadline)
      _ = consume queue
      return lock
    } catch { throw RuntimeError(error) }
  }
}

extension RuntimeError {
  fileprivate init(_ error: LockError) {
    switch error {
    case .held(let subject): self = .busy(subject)
    case .system(let error): self = .locks(error)
    }
  }
}
