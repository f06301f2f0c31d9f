import Testing
import TestSupport

@Suite("Running programs in tests")
struct RunTests {
  @Test("status, output and errors come back, and input goes in")
  func streams() throws {
    let output = try run("sh", ["-c", "cat; echo no >&2; exit 3"], input: "yes".utf8)
    #expect(output.status == 3)
    #expect(output.stdout == "yes")
    #expect(output.stderr == "no\n")
    #expect(throws: RunError.self) { try output.checked() }
  }

  @Test("much input and output at once do not deadlock")
  func large() throws {
    let bytes = [UInt8](repeating: 0x61, count: 8 << 20)
    #expect(try run("cat", input: bytes).bytes == bytes)
    #expect(try run("true", input: bytes).status == 0)
  }

  @Test("a program is killed at the timeout, with those it started")
  func timeout() throws {
    let begin = ContinuousClock.now
    #expect(throws: RunError.self) {
      try run("sh", ["-c", "sleep 60 | cat"], timeout: .milliseconds(200))
    }
    #expect(ContinuousClock.now - begin < .seconds(5))
  }

  @Test("a grandchild that keeps the output open is not waited for")
  func grandchild() throws {
    let begin = ContinuousClock.now
    #expect(try run("sh", ["-c", "sleep 2 & echo done"]).stdout == "done\n")
    #expect(ContinuousClock.now - begin < .seconds(1))
  }

  @Test("a signal is a negative status, and a program that is not there is said so")
  func failures() throws {
    #expect(try run("sh", ["-c", "kill -9 $$"]).status == -9)
    #expect(throws: RunError.self) { try run("no-such-program") }
  }

  @Test("many at once get each their own")
  func parallel() async throws {
    let answers = await withTaskGroup(of: (Int, String?).self) { group in
      for number in 0..<40 {
        group.addTask { (number, try? run("cat", input: "\(number)".utf8).stdout) }
      }
      return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
    for number in 0..<40 { #expect(answers[number] == "\(number)") }
  }
}

@Suite("JSON in tests")
struct DocumentTests {
  @Test("a text is read and navigated")
  func navigation() throws {
    let text = #"{"a":[{"name":"x","n":1},{"name":"y","r":1.5,"b":true,"z":null}]}"#
    let document = try Document(parsing: text.utf8)
    #expect(document["a"][0]["n"] == 1)
    #expect(document["a"].first(where: "name", is: "y")["b"] == true)
    #expect(document["a"][1]["z"] == nil)
    #expect(document["a"][7]["none"]["at"][0].isAbsent)
    #expect(try Document(parsing: document.encoded) == document)
    #expect(document.with(["a": .absent, "b": 2]) == ["b": 2])
  }
}
