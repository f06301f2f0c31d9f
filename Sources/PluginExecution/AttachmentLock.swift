public import CNI
internal import Digests
public import Linux

/// Who locks: each kind of program has a file of its own, so that a runtime, which holds its locks
/// while plugins run, and the plugins never wait for each other.
public enum LockHolder: String, Hashable, Sendable, CaseIterable {
  /// What runs plugins.
  case runtime
  /// Plugins.
  case plugin

  /// The directory of the files, which only its owner can enter. What DEL leaves is noted there,
  /// too; see `ForkedProcess.canBeLeft(rememberedAt:)`.
  public static let directory = "/run/patchbay"

  /// The file: one byte a lock, at a digest of what is locked.
  public var path: String { "\(Self.directory)/\(rawValue).lock" }
}

/// Why a lock was not had.
public enum LockError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Another command holds it past the deadline; what is locked.
  case held(String)
  /// A system call failed.
  case system(SystemError)

  /// What was attempted, and why not.
  public var description: String {
    switch self {
    case .held(let subject): "another command on \(subject) has not ended in time"
    case .system(let error): "cannot lock: \(error)"
    }
  }
}

/// Excludes commands on one attachment from each other, as long as the value lives.
///
/// An attachment belongs to a host, which is a network namespace: commands in another one are no
/// concern of it.
public struct AttachmentLock: ~Copyable {
  private let lock: RangeLock

  /// Waits for its turn. With a deadline that has passed it is had at once or not at all.
  public init(
    _ holder: LockHolder, network: String, _ attachment: Attachment, until deadline: Deadline
  ) throws(LockError) {
    let name = "\(network)/\(attachment.containerID)/\(attachment.interfaceName)"
    lock = try holder.lock(
      attachment.lockName(network), .exclusive, "attachment \(name)", until: deadline)
  }
}

/// Excludes GC of a network from what its attachments gain and lose, as long as the value lives:
/// ADD and DEL share it, GC has it alone.
public struct NetworkLock: ~Copyable {
  private let lock: RangeLock

  /// Waits for its turn. With a deadline that has passed it is had at once or not at all.
  public init(
    _ holder: LockHolder, _ network: String, _ mode: RangeLock.Mode, until deadline: Deadline
  ) throws(LockError) {
    lock = try holder.lock("network/\(network)", mode, "network \(network)", until: deadline)
  }
}

/// Excludes commands on a link of the host that attachments share, as long as the value lives:
/// those that come to use it share the lock, one that takes it away has it alone.
public struct LinkLock: ~Copyable {
  private let lock: RangeLock

  /// Waits for its turn. With a deadline that has passed it is had at once or not at all.
  public init(
    _ holder: LockHolder, link name: String, _ mode: RangeLock.Mode, until deadline: Deadline
  ) throws(LockError) {
    lock = try holder.lock("link/\(name)", mode, "link \"\(name)\"", until: deadline)
  }
}

/// Excludes commands on several attachments of one network, as long as the value lives.
public struct AttachmentLocks: ~Copyable {
  private let holder: LockHolder
  private let network: String
  private let lock: RangeLock

  /// Holds none yet.
  public init(_ holder: LockHolder, network: String) throws(LockError) {
    self.holder = holder
    self.network = network
    // Position 2⁶² is beyond those of digests, and shared by all.
    lock = try holder.lock(at: 1 << 62, .shared, "network \(network)", until: .after(.zero))
  }

  /// Locks one more; false where a command on it is under way.
  public borrowing func take(_ attachment: Attachment) throws(LockError) -> Bool {
    do throws(SystemError) {
      return try lock.lockAsWell(LockHolder.position(attachment.lockName(network)))
    } catch { throw .system(error) }
  }
}

extension Attachment {
  fileprivate func lockName(_ network: String) -> String {
    "attachment/\(network)/\(containerID)/\(interfaceName)"
  }
}

extension LockHolder {
  /// A digest of what is locked, `name`, which is unique to the network namespace that this runs
  /// in.
  fileprivate static func position(_ name: String) throws(SystemError) -> Int64 {
    let host = try FileStatus(path: "/proc/thread-self/ns/net")
    let digest = SHA2.sha256(Array("\(host.device)/\(host.inode)/\(name)".utf8))
    return Int64(digest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) } >> 2)
  }

  fileprivate func lock(
    _ name: String, _ mode: RangeLock.Mode, _ subject: String, until deadline: Deadline
  ) throws(LockError) -> RangeLock {
    let position: Int64
    do throws(SystemError) { position = try Self.position(name) } catch { throw .system(error) }
    return try lock(at: position, mode, subject, until: deadline)
  }

  fileprivate func lock(
    at position: Int64, _ mode: RangeLock.Mode, _ subject: String, until deadline: Deadline
  ) throws(LockError) -> RangeLock {
    var isSecond = false
    while true {
      do throws(FileLock.Failure) {
        return try RangeLock(path: path, position: position, mode, until: deadline)
      } catch {
        switch error {
        case .held: throw .held(subject)
        case .system(let error):
          guard error.errno == .noSuchFileOrDirectory, !isSecond else { throw .system(error) }
        }
      }
      isSecond = true
      do throws(SystemError) { _ = try Directory.create(path: Self.directory, mode: 0o700) } catch {
        throw .system(error)
      }
    }
  }
}
