import Addresses
import CNI
import JSON

/// What octets from outside are given to. None of them may trap, hang, or take memory without
/// bound, whatever the octets are; and what was understood is understood again when it is written.
public enum Subject: String, CaseIterable, Sendable {
  /// JSON texts, and streams of them.
  case json
  /// Configurations of plugins and networks, and the environment of an invocation.
  case configuration
  /// `CNI_ARGS` and other parameters.
  case arguments
  /// IP addresses, prefixes, ranges and MAC addresses.
  case addresses
  /// What the kernel sends.
  case netlink
  /// What ovsdb-server sends, and ovs-vswitchd over its control socket.
  case ovsdb
  /// The results of delegates, and what a runtime kept of them.
  case cache
  /// Lease files, their index, and the memory beside it.
  case leases

  /// Feeds it with octets; ends the program where they are handled wrongly.
  public func feed(_ octets: [UInt8]) {
    switch self {
    case .json: Feeding.json(octets)
    case .configuration: Feeding.configuration(octets)
    case .arguments: Feeding.arguments(octets)
    case .addresses: Feeding.addresses(octets)
    case .netlink: Feeding.netlink(octets)
    case .ovsdb: Feeding.ovsdb(octets)
    case .cache: Feeding.cache(octets)
    case .leases: Feeding.leases(octets)
    }
  }
}

enum Feeding {
  /// Ends the program where `fact` does not hold.
  static func require(_ fact: Bool, _ what: @autoclosure () -> String) {
    if !fact { fatalError(what()) }
  }

  static func json(_ octets: [UInt8]) {
    if let value = try? JSONValue(parsing: octets) {
      let text = value.encoded()
      require((try? JSONValue(parsing: text)) == value, "another value when written: \(octets)")
      let indented = value.encoded(indentedBy: 4)
      require((try? JSONValue(parsing: indented)) == value, "another value when indented")
    }
    // A stream comes in pieces; however it is cut, the texts are the same.
    var whole = JSONTextSplitter()
    whole.append(octets)
    var texts: [[UInt8]] = []
    while let text = whole.next() { texts.append(text) }
    var pieces = JSONTextSplitter()
    var count = 0
    for octet in octets {
      pieces.append([octet])
      while let text = pieces.next() {
        require(count < texts.count && texts[count] == text, "cut differently: \(octets)")
        count += 1
      }
    }
    require(count == texts.count, "cut into \(count), not \(texts.count): \(octets)")
  }

  static func addresses(_ octets: [UInt8]) {
    let text = String(decoding: octets, as: UTF8.self)
    if let address = IPAddress(text) {
      require(IPAddress(address.description) == address, "another address: \(text)")
      _ = (address.successor, address.unmapped, IPAddress(bytes: address.bytes))
      if let range = IPRange(address, address) { _ = range.contains(address) }
    }
    if let prefix = try? IPPrefix(text) {
      require((try? IPPrefix(prefix.description)) == prefix, "another prefix: \(text)")
      let range = IPRange(prefix)
      require(range.contains(prefix.address), "outside of itself: \(text)")
      _ = (range.first.successor, range.last.successor)
    }
    if let mac = MACAddress(text) {
      require(MACAddress(mac.description) == mac, "another MAC address: \(text)")
    }
    _ = IPAddress(bytes: octets)
    _ = MACAddress(bytes: octets)
  }

  static func arguments(_ octets: [UInt8]) {
    let text = String(decoding: octets, as: UTF8.self)
    if let arguments = try? Arguments(text) {
      _ = (arguments["IP"], arguments["MAC"])
      require((try? Arguments(arguments.text)) == arguments, "other arguments: \(text)")
    }
    // The parameters, one a line.
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
    let names = [
      "CNI_COMMAND", "CNI_CONTAINERID", "CNI_IFNAME", "CNI_NETNS", "CNI_PATH", "CNI_ARGS",
    ]
    guard
      let invocation = try? Invocation(environment: { name in
        guard let place = names.firstIndex(of: name), place < lines.count else { return nil }
        return lines[place]
      })
    else { return }
    for name in [invocation.containerID, invocation.interfaceName] {
      require(!name.utf8.contains(UInt8(ascii: "/")) && name != "..", "a path: \(name)")
      require(name.utf8.count <= 255, "too long: \(name)")
    }
  }
}
