import Addresses
import Linux

/// The frames that a probe may read: those between two addresses, and the questions for the MAC
/// addresses of either. Nothing else of the container's traffic is seen.
struct ProbeFilter {
  let source: IPAddress
  let destination: IPAddress
  /// The next hop, which is asked for its MAC address.
  let nextHop: IPAddress

  // Classic BPF, linux/filter.h: load a word or half-word at an offset, compare, return.
  private static let loadWord: UInt16 = 0x20
  private static let loadHalf: UInt16 = 0x28
  private static let jumpIfEqual: UInt16 = 0x15
  private static let giveBack: UInt16 = 0x06

  /// Where a frame has what is compared; offsets in bytes. Of an IPv6 address only the last word
  /// counts.
  private struct Comparison {
    let etherType: UInt32
    let firstOffset: UInt32
    let secondOffset: UInt32
  }

  var instructions: [PacketSocket.Instruction] {
    var program: [PacketSocket.Instruction] = []
    let comparisons: [Comparison] =
      source.isIPv6
      ? [
        Comparison(etherType: 0x86dd, firstOffset: 34, secondOffset: 50),
        Comparison(etherType: 0x86dd, firstOffset: 34, secondOffset: 74),
        Comparison(etherType: 0x86dd, firstOffset: 74, secondOffset: 50),
      ]
      : [
        Comparison(etherType: 0x0800, firstOffset: 26, secondOffset: 30),
        Comparison(etherType: 0x0806, firstOffset: 28, secondOffset: 38),
      ]
    for comparison in comparisons {
      for (first, second) in [
        (source, destination), (destination, source), (source, nextHop), (nextHop, source),
      ] {
        // Each test jumps over what is left of this comparison where it does not hold.
        program += [
          .init(code: Self.loadHalf, operand: 12),
          .init(code: Self.jumpIfEqual, ifFalse: 5, operand: comparison.etherType),
          .init(code: Self.loadWord, operand: comparison.firstOffset),
          .init(code: Self.jumpIfEqual, ifFalse: 3, operand: Self.word(first)),
          .init(code: Self.loadWord, operand: comparison.secondOffset),
          .init(code: Self.jumpIfEqual, ifFalse: 1, operand: Self.word(second)),
          .init(code: Self.giveBack, operand: .max),
        ]
      }
    }
    return program + [.init(code: Self.giveBack, operand: 0)]
  }

  /// The last four bytes.
  private static func word(_ address: IPAddress) -> UInt32 {
    address.bytes.suffix(4).reduce(0) { $0 << 8 | UInt32($1) }
  }

  enum Kind: Hashable {
    /// ARP, or neighbour discovery: the question and the answer.
    case question
    case answer
    /// The packet, and what comes back.
    case request
    case reply
    /// What comes back says no: a reset, or an ICMP error.
    case refusal
  }

  /// What a frame that passed the filter is.
  func kind(_ frame: [UInt8]) -> Kind? {
    guard frame.count >= 34 else { return nil }
    let type = UInt16(frame[12]) << 8 | UInt16(frame[13])
    if type == 0x0806 {
      return frame.count > 21 && frame[21] == 1 ? .question : .answer
    }
    let isIPv6 = type == 0x86dd
    let header = isIPv6 ? 54 : 14 + Int(frame[14] & 0xf) * 4
    guard frame.count > header + 13 || frame.count > header else { return nil }
    let next = isIPv6 ? frame[20] : frame[23]
    let from = IPAddress(bytes: Array(isIPv6 ? frame[22..<38] : frame[26..<30]))
    if isIPv6, next == 58, [135, 136].contains(frame[header]) {
      return frame[header] == 135 ? .question : .answer
    }
    if from == source { return .request }
    if next == 6, frame.count > header + 13, frame[header + 13] & 0x4 != 0 { return .refusal }
    let isError = next == 1 ? frame[header] == 3 : next == 58 && frame[header] == 1
    return isError ? .refusal : .reply
  }
}
