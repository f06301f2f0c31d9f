import Addresses
import Linux

/// What listens in a network namespace, as `/proc/net/tcp` and its like have it (proc(5)).
struct Listeners {
  struct Listener: Hashable {
    /// Unspecified for all addresses.
    let address: IPAddress
    let port: UInt16
  }
  private(set) var all: [Listener] = []

  /// Reads one table. `state` is `0A` for TCP's listening sockets, `07` for UDP's unconnected ones.
  mutating func add(_ table: String, state: String) {
    for line in table.split(separator: "\n").dropFirst() {
      let fields = line.split(separator: " ")
      guard fields.count > 3, fields[3] == state else { continue }
      let parts = fields[1].split(separator: ":")
      guard parts.count == 2, let port = UInt16(parts[1], radix: 16),
        let address = Self.address(parts[0])
      else { continue }
      all.append(Listener(address: address, port: port))
    }
  }

  /// Words of four bytes, each as this machine writes a number; the address has them in its own
  /// order.
  private static func address(_ text: Substring) -> IPAddress? {
    var bytes: [UInt8] = []
    var rest = text
    while rest.count >= 8 {
      guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
      let host = word.littleEndian == word ? word.byteSwapped : word
      for shift in [24, 16, 8, 0] as [UInt32] { bytes.append(UInt8(host >> shift & 0xff)) }
      rest = rest.dropFirst(8)
    }
    return rest.isEmpty ? IPAddress(bytes: bytes) : nil
  }

  /// Reads those of the namespace at `path`. `/proc/net` would be that of the main thread's.
  init(_ traffic: TraceQuestion.Traffic, in path: String) throws {
    let home = try NetworkNamespace.current()
    try NetworkNamespace(path: path).enter()
    var texts: [String] = []
    for name in [traffic.name, traffic.name + "6"] {
      let file = try? FileDescriptor.open("/proc/thread-self/net/\(name)", .readOnly)
      guard let bytes = try? file?.readToEnd(limit: 16 << 20) else { continue }
      texts.append(String(decoding: bytes, as: UTF8.self))
    }
    try home.enter()
    for text in texts { add(text, state: traffic.name == "tcp" ? "0A" : "07") }
  }

  init() {}

  enum Answer: Hashable {
    case listens
    case none
    /// It listens on another address only.
    case elsewhere(IPAddress)
  }

  /// Whether something takes what is sent to `address` and `port`.
  func answer(_ address: IPAddress, _ port: UInt16) -> Answer {
    let onPort = all.filter { $0.port == port }
    func takes(_ listener: Listener) -> Bool {
      if listener.address == address { return true }
      guard listener.address.bytes.allSatisfy({ $0 == 0 }) else { return false }
      return listener.address.isIPv6 || !address.isIPv6
    }
    if onPort.contains(where: takes) { return .listens }
    return onPort.first.map { .elsewhere($0.address) } ?? .none
  }
}
