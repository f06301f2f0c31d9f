internal import CLinux
internal import Linux

/// Requests that go to the kernel in one system call.
///
/// The kernel works on them in their order and does not stop at one that it refuses. So a batch
/// holds no request that would do harm after the refusal of one before it. In particular, a link
/// just being made is changed by its index, in a batch of its own: by name, that could be the link
/// of somebody else which stood in the way.
public struct Batch {
  private let route: RouteSocket
  private let deadline: Deadline
  /// The requests, one after the other.
  private var bytes: [UInt8] = []
  private var pending: [Pending] = []

  /// A request that is not sent yet.
  private struct Pending {
    let request: RouteRequest
    /// Where in the octets it begins.
    let offset: Int
    /// Whether the answer is the link.
    let isRead: Bool
    /// A refusal that is as good as success.
    let tolerated: Errno?
  }

  init(_ route: RouteSocket, _ deadline: Deadline) {
    self.route = route
    self.deadline = deadline
    bytes.reserveCapacity(1024)
  }

  /// Whether there is nothing to send.
  public var isEmpty: Bool { pending.isEmpty }

  /// Adds a message: the header of its family, then what `body` writes.
  mutating func add<Space>(
    _ request: RouteRequest, _ type: Int, flags: CInt = 0, _ header: [UInt8],
    isRead: Bool = false, tolerating tolerated: Errno? = nil,
    _ body: (inout AttributeWriter<Space>) -> Void
  ) {
    let start = bytes.count
    pending.append(
      Pending(request: request, offset: start, isRead: isRead, tolerated: tolerated))
    bytes.append(native: UInt32(0))
    bytes.append(native: UInt16(truncatingIfNeeded: type))
    bytes.append(native: UInt16(truncatingIfNeeded: NLM_F_REQUEST | flags))
    bytes.append(native: UInt64(0))
    var writer = AttributeWriter<Space>()
    swap(&writer.bytes, &bytes)
    writer.bytes += header
    body(&writer)
    swap(&writer.bytes, &bytes)
    bytes.overwrite(native: UInt32(truncatingIfNeeded: bytes.count - start), at: start)
  }

  /// The octets that `run` sends if the first request gets the number `sequence`.
  func message(sequence: UInt32) -> [UInt8] {
    var message = bytes
    for (position, request) in pending.enumerated() {
      message.overwrite(
        native: sequence &+ UInt32(truncatingIfNeeded: position), at: request.offset + 8)
    }
    // The kernel tells of every refusal. Of success only the last request need tell.
    if let last = pending.last, !last.isRead,
      let flags: UInt16 = message[...].integer(at: last.offset + 6)
    {
      message.overwrite(native: flags | UInt16(NLM_F_ACK), at: last.offset + 6)
    }
    return message
  }

  /// Sends the requests and reads all answers; the batch is empty afterwards.
  ///
  /// Answers the links that were read or made, in the order of the requests.
  /// Throws what became of the first request that was refused; those after it may have been done.
  @discardableResult
  public mutating func run() throws(RouteError) -> [Link] {
    guard let last = pending.last else { return [] }
    let requests = pending
    let first = route.socket.takeSequence(requests.count)
    let message = message(sequence: first)
    bytes.removeAll(keepingCapacity: true)
    pending.removeAll(keepingCapacity: true)
    do { try route.socket.send(message) } catch { throw .system(last.request, error) }

    var links = [Link?](repeating: nil, count: requests.count)
    var failure: RouteError?
    var isAnswered = false
    while !isAnswered {
      let datagram = try route.receive(for: last.request, until: deadline)
      do throws(NetlinkError) {
        var cursor = MessageCursor(datagram)
        while let message = try cursor.next() {
          let position = Int(message.sequence &- first)
          guard requests.indices.contains(position) else { continue }
          let request = requests[position]
          let isLast = position == requests.count - 1
          if message.type == UInt16(NLMSG_ERROR) {
            let answer = try Acknowledgement(message)
            if let errno = answer.errno, errno != request.tolerated, failure == nil {
              failure = .refused(request.request, errno, words: answer.words)
            }
            if isLast { isAnswered = true }
          } else if message.type == Link.answerType {
            links[position] = try Link(message.body)
            if isLast, request.isRead { isAnswered = true }
          }
        }
      } catch { throw .malformed(last.request, error) }
    }
    if let failure { throw failure }
    return try reported(links, requests)
  }

  /// The links that were asked for.
  private func reported(_ links: [Link?], _ requests: [Pending]) throws(RouteError) -> [Link] {
    var found: [Link] = []
    for (link, pending) in zip(links, requests) {
      if let link {
        found.append(link)
      } else if case .addVeth(let name, _) = pending.request {
        // Before Linux 6.2 the kernel did not report what it had just made.
        found.append(try route.link(.named(name), until: deadline))
      }
    }
    return found
  }
}
