internal import JSON
public import Linux

extension Connection {
  /// Whether some client holds the lock `name` (RFC 7047 §4.1.8). The database is not touched.
  ///
  /// The lock is asked for and given back in one write: a lock that someone holds stays with them,
  /// and one that nobody holds is ours for as long as ovsdb-server takes from one request to the
  /// next. When this returns it is given back.
  public func isLockHeld(_ name: String, until deadline: Deadline) throws(OVSDBError) -> Bool {
    let lock = enqueue("lock", [.string(name)])
    let unlock = enqueue("unlock", [.string(name)])
    let result = try answer(to: lock, until: deadline, "the answer to lock")
    _ = try answer(to: unlock, until: deadline, "the answer to unlock")
    guard case .bool(let isOurs)? = result["locked"] else {
      throw violation("the result of lock is not one")
    }
    return !isOurs
  }
}
