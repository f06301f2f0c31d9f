import Testing

@testable import LeaseFiles

@Suite("SipHash") struct SipHashTests {
  /// The authors' test vectors: key 00 01 … 0f, message 00 01 … of the given length; octets of the
  /// output as they are written to memory.
  @Test(
    "gives the digests of its authors' test vectors",
    arguments: [
      (0, "a3817f04ba25a8e66df67214c7550293"), (1, "da87c1d86b99af44347659119b22fc45"),
      (2, "8177228da4a45dc7fca38bdef60affe4"),
    ])
  func vectors(length: Int, expected: String) {
    let key = Digest(first: 0x0706_0504_0302_0100, second: 0x0f0e_0d0c_0b0a_0908)
    let digest = SipHash.digest((0..<length).map { UInt8($0) }, key: key)
    let octets = [digest.first, digest.second].flatMap { word in
      (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * UInt64($0))) }
    }
    let text = octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    #expect(text == expected)
  }

  @Test("differs by the key and by every octet")
  func differs() {
    let message = Array("container\u{0}eth0".utf8)
    let digest = SipHash.digest(message, key: .none)
    #expect(digest != SipHash.digest(message, key: Digest(first: 1, second: 0)))
    for position in message.indices {
      var other = message
      other[position] ^= 1
      #expect(digest != SipHash.digest(other, key: .none))
    }
  }
}
