internal import CLinux
public import Linux

/// A socket of nfnetlink (linux/netfilter/nfnetlink.h) in the namespace it was made in.
public final class FirewallSocket {
  private var socket: NetlinkSocket

  /// Makes a socket in the namespace of this process.
  public init() throws(NetfilterError) {
    do { socket = try NetlinkSocket(.netfilter) } catch { throw .system(.open, error) }
  }

  /// `struct nfgenmsg`.
  static let headerSize = 4

  /// Sends one request and has `reader` read what the kernel reports in messages of `answer`: one
  /// object, or with `NLM_F_DUMP` a list, which is asked for again where it changed under way.
  func ask<Space, Reader: NetfilterReader>(
    _ request: NetfilterRequest, _ type: NetfilterMessage, flags: CInt, family: UInt8,
    _ content: AttributeWriter<Space>, answer: NetfilterMessage, _ reader: inout Reader,
    until deadline: Deadline
  ) throws(NetfilterError) {
    while true {
      let sequence = socket.takeSequence(1)
      let message = NetlinkSocket.message(
        type.number, flags: NLM_F_REQUEST | flags, sequence: sequence,
        [family, UInt8(NFNETLINK_V0), 0, 0] + content.bytes)
      do { try socket.send(message) } catch { throw .system(request, error) }
      let isList = flags & NLM_F_DUMP == NLM_F_DUMP
      if try read(request, sequence, answer, isList: isList, &reader, until: deadline) { return }
      if deadline.hasPassed { throw .timedOut(request) }
      reader.startAgain()
    }
  }

  /// Reads to the end of the answer; false if a list changed under way.
  private func read<Reader: NetfilterReader>(
    _ request: NetfilterRequest, _ sequence: UInt32, _ answer: NetfilterMessage, isList: Bool,
    _ reader: inout Reader, until deadline: Deadline
  ) throws(NetfilterError) -> Bool {
    var isWhole = true
    while true {
      let datagram: [UInt8]?
      do { datagram = try socket.receive(until: deadline) } catch {
        throw .system(request, error)
      }
      guard let datagram else { throw .timedOut(request) }
      var end: Acknowledgement?
      var isAnswered = false
      do throws(NetlinkError) {
        var cursor = MessageCursor(datagram)
        while let message = try cursor.next() {
          guard message.sequence == sequence else { continue }
          if message.flags & UInt16(NLM_F_DUMP_INTR) != 0 { isWhole = false }
          switch message.type {
          case answer.number:
            try reader.read(message.body.dropFirst(Self.headerSize))
            isAnswered = true
          case UInt16(NLMSG_ERROR), UInt16(NLMSG_DONE): end = try Acknowledgement(message)
          default: break
          }
        }
      } catch { throw .malformed(request, error) }
      if let errno = end?.errno { throw .refused(request, errno, kernelMessage: end?.words) }
      if end != nil || !isList && isAnswered { return isWhole }
    }
  }

  /// Returns when no transaction of the packet filter is under way in this namespace that was when
  /// it was called: the kernel does one after the other, and this is an empty one.
  public func waitForTransaction() throws(NetfilterError) {
    let sequence = socket.takeSequence(2)
    var bytes: [UInt8] = []
    for (position, type) in [NFNL_MSG_BATCH_BEGIN, NFNL_MSG_BATCH_END].enumerated() {
      // struct nfgenmsg, whose last field is the subsystem in the byte order of the network.
      bytes += NetlinkSocket.message(
        UInt16(truncatingIfNeeded: type), flags: NLM_F_REQUEST,
        sequence: sequence &+ UInt32(position),
        [0, UInt8(NFNETLINK_V0), 0, UInt8(NFNL_SUBSYS_NFTABLES)])
    }
    do { try socket.send(bytes) } catch { throw .system(.waitForTransaction, error) }
  }
}

