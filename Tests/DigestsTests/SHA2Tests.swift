import Digests
import Testing

private func hex(_ bytes: [UInt8]) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

@Suite("SHA-2") struct SHA2Tests {
  @Test(
    "digests the messages of FIPS 180-2 as published",
    arguments: [
      (
        "",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
      ),
      (
        "abc",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
      ),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        "204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c33596fd15c13b1b07f9aa1d3bea57789ca031ad85c7a71dd70354ec631238ca3445"
      ),
      (
        "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
        "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909"
      ),
    ])
  func vectors(message: String, sha256: String, sha512: String) {
    #expect(hex(SHA2.sha256(Array(message.utf8))) == sha256)
    #expect(hex(SHA2.sha512(Array(message.utf8))) == sha512)
  }

  @Test(
    "digests as sha256sum and sha512sum do where the padding needs another block",
    arguments: [
      (55, "9f4390f8d30c2dd9", "b0220c772cbf6c18"),
      (56, "b35439a4ac6f0948", "962b64aae357d2a4"),
      (63, "7d3e74a05d7db15b", "c1b0f5c6d3b03dfe"),
      (64, "ffe054fe7ae0cb6d", "01d35c10c6c38c2d"),
      (65, "635361c48bb9eab1", "b83086cd8494e557"),
      (111, "6374f73208854473", "fa9121c7b32b9e01"),
      (112, "f54353008a255326", "c01d080efd492776"),
      (119, "31eba51c313a5c08", "130396a75cb483f2"),
      (120, "2f3d335432c70b58", "f241de612b01aa2f"),
      (127, "c57e9278af78fa3c", "828613968b501dc0"),
      (128, "6836cf13bac400e9", "b73d1929aa615934"),
      (129, "c12cb024a2e5551c", "4f681e0bd53cda4b"),
      (1000, "41edece42d63e8d9", "67ba5535a46e3f86"),
    ])
  func lengths(count: Int, sha256: String, sha512: String) {
    let message = [UInt8](repeating: UInt8(ascii: "a"), count: count)
    #expect(hex(SHA2.sha256(message)).hasPrefix(sha256))
    #expect(hex(SHA2.sha512(message)).hasPrefix(sha512))
  }
}
