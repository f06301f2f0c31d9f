import Addresses
import PortGuard

/// What the policy says about a frame, worked out as a person would: the reference that both
/// mechanisms are compared with. It shares nothing with them but the policy.
struct Verdict {
  let policy: GuardPolicy
  let frame: [UInt8]

  init(_ policy: GuardPolicy, _ frame: [UInt8]) {
    self.policy = policy
    self.frame = frame
  }

  private var sender: GuardPolicy.Sender? {
    policy.senders.first { $0.mac.bytes == Array(frame[6..<12]) }
  }
  private func owns(_ address: ArraySlice<UInt8>) -> Bool {
    guard let sender, let address = IPAddress(bytes: Array(address)) else { return false }
    return (sender.ipv4 + sender.ipv6).contains { $0.contains(address) }
  }

  var passes: Bool {
    guard frame.count >= 14, sender != nil else { return false }
    if policy.mode == .mac { return true }
    var type = Array(frame[12..<14])
    var rest = frame[14...]
    if type == [0x81, 0x00] || type == [0x88, 0xa8] {
      guard frame.count >= 18 else { return false }
      type = Array(frame[16..<18])
      rest = frame[18...]
    }
    let packet = Array(rest)
    return switch type {
    case [0x08, 0x06]: passesARP(packet)
    case [0x08, 0x00]: passesIPv4(packet)
    case [0x86, 0xdd]: passesIPv6(packet)
    default: false
    }
  }

  private func passesARP(_ packet: [UInt8]) -> Bool {
    guard packet.count >= 28, packet.starts(with: [0, 1, 8, 0, 6, 4]),
      packet[8..<14] == frame[6..<12]
    else { return false }
    return packet[14..<18] == [0, 0, 0, 0] ? owns(packet[24..<28]) : owns(packet[14..<18])
  }

  private func passesIPv4(_ packet: [UInt8]) -> Bool {
    guard packet.count >= 20, packet[0] >> 4 == 4, packet[0] & 15 >= 5 else { return false }
    let header = Int(packet[0] & 15) * 4
    let isFirst = packet[6] & 0x1f == 0 && packet[7] == 0
    if packet[9] == 17, isFirst {
      guard packet.count >= header + 4 else { return false }
      let ports = packet[header..<(header + 4)]
      if ports.prefix(2) == [0, 67] { return false }
      let isRequest =
        packet[12..<20] == [0, 0, 0, 0, 255, 255, 255, 255] && ports == [0, 68, 0, 67]
      if policy.allowsDHCP, isRequest { return true }
    }
    return owns(packet[12..<16])
  }

  private func passesIPv6(_ packet: [UInt8]) -> Bool {
    guard packet.count >= 40, packet[0] >> 4 == 6 else { return false }
    let source = packet[8..<24]
    var next = packet[6]
    var position = 40
    var headers = 0
    while [0, 43, 60, 44].contains(next) {
      headers += 1
      guard headers <= 6, packet.count >= position + 8 else { return false }
      let kind = next
      next = packet[position]
      if kind == 44 {
        if packet[position + 2] != 0 || packet[position + 3] & 0xf8 != 0 {
          return ![0, 43, 44, 51, 60].contains(next) && owns(source)
        }
        position += 8
      } else {
        position += (Int(packet[position + 1]) + 1) * 8
      }
    }
    switch next {
    case 17:
      guard packet.count >= position + 2 else { return false }
      return packet[position..<(position + 2)] != [2, 35] && owns(source)
    case 58:
      guard packet.count > position else { return false }
      return passesICMPv6(packet, packet[position], isDirect: headers == 0)
    default: return owns(source)
    }
  }

  private func passesICMPv6(_ packet: [UInt8], _ type: UInt8, isDirect: Bool) -> Bool {
    let source = packet[8..<24]
    let isUnspecified = source.allSatisfy { $0 == 0 }
    if type == 131 || type == 143, isUnspecified { return packet[24..<26] == [0xff, 0x02] }
    guard (133...137).contains(type) else { return owns(source) }
    guard isDirect else { return false }
    let length = Int(packet[4]) << 8 | Int(packet[5])
    let start = type == 133 ? 8 : 24
    guard packet.count >= 40 + length, length == start || length == start + 8 else { return false }
    let option = packet[(40 + start)..<(40 + length)]
    let mac = frame[6..<12]
    switch type {
    case 133: return (option.isEmpty || option == [1, 1] + mac) && owns(source)
    case 135:
      let isNamed = !option.isEmpty && option.prefix(2) != [14, 1]
      if isNamed { return !isUnspecified && option == [1, 1] + mac && owns(source) }
      return owns(isUnspecified ? packet[48..<64] : source)
    case 136:
      return (option.isEmpty || option == [2, 1] + mac) && owns(source) && owns(packet[48..<64])
    default: return false
    }
  }
}