/// What reads the objects that the kernel reports, without the header of nfnetlink.
protocol NetfilterReader {
  mutating func read(_ body: ArraySlice<UInt8>) throws(NetlinkError)
  /// What was read so far is out of date.
  mutating func startAgain()
}

/// All of them as they stand, for answers that are short.
struct WholeAnswer: NetfilterReader {
  private(set) var bodies: [ArraySlice<UInt8>] = []

  mutating func read(_ body: ArraySlice<UInt8>) throws(NetlinkError) { bodies.append(body) }
  mutating func startAgain() { bodies = [] }
}

/// A message of a subsystem: `NFNL_SUBSYS_…` and a number of its own.
struct NetfilterMessage {
  let number: UInt16

  init(_ subsystem: CInt, _ message: UInt32) {
    number = UInt16(truncatingIfNeeded: subsystem) << 8 | UInt16(truncatingIfNeeded: message)
  }
}

/// What the kernel's packet filter is asked for, as errors name it.
public enum NetfilterRequest: Hashable, Sendable, CustomStringConvertible {
  /// Make a socket.
  case open
  /// Wait for what another program is changing.
  case waitForTransaction
  /// List the rules of a chain.
  case listRules(chain: String, table: String)
  /// Read a chain.
  case readChain(String, table: String)
  /// Read a table.
  case readTable(String)
  /// List the flows that the kernel tracks.
  case listFlows
  /// Have the kernel forget a flow.
  case deleteFlow(Flow)

  /// What was attempted.
  public var description: String {
    switch self {
    case .open: "open a nfnetlink socket"
    case .waitForTransaction: "wait for changes of the packet filter"
    case .listRules(let chain, let table): "list the rules of chain \(chain) of table \(table)"
    case .readChain(let chain, let table): "read chain \(chain) of table \(table)"
    case .readTable(let table): "read table \(table)"
    case .listFlows: "list the flows that the kernel tracks"
    case .deleteFlow(let flow): "delete flow \(flow)"
    }
  }
}

/// A request that the kernel's packet filter refused, or could not be asked.
public enum NetfilterError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kernel refused it, with a message of its own if it has any.
  case refused(NetfilterRequest, Errno, kernelMessage: String?)
  /// The kernel's answer is not what it should be.
  case malformed(NetfilterRequest, NetlinkError)
  /// There was no answer until the deadline.
  case timedOut(NetfilterRequest)
  /// A system call failed.
  case system(NetfilterRequest, SystemError)

  /// Why the kernel refused it; nil if it did not.
  public var errno: Errno? { if case .refused(_, let errno, _) = self { errno } else { nil } }

  /// Whether there was no answer until the deadline.
  public var isTimeout: Bool { if case .timedOut = self { true } else { false } }

  /// `read table patchbay-ports: ENOENT (No such file or directory)`
  public var description: String {
    switch self {
    case .refused(let request, let errno, let message):
      "\(request): \(errno)" + (message.map { "; \($0)" } ?? "")
    case .malformed(let request, let error): "\(request): the kernel's answer: \(error)"
    case .timedOut(let request): "\(request): the kernel did not answer in time"
    case .system(let request, let error): "\(request): \(error)"
    }
  }
}

/// An integer in the byte order of the network, which most of nfnetlink uses.
struct BigEndian<Number: FixedWidthInteger>: AttributeValue {
  let number: Number

  init(_ number: Number) { self.number = number }
  func encode(into bytes: inout [UInt8]) { bytes.append(native: number.byteSwapped) }
  init?(decoding payload: Span<UInt8>) {
    guard let number = Number(decoding: payload) else { return nil }
    self.number = number.byteSwapped
  }
}

/// The value of an attribute as it stands.
struct RawAttribute: AttributeValue, Hashable {
  let bytes: [UInt8]

  init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }
  func encode(into bytes: inout [UInt8]) { bytes += self.bytes }
  init?(decoding payload: Span<UInt8>) { bytes = payload.octets }
}
