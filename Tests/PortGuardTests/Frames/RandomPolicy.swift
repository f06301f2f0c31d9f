import Addresses
import PortGuard
import TestSupport

extension GuardPolicy {
  /// Any policy: up to 12 senders, up to 30 prefixes each, some of them as one address has.
  static func random(_ random: inout SeededGenerator) -> GuardPolicy {
    let senders = (0..<Int.random(in: 1...12, using: &random)).map { _ in
      let mac = certain(
        MACAddress(
          bytes: [2] + (0..<5).map { _ in UInt8.random(in: 0...3, using: &random) }))
      let count = Int.random(in: 0...(random.next() % 8 == 0 ? 30 : 4), using: &random)
      var prefixes = (0..<count).map { _ in IPPrefix.random(&random) }
      if Bool.random(using: &random) { prefixes.append(.linkLocal(of: mac)) }
      if random.next() % 8 == 0 { prefixes.append(.linkLocal) }
      return Sender(mac, prefixes)
    }
    return GuardPolicy(
      random.next() % 8 == 0 ? .mac : .full, senders, allowsDHCP: Bool.random(using: &random))
  }

  /// A frame of the table, with addresses of the policy in the places of those it has, or near
  /// them, and now and then with a byte changed.
  func randomFrame(_ random: inout SeededGenerator) -> [UInt8] {
    let cases = Case.table + Case.dhcp(true)
    var frame = certain(cases.randomElement(using: &random)).bytes
    let sender = certain(senders.randomElement(using: &random))
    frame.replace(Frame.bytes(Container.mac), by: sender.mac.bytes)
    for text in [Container.ipv4, "10.1.0.3", "10.1.0.100", "192.0.2.129"] {
      if let prefix = sender.ipv4.randomElement(using: &random) {
        frame.replace(Frame.address(text), by: prefix.near(&random))
      }
    }
    for text in [Container.ipv6, Container.linkLocal, "fd00::3", "fd00:7::ff"] {
      if let prefix = sender.ipv6.randomElement(using: &random) {
        frame.replace(Frame.address(text), by: prefix.near(&random))
      }
    }
    for _ in 0..<(Bool.random(using: &random) ? 0 : Int.random(in: 1...2, using: &random)) {
      let position = Int.random(in: 6..<frame.count, using: &random)
      frame[position] = UInt8.random(in: 0...255, using: &random)
    }
    return frame
  }
}

extension IPPrefix {
  static func random(_ random: inout SeededGenerator) -> IPPrefix {
    let family: IPAddress.Family = Bool.random(using: &random) ? .v4 : .v6
    let bytes = (0..<(family == .v4 ? 4 : 16)).map { _ in UInt8.random(in: 0...255, using: &random)
    }
    let isWhole = random.next() % 3 > 0
    let length = isWhole ? family.bits : UInt8.random(in: 0...family.bits, using: &random)
    return certain(IPPrefix(certain(IPAddress(bytes: bytes)), length: length))
  }

  /// An address in it, or one that differs from one in it by a bit.
  func near(_ random: inout SeededGenerator) -> [UInt8] {
    var bytes = address.bytes
    let bit = Int.random(in: 0..<(bytes.count * 8), using: &random)
    if Bool.random(using: &random) { bytes[bit / 8] ^= 0x80 >> UInt8(bit % 8) }
    return bytes
  }
}

extension [UInt8] {
  /// Puts `other`, which is as long, where `part` is.
  mutating func replace(_ part: [UInt8], by other: [UInt8]) {
    guard count >= part.count else { return }
    for start in 0...(count - part.count) where self[start..<(start + part.count)] == part[...] {
      replaceSubrange(start..<(start + part.count), with: other)
    }
  }
}
