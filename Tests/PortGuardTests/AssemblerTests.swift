import BPF
import Testing

@Suite("The assembler") struct AssemblerTests {
  @Test("writes instructions as the kernel has them")
  func words() throws {
    var code = Assembler()
    let end = code.label()
    code.load(.word, .r6, from: .r1, at: 4)
    code.load(.byte, .r2, from: .r6, at: -1)
    code.store(.double, .r3, to: .r10, at: -16)
    code.compute(.move, .r8, .r6)
    code.compute(.add, .r8, 14)
    code.compute32(.and, .r4, 0xffff_0000)
    code.jump(to: end, if: .r8, .greater, .r7)
    code.jump(to: end, if: .r2, .equal, 0x8000_0001)
    code.set(.r4, to: 0x0102_0304_0506_0708)
    code.jump(to: end)
    code.place(end)
    code.exit(1)
    #expect(
      try code.program().map { $0.word } == [
        0x0000_0000_0004_1661, 0x0000_0000_ffff_6271, 0x0000_0000_fff0_3a7b,
        0x0000_0000_0000_68bf, 0x0000_000e_0000_0807, 0xffff_0000_0000_0454,
        0x0000_0000_0004_782d, 0x8000_0001_0003_0216, 0x0506_0708_0000_0418,
        0x0102_0304_0000_0000, 0x0000_0000_0000_0005, 0x0000_0001_0000_00b7,
        0x0000_0000_0000_0095,
      ])
  }

  @Test("jumps backwards, and refuses a jump that is too long")
  func jumps() throws {
    var code = Assembler()
    let start = code.here()
    code.jump(to: start)
    #expect(try code.program().first?.offset == -1)
    var long = Assembler()
    let end = long.label()
    long.jump(to: end)
    for _ in 0..<40_000 { long.compute(.move, .r1, 0) }
    long.place(end)
    #expect(throws: Assembler.Failure.tooFar(40_000)) { try long.program() }
  }
}
