/// Cuts a stream of bytes into JSON texts, each of which is an array or an object (RFC 7464 has
/// separators for that; JSON-RPC over a socket, RFC 7047 §4, has none).
///
/// Every byte is looked at once, however small the pieces are in which it comes.
public struct JSONTextSplitter: Sendable {
  private var pending: [UInt8] = []
  /// Where in `pending` the next text starts, and how far it was looked at.
  private var start = 0
  private var scanned = 0
  private var depth = 0
  private var isInString = false
  private var isEscaped = false

  /// A splitter at the start of a stream.
  public init() {}

  /// The number of bytes that wait for the rest of their text.
  public var pendingCount: Int { pending.count - start }

  /// Takes the next bytes of the stream.
  public mutating func append(_ bytes: [UInt8]) {
    pending.removeSubrange(..<start)
    scanned -= start
    start = 0
    pending += bytes
  }

  /// The next whole text, not yet parsed; nil until the rest of it has come.
  public mutating func next() -> [UInt8]? {
    while scanned < pending.count {
      let octet = pending[scanned]
      scanned += 1
      if isInString {
        if isEscaped {
          isEscaped = false
        } else if octet == UInt8(ascii: "\\") {
          isEscaped = true
        } else if octet == UInt8(ascii: "\"") {
          isInString = false
        }
        continue
      }
      switch octet {
      case UInt8(ascii: "\""): isInString = true
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        guard depth <= 0 else { continue }
        let text = Array(pending[start..<scanned])
        start = scanned
        depth = 0
        return text
      default: break
      }
    }
    return nil
  }
}
