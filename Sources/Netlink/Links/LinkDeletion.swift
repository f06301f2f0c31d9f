public import Linux

/// A link that is being deleted. Neither its name nor its index finds it any more.
///
/// The kernel answers the request when no processor uses the link, some 15 ms after that. So a copy
/// of this process waits for the answer.
public struct LinkDeletion: ~Copyable {
  private let copy: ForkedProcess

  fileprivate init(_ copy: consuming ForkedProcess) { self.copy = copy }

  /// Waits until the kernel has done with the link; false if it has not at the deadline.
  public consuming func finish(until deadline: Deadline) throws(SystemError) -> Bool {
    try copy.finish(until: deadline)
  }

  /// Lets this process end before the kernel has done with the link, whatever ends then; see
  /// `ForkedProcess.canBeLeft(rememberedAt:)`.
  public borrowing func canBeLeft(rememberedAt path: String) -> Bool {
    copy.canBeLeft(rememberedAt: path)
  }

  /// Leaves the kernel to it.
  public consuming func leave() { copy.leave() }
}

extension RouteSocket {
  /// Deletes the link with `index`, of a veth pair both ends. Returns when the kernel finds it no
  /// more, by name, by index, or in lists; nil if it has done with it already. A link that is not
  /// there is refused with `ENODEV`.
  ///
  /// For a process with one thread, in whose namespace this socket is.
  public func beginDeletion(of index: Int32, until deadline: Deadline) throws(RouteError)
    -> LinkDeletion?
  {
    if let copy = copy(deleting: index, until: deadline) {
      if try isGone(index, deletedBy: copy, until: deadline) { return LinkDeletion(copy) }
      // It was refused there: here the kernel says why.
    }
    try request(until: deadline) { $0.deleteLink(.index(index)) }
    return nil
  }

  /// A copy of this process that deletes the link; nil where there can be none, or where the
  /// request is to be traced.
  private func copy(deleting index: Int32, until deadline: Deadline) -> ForkedProcess? {
    guard socket.trace == nil, let own = try? RouteSocket() else { return nil }
    return try? ForkedProcess(keeping: own.socket.descriptor.rawValue) {
      do throws(RouteError) {
        try own.request(until: deadline) { $0.deleteLink(.index(index)) }
        return 0
      } catch { return 1 }
    }
  }

  /// Waits until the link is gone, or the copy has ended without that.
  private func isGone(
    _ index: Int32, deletedBy copy: borrowing ForkedProcess, until deadline: Deadline
  ) throws(RouteError) -> Bool {
    var hasEnded = false
    // The copy may not have begun when the kernel is first asked.
    var pause = Duration.microseconds(50)
    while true {
      // While the kernel is at it, it lets this request wait.
      do throws(RouteError) { _ = try link(.index(index), until: deadline) } catch {
        if error.errno == .noSuchDevice { return true }
        throw error
      }
      if hasEnded { return false }
      if deadline.hasPassed { throw .timedOut(.deleteLink(.index(index))) }
      Clock.sleep(min(pause, deadline.remaining))
      pause = min(pause * 2, .milliseconds(1))
      do throws(SystemError) { hasEnded = try copy.waitForEnd(until: .after(.zero)) } catch {
        return false
      }
    }
  }
}
