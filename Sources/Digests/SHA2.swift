/// The secure hash algorithms SHA-256 and SHA-512 (FIPS 180-4).
///
/// Written here, and not taken from a package, because a plugin links nothing but the standard
/// library and libjansson; it is used for names, not for secrets.
public enum SHA2 {
  /// The 32 bytes of SHA-256 (section 6.2).
  public static func sha256(_ message: [UInt8]) -> [UInt8] {
    let rotations = Rotations<UInt32>(
      bigSigma0: (2, 13, 22), bigSigma1: (6, 11, 25), sigma0: (7, 18, 3), sigma1: (17, 19, 10))
    return digest(message, sha256Initial, constants.prefix(64).map { UInt32($0 >> 32) }, rotations)
  }

  /// The 64 bytes of SHA-512 (section 6.4).
  public static func sha512(_ message: [UInt8]) -> [UInt8] {
    let rotations = Rotations<UInt64>(
      bigSigma0: (28, 34, 39), bigSigma1: (14, 18, 41), sigma0: (1, 8, 7), sigma1: (19, 61, 6))
    return digest(message, sha512Initial, constants, rotations)
  }

  /// How far the functions of sections 4.1.2 and 4.1.3 rotate; the last of sigma is a shift.
  private struct Rotations<Word> {
    let bigSigma0: (Word, Word, Word), bigSigma1: (Word, Word, Word)
    let sigma0: (Word, Word, Word), sigma1: (Word, Word, Word)
  }

  private static func digest<Word: FixedWidthInteger & UnsignedInteger>(
    _ message: [UInt8], _ initial: [Word], _ constants: [Word], _ rotations: Rotations<Word>
  ) -> [UInt8] {
    func rotate(_ x: Word, _ n: Word) -> Word { x &>> n | x &<< (Word(Word.bitWidth) - n) }
    func bigSigma(_ x: Word, _ n: (Word, Word, Word)) -> Word {
      rotate(x, n.0) ^ rotate(x, n.1) ^ rotate(x, n.2)
    }
    func sigma(_ x: Word, _ n: (Word, Word, Word)) -> Word {
      rotate(x, n.0) ^ rotate(x, n.1) ^ x &>> n.2
    }
    let wordSize = Word.bitWidth / 8
    var state = initial
    let padded = padding(message, block: 16 * wordSize)
    var schedule = [Word](repeating: 0, count: constants.count)
    for block in stride(from: 0, to: padded.count, by: 16 * wordSize) {
      for t in 0..<16 {
        let start = block + t * wordSize
        schedule[t] = (0..<wordSize).reduce(0) { $0 &<< 8 | Word(padded[start + $1]) }
      }
      for t in 16..<constants.count {
        schedule[t] =
          sigma(schedule[t - 2], rotations.sigma1) &+ schedule[t - 7]
          &+ sigma(schedule[t - 15], rotations.sigma0) &+ schedule[t - 16]
      }
      var (a, b, c, d) = (state[0], state[1], state[2], state[3])
      var (e, f, g, h) = (state[4], state[5], state[6], state[7])
      for t in constants.indices {
        let choice = e & f ^ ~e & g
        let majority = a & b ^ a & c ^ b & c
        let first = h &+ bigSigma(e, rotations.bigSigma1) &+ choice &+ constants[t] &+ schedule[t]
        let second = bigSigma(a, rotations.bigSigma0) &+ majority
        (h, g, f, e) = (g, f, e, d &+ first)
        (d, c, b, a) = (c, b, a, first &+ second)
      }
      for (position, word) in [a, b, c, d, e, f, g, h].enumerated() { state[position] &+= word }
    }
    return (0..<state.count * wordSize).map { position in
      let shift = 8 * (wordSize - 1 - position % wordSize)
      return UInt8(truncatingIfNeeded: state[position / wordSize] >> Word(shift))
    }
  }

  /// The message, a one bit, zeros, and its length in bits (section 5.1).
  private static func padding(_ message: [UInt8], block: Int) -> [UInt8] {
    let lengthSize = block / 8
    var padded = message + [0x80]
    let used = (padded.count + lengthSize) % block
    padded += repeatElement(0, count: (used == 0 ? 0 : block - used) + lengthSize - 8)
    let bits = UInt64(message.count) &* 8
    padded += (0..<8).map { UInt8(truncatingIfNeeded: bits >> UInt64(56 - 8 * $0)) }
    return padded
  }

  private static let sha256Initial: [UInt32] = sha512Initial.map { UInt32($0 >> 32) }
}

extension SHA2 {
  /// The first `bytes` of the SHA-256 digest of `text`, two hexadecimal digits each.
  public static func hexadecimal(_ text: String, bytes: Int) -> String {
    hexadecimal(sha256(Array(text.utf8)).prefix(bytes))
  }

  /// `bytes`, two hexadecimal digits each.
  public static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
