internal import CLinux
public import Linux

/// Requests that go to the kernel in one system call.
///
/// The kernel works on them in their order and does not stop at one that it refuses. So a batch
/// holds no request that would do harm after the refusal of one before it. In particular, a link
/// just being made is changed by its index, in a batch of its own: by name, that could be the link
/// of another program which stood in the way.
public struct Batch {
  private let route: RouteSocket
  private let deadline: Deadline
  /// The requests, one after the other.
  private var bytes: [UInt8] = []
  private var pending: [Pending] = []

  /// A request that is not sent yet.
  private struct Pending {
    let request: RouteRequest
    /// Where in the bytes it begins.
    let offset: Int
    /// Whether the answer is the link.
    let isRead: Bool
    /// A refusal that is as good as success.
    let tolerated: Errno?

    var answersLink: Bool {
      if case .addVeth = request { true } else { isRead }
    }
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

  /// How many answers the kernel can keep for a socket before they are read: of links a few dozen,
  /// which are reported in some 4000 bytes each, and of others a few hundred.
  private static let mostLinks = 16
  private static let mostRequests = 128

  /// What is to be sent in one system call, which is nearly always everything.
  private func portion(from start: Int) -> ArraySlice<Pending> {
    var links = 0
    var end = start
    while end < pending.count, end - start < Self.mostRequests, links < Self.mostLinks {
      if pending[end].answersLink { links += 1 }
      end += 1
    }
    return pending[start..<end]
  }

  /// The bytes of `requests`, of which the first gets the number `sequence`.
  private func message(_ requests: ArraySlice<Pending>, sequence: UInt32) -> [UInt8] {
    guard let first = requests.first, let last = requests.last else { return [] }
    let end = requests.endIndex < pending.count ? pending[requests.endIndex].offset : bytes.count
    var message = Array(bytes[first.offset..<end])
    for (position, request) in requests.enumerated() {
      message.overwrite(
        native: sequence &+ UInt32(truncatingIfNeeded: position),
        at: request.offset - first.offset + 8)
    }
    // The kernel tells of every refusal. Of success only the last request need tell.
    let flags = last.offset - first.offset + 6
    if !last.isRead, let value: UInt16 = message[...].integer(at: flags) {
      message.overwrite(native: value | UInt16(NLM_F_ACK), at: flags)
    }
    return message
  }

  /// The bytes of the whole batch, as tests see them.
  func message(sequence: UInt32) -> [UInt8] { message(pending[...], sequence: sequence) }

  /// Sends the requests and reads all answers; the batch is empty afterwards.
  ///
  /// Returns the links that were read or made, in the order of the requests.
  /// Throws what became of the first request that was refused; those after it may have been done.
  /// So many requests that their answers have no room go in several portions, one after the other.
  @discardableResult
  public mutating func run() throws(RouteError) -> [Link] {
    defer {
      bytes.removeAll(keepingCapacity: true)
      pending.removeAll(keepingCapacity: true)
    }
    var links: [Link] = []
    var start = 0
    while start < pending.count {
      let requests = portion(from: start)
      links += try exchange(requests)
      start = requests.endIndex
    }
    return links
  }

  /// Sends `requests` and reads their answers.
  private func exchange(_ slice: ArraySlice<Pending>) throws(RouteError) -> [Link] {
    let requests = Array(slice)
    guard let first = requests.first, let last = requests.last else { return [] }
    let sequence = route.socket.takeSequence(requests.count)
    let octets = message(slice, sequence: sequence)
    do { try route.socket.send(octets) } catch { throw .system(last.request, error) }

    var links = [Link?](repeating: nil, count: requests.count)
    var failure: RouteError?
    var isAnswered = false
    while !isAnswered {
      let datagram = try route.receive(for: last.request, until: deadline)
      do throws(NetlinkError) {
        var cursor = MessageCursor(datagram)
        while let message = try cursor.next() {
          let position = Int(message.sequence &- sequence)
          guard requests.indices.contains(position) else { continue }
          let request = requests[position]
          let isLast = position == requests.count - 1
          if message.type == UInt16(NLMSG_ERROR) {
            let answer = try Acknowledgement(message)
            if let errno = answer.errno, errno != request.tolerated, failure == nil {
              let refused = octets.dropFirst(request.offset - first.offset)
              failure = .refused(
                request.request, errno, words: answer.words(about: refused, of: .route))
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

extension RouteSocket {
  /// An empty batch of requests.
  public func batch(until deadline: Deadline) -> Batch { Batch(self, deadline) }

  /// Sends the requests that `build` adds, in one system call, and waits for the kernel's answers.
  ///
  /// What it returns and throws is said at `Batch.run()`.
  @discardableResult
  public func request(until deadline: Deadline, _ build: (inout Batch) -> Void)
    throws(RouteError) -> [Link]
  {
    var batch = batch(until: deadline)
    build(&batch)
    return try batch.run()
  }
}
