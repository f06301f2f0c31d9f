internal import JSON
public import Linux

extension DatabaseConnection {
  /// Whether some client holds the lock `name` (RFC 7047 §4.1.8). The database is not touched.
  ///
  /// The lock is asked for and given back in one write: a lock that another client holds stays with
  /// it, and one that no client holds is ours for as long as ovsdb-server takes from one request to
  /// the next. When this returns it is given back.
  public func isLockHeld(_ name: String, until deadline: Deadline) throws(OVSDBError) -> Bool {
    let lock = session.enqueue("lock", [.string(name)])
    let unlock = session.enqueue("unlock", [.string(name)])
    let result = try session.answer(to: lock, until: deadline, "the answer to lock")
    _ = try session.answer(to: unlock, until: deadline, "the answer to unlock")
    guard case .bool(let isOurs)? = result["locked"] else {
      throw session.violation("the result of lock is not one")
    }
    return !isOurs
  }
}
