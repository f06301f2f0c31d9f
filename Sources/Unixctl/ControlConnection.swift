internal import JSON
public import Linux

/// A connection to the control socket of a daemon of Open vSwitch, as ovs-appctl(8) makes it:
/// JSON-RPC 1.0 with one text after the other and no separators.
///
/// Commands only read; none is sent that changes a table or a counter.
public final class ControlConnection {
  private let socket: ControlSocket
  private let descriptor: FileDescriptor
  private var responses = ControlResponses()
  private var lastID: Int64 = 0

  /// Connects to `socket`.
  public init(_ socket: ControlSocket, until deadline: Deadline) throws(ControlError) {
    self.socket = socket
    do throws(SystemError) {
      descriptor = try .connect(unix: socket.path, until: deadline)
    } catch { throw .cannotConnect(path: socket.path, error) }
  }

  /// Runs `command` and returns its text without the final newline.
  public func run(_ command: String, _ arguments: [String] = [], until deadline: Deadline)
    throws(ControlError) -> String
  {
    lastID += 1
    let request: JSONValue = [
      "id": .integer(lastID), "method": .string(command),
      "params": .array(arguments.map { .string($0) }),
    ]
    var output = request.encoded()[...]
    while true {
      try exchange(&output, command, until: deadline)
      switch responses.outcome(of: lastID) {
      case .text(let text): return text
      case .refused(let words): throw .refused(command: command, words: words)
      case .malformed(let reason): throw .malformed(path: socket.path, reason)
      case nil: continue
      }
    }
  }

  /// Sends and receives what there is, once.
  private func exchange(
    _ output: inout ArraySlice<UInt8>, _ command: String, until deadline: Deadline
  ) throws(ControlError) {
    var bytes: [UInt8] = []
    do throws(SystemError) {
      try descriptor.sendAvailable(&output)
      var events: [Readiness] = [.readable(descriptor.rawValue)]
      if !output.isEmpty { events.append(.writable(descriptor.rawValue)) }
      guard let index = try wait(for: events, until: deadline) else {
        throw SystemError("poll", socket.path, .timedOut)
      }
      if index > 0 { return }
      bytes = try descriptor.read()
    } catch {
      switch error.errno {
      case .wouldBlock: return
      case .timedOut: throw .timedOut(path: socket.path, command: command)
      default: throw .connectionLost(path: socket.path, error)
      }
    }
    // The daemon closes a connection whose request it cannot read.
    guard !bytes.isEmpty else { throw .connectionLost(path: socket.path, nil) }
    responses.append(bytes)
  }
}
