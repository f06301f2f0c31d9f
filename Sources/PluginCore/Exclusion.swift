public import CNI
internal import Linux
internal import PluginExecution

/// What a command holds as long as it works: no other command on its attachment works meanwhile,
/// nor does a GC free leases of its network.
public struct Exclusion: ~Copyable {
  private let attachment: AttachmentLock?
  private let network: NetworkLock?

  /// For ADD and CHECK. Past the deadline of `context`: code 11.
  public init(_ request: Request, _ context: Context) throws(CNIError) {
    let held = try Self.lock(request, context)
    let shared = try Self.share(request, context)
    attachment = .some(held)
    network = .some(shared)
  }

  private static func share(_ request: Request, _ context: Context) throws(CNIError) -> NetworkLock
  {
    do throws(LockError) {
      return try NetworkLock(.plugin, request.network.name, .shared, until: context.deadline)
    } catch { throw CNIError(error) }
  }

  private static func lock(_ request: Request, _ context: Context) throws(CNIError)
    -> AttachmentLock
  {
    do throws(LockError) {
      return try AttachmentLock(
        .plugin, network: request.network.name, request.attachment, until: context.deadline)
    } catch { throw CNIError(error) }
  }

  /// For DEL, which goes on without a lock where the files of locks cannot be had: what is left of
  /// an attachment must not stay for want of them.
  public init(forReleasing request: Request, _ context: Context) throws(CNIError) {
    var held: AttachmentLock?
    do throws(CNIError) { held = .some(try Self.lock(request, context)) } catch {
      guard error.code != .tryAgainLater else { throw error }
      context.log.write(.warning, "\(error)")
      held = nil
    }
    attachment = held
    network = nil
  }
}

/// What GC holds: the attachments that it frees, and, from the moment at which it asks for it, the
/// whole network.
public struct Collection: ~Copyable {
  private let name: String
  private let deadline: Deadline
  private let attachments: AttachmentLocks
  private var network: NetworkLock?

  /// Holds nothing yet.
  public init(_ request: Request, _ context: Context) throws(CNIError) {
    name = request.network.name
    deadline = context.deadline
    attachments = try Self.none(name)
    network = nil
  }

  private static func none(_ network: String) throws(CNIError) -> AttachmentLocks {
    do throws(LockError) { return try AttachmentLocks(.plugin, network: network) } catch {
      throw CNIError(error)
    }
  }

  /// Whether no command on `attachment` is under way, nor will be as long as this value lives.
  public borrowing func take(_ attachment: Attachment) throws(CNIError) -> Bool {
    do throws(LockError) { return try attachments.take(attachment) } catch { throw CNIError(error) }
  }

  /// Waits until no ADD of the network is under way. None begins as long as this value lives.
  public mutating func takeNetwork() throws(CNIError) {
    do throws(LockError) {
      network = .some(try NetworkLock(.plugin, name, .exclusive, until: deadline))
    } catch { throw CNIError(error) }
  }
}

extension AttachmentKey {
  /// Whether no command on the attachment is under way; false where that cannot be told.
  public var isIdle: Bool {
    do throws(LockError) {
      _ = try AttachmentLock(.plugin, network: network, attachment, until: .after(.zero))
      return true
    } catch { return false }
  }
}

extension CNIError {
  init(_ error: LockError) {
    switch error {
    case .held: self.init(.tryAgainLater, "\(error)")
    case .system: self.init(.ioFailure, "\(error)")
    }
  }
}
