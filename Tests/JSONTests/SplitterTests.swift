import JSON
import Testing

@Suite("Splitting a stream into texts")
struct SplitterTests {
  private let texts = [
    #"{"a":"}\"{[\\","b":[{}]}"#, "[]", #"{"é€😀":"\\\""}"#, #"["[",["]"]]"#, #"{"x":{}}"#,
  ]

  private func split(_ stream: [UInt8], by size: Int) -> ([String], Int) {
    var splitter = JSONTextSplitter()
    var found: [String] = []
    for start in stride(from: 0, to: stream.count, by: size) {
      splitter.append(Array(stream[start..<min(start + size, stream.count)]))
      while let text = splitter.next() { found.append(String(decoding: text, as: UTF8.self)) }
    }
    return (found, splitter.pendingCount)
  }

  @Test("in pieces of whatever size, octet by octet included", arguments: [1, 2, 3, 7, 1000])
  func pieces(size: Int) {
    let (found, pending) = split(Array(texts.joined().utf8), by: size)
    #expect(found == texts)
    #expect(pending == 0)
  }

  @Test("white space between texts goes with the next, and is no harm to the parser")
  func whiteSpace() throws {
    let (found, _) = split(Array(" [1]\n\n {} \n".utf8), by: 4)
    #expect(try found.map { try JSONValue(parsing: Array($0.utf8)) } == [[1], [:]])
  }

  @Test("what is not finished waits, and is counted")
  func pending() {
    var splitter = JSONTextSplitter()
    #expect(splitter.next() == nil)
    splitter.append(Array(#"[]{"a":"}"#.utf8))
    #expect(splitter.next() == Array("[]".utf8))
    #expect(splitter.next() == nil)
    #expect(splitter.pendingCount == 7)
    splitter.append(Array("\"}[".utf8))
    #expect(splitter.next() == Array(#"{"a":"}"}"#.utf8))
    #expect(splitter.next() == nil)
    #expect(splitter.pendingCount == 1)
  }

  @Test("a text that closes more than it opened is given to the parser, which refuses it")
  func unbalanced() {
    let (found, _) = split(Array("][1]".utf8), by: 1)
    #expect(found == ["]", "[1]"])
    #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: Array(found[0].utf8)) }
  }

  @Test("many texts that come at once cost no more each than few do")
  func cost() {
    let clock = ContinuousClock()
    func time(_ count: Int) -> Duration {
      let stream = Array(String(repeating: #"{"a":[1]}"#, count: count).utf8)
      return clock.measure { #expect(split(stream, by: stream.count).0.count == count) }
    }
    _ = time(1000)
    // Twenty times the texts: a cost that grows with the square would be four hundred times as
    // high.
    #expect(time(200_000) < time(10_000) * 100)
  }
}
