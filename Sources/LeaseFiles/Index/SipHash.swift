/// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, "SipHash: a fast short-input PRF").
///
/// Keys of the index are digests, so that they all have one size; keyed, so that one who chooses
/// container IDs and pod names cannot make them meet.
enum SipHash {
  private struct State {
    var v0: UInt64, v1: UInt64, v2: UInt64, v3: UInt64

    mutating func round() {
      v0 &+= v1
      v1 = (v1 << 13 | v1 >> 51) ^ v0
      v0 = v0 << 32 | v0 >> 32
      v2 &+= v3
      v3 = (v3 << 16 | v3 >> 48) ^ v2
      v0 &+= v3
      v3 = (v3 << 21 | v3 >> 43) ^ v0
      v2 &+= v1
      v1 = (v1 << 17 | v1 >> 47) ^ v2
      v2 = v2 << 32 | v2 >> 32
    }

    mutating func absorb(_ word: UInt64) {
      v3 ^= word
      round()
      round()
      v0 ^= word
    }

    mutating func squeeze() -> UInt64 {
      for _ in 0..<4 { round() }
      return v0 ^ v1 ^ v2 ^ v3
    }
  }

  /// The digest of `message` under `key`.
  static func digest(_ message: [UInt8], key: Digest) -> Digest {
    var state = State(
      v0: 0x736f_6d65_7073_6575 ^ key.first, v1: 0x646f_7261_6e64_6f6d ^ key.second ^ 0xee,
      v2: 0x6c79_6765_6e65_7261 ^ key.first, v3: 0x7465_6462_7974_6573 ^ key.second)
    var word: UInt64 = 0
    for (position, octet) in message.enumerated() {
      word |= UInt64(octet) << (8 * UInt64(position & 7))
      if position & 7 == 7 {
        state.absorb(word)
        word = 0
      }
    }
    state.absorb(word | UInt64(message.count) << 56)
    state.v2 ^= 0xee
    let first = state.squeeze()
    state.v1 ^= 0xdd
    return Digest(first: first, second: state.squeeze())
  }
}

/// 128 bits; both zero stand for nothing.
struct Digest: Hashable, Sendable {
  var first: UInt64
  var second: UInt64
  static let none = Digest(first: 0, second: 0)
}
