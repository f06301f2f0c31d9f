/// The Unix sockets of this thread's network namespace that have a path, as `/proc/net/unix` shows
/// them; see proc(5) and unix(7).
///
/// A server's end of a connection has the path that the server listens at, and is in the namespace
/// of the client.
public struct UnixSocketTable: Hashable, Sendable {
  /// Where a process listens.
  public private(set) var listening: Set<String> = []
  /// Where a server has accepted a connection that is open.
  public private(set) var connected: Set<String> = []

  /// Reads it.
  public static func current() throws(SystemError) -> UnixSocketTable {
    UnixSocketTable(
      parsing: try FileDescriptor.open("/proc/thread-self/net/unix").readToEnd(limit: 8 << 20))
  }

  /// Takes in the text of the file; lines that are not as the kernel writes them count for nothing.
  package init(parsing text: [UInt8]) {
    for line in text.split(separator: UInt8(ascii: "\n")).dropFirst() {
      // Num, RefCount, Protocol, Flags, Type, St, Inode, Path: the last may have spaces.
      let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 7)
      guard fields.count == 8 else { continue }
      let path = String(decoding: fields[7], as: UTF8.self)
      // __SO_ACCEPTCON and SS_CONNECTED of linux/net.h
      if Self.number(fields[3]) & 1 << 16 != 0 {
        listening.insert(path)
      } else if Self.number(fields[5]) == 3 {
        connected.insert(path)
      }
    }
  }

  /// Of hexadecimal digits; 0 for what is no number.
  private static func number(_ digits: ArraySlice<UInt8>) -> UInt32 {
    UInt32(String(decoding: digits, as: UTF8.self), radix: 16) ?? 0
  }
}
