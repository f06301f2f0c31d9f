/// The descriptors 0, 1 and 2, which belong to the program that started this process.
public enum StandardStream: CInt, Sendable {
  /// Descriptor 0.
  case input = 0
  /// Descriptor 1.
  case output = 1
  /// Descriptor 2.
  case error = 2

  /// Writes all of `bytes`.
  public func write(_ bytes: [UInt8]) throws(SystemError) { try writeAll(bytes, to: rawValue) }

  /// Writes as much of `bytes` as its reader takes until `deadline`. Returns whether that was all.
  ///
  /// A pipe that can be written to takes `PIPE_BUF` bytes without waiting; see pipe(7).
  public func write(_ bytes: [UInt8], until deadline: Deadline) throws(SystemError) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      guard try wait(for: [.writable(rawValue)], until: deadline) != nil else { return false }
      let part = Array(rest.prefix(4096))
      try write(part)
      rest = rest.dropFirst(part.count)
    }
    return true
  }

  /// Reads to the end. More than `limit` bytes are `EFBIG`; no end at the deadline is `ETIMEDOUT`.
  public func readToEnd(limit: Int, until deadline: Deadline) throws(SystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      guard try wait(for: [.readable(rawValue)], until: deadline) != nil else {
        throw SystemError("read", descriptorName(rawValue), .timedOut)
      }
      let chunk = try readOctets(64 << 10, from: rawValue)
      if chunk.isEmpty { return bytes }
      bytes += chunk
      guard bytes.count <= limit else {
        throw SystemError(rawValue, exceeds: limit)
      }
    }
  }
}
