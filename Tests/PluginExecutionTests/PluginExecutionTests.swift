import CNI
import JSON
import Linux
import PluginExecution
import TestSupport
import Testing

@Suite("finding and running a plugin") struct PluginExecutionTests {
  private let directory: TemporaryDirectory
  init() throws { directory = try TemporaryDirectory() }

  /// What `script` answers, run as a plugin.
  private func answer(_ script: String, timeout: Duration = .seconds(10)) throws(PluginFailure)
    -> JSONValue?
  {
    let path = "\(directory.path)/plugin"
    #expect(throws: Never.self) {
      try directory.write("#!/bin/sh\n\(script)\n", to: "plugin", mode: 0o755)
    }
    let process = try PluginProcess(
      start: path, environment: ["A=1", "PATH=/usr/bin:/bin"], input: Array(#"{"x": 1}"#.utf8),
      until: .after(timeout))
    return try process.finish(until: .after(timeout)).result()
  }

  @Test("takes the first regular file of the name in the path")
  func search() throws {
    try directory.write("", to: "one/a/not-a-file")
    let two = try directory.write("", to: "two/a")
    try directory.write("", to: "three/a")
    let path = ["one", "missing", "two", "three"].map { "\(directory.path)/\($0)" }
    #expect(try PluginSearch.executable(of: "a", in: path) == two)
  }

  @Test(
    "refuses names that are no name of an executable, with code 7",
    arguments: ["../x", "a/b", "/bin/sh", ".", "..", "a\u{1}", String(repeating: "x", count: 256)])
  func illegalNames(name: String) {
    let failure = #expect(throws: PluginFailure.self) {
      try PluginSearch.executable(of: name, in: ["/usr/bin"])
    }
    #expect(failure == .illegalName(name))
    guard let failure else { return }
    let error = CNIError(failure, of: name, .add)
    #expect(error.code == .invalidConfiguration)
    #expect(error.message == "invalid plugin name: \(name)")
    #expect(!failure.isOfRun)
  }

  @Test(
    "says why there is no plugin, with libcni's words",
    arguments: [
      ("", ["/x"], CNIError.Code.invalidConfiguration, "no plugin name provided"),
      ("a", [], .invalidEnvironment, "no paths provided"),
      (
        "a", ["/x", "/y"], .internalFailure,
        "failed to find plugin \"a\" in path [/x /y]: install it there, or add its directory to "
          + "CNI_PATH"
      ),
    ])
  func missing(type: String, path: [String], code: CNIError.Code, message: String) throws {
    let failure = try #require(
      #expect(throws: PluginFailure.self) { try PluginSearch.executable(of: type, in: path) })
    #expect(failure.description == message)
    let error = CNIError(failure, of: type, .add)
    #expect(error.code == code)
    #expect(error.description == message)
  }

  @Test("gives environment and input, and takes a result, null or nothing")
  func results() throws {
    #expect(try answer("cat") == ["x": 1])
    #expect(try answer(#"echo "[\"$A\"]""#) == ["1"])
    #expect(try answer("echo null") == nil)
    #expect(try answer("echo; echo") == nil)
  }

  @Test("throws the error result of the plugin, named and with its code")
  func refusal() throws {
    let failure = try #require(
      #expect(throws: PluginFailure.self) {
        try answer(#"echo '{"code": 11, "msg": "busy", "details": "later"}'; exit 1"#)
      })
    #expect(failure == .refused(CNIError(.tryAgainLater, "busy", details: "later")))
    let error = CNIError(failure, of: "p", .add)
    #expect(error.code == .tryAgainLater)
    #expect(error.description == "plugin \"p\": busy: later")
  }

  @Test("an error without a code of its own has that of an internal failure", arguments: [0, -1])
  func codeOfNoError(code: Int) throws {
    let failure = try #require(
      #expect(throws: PluginFailure.self) {
        try answer(#"echo '{"code": \#(code), "msg": "no"}'; exit 1"#)
      })
    #expect(failure == .refused(CNIError(.internalFailure, "no")))
  }

  @Test(
    "says how a plugin failed that says nothing itself",
    arguments: [
      (
        "exit 3", CNIError.Code.internalFailure,
        "plugin \"p\" failed without an error result: exit status 3 and nothing on standard output"
      ),
      (
        "echo '{}'; exit 1", .internalFailure,
        "plugin \"p\" failed without an error result: exit status 1: \"{}\n\""
      ),
      (
        "kill -9 $$", .internalFailure,
        "plugin \"p\" failed without an error result: signal 9 and nothing on standard output"
      ),
      (
        "echo '{'", .decodingFailure,
        "plugin \"p\" responded to ADD with what is not JSON: line 2, column 0: string or '}' expected near "
          + "end of file: \"{\n\""
      ),
    ])
  func silence(script: String, code: CNIError.Code, message: String) throws {
    let failure = try #require(
      #expect(throws: PluginFailure.self) { try answer(script) })
    let error = CNIError(failure, of: "p", .add)
    #expect(error.code == code)
    #expect(error.description == message)
    #expect(failure.isOfRun)
  }

  @Test("ends a plugin at the deadline, which may be tried again")
  func deadline() throws {
    let failure = try #require(
      #expect(throws: PluginFailure.self) { try answer("sleep 60", timeout: .milliseconds(100)) })
    #expect(CNIError(failure, of: "p", .add).code == .tryAgainLater)
  }

  @Test("waits for an executable that is being written until the deadline, and no longer")
  func beingWritten() throws {
    let path = try directory.write("#!/bin/sh\necho '{}'\n", to: "plugin", mode: 0o755)
    let begin = Clock.monotonic
    do {
      let writer = try FileDescriptor.open(path, .writeOnly)
      let failure = try #require(
        #expect(throws: PluginFailure.self) {
          _ = try PluginProcess(
            start: path, environment: [], input: [], until: .after(.milliseconds(200)))
        })
      #expect(failure.description == "exec(\(path)): ETXTBSY (Text file busy)")
      _ = consume writer
    }
    let waited = Clock.monotonic - begin
    #expect(waited >= .milliseconds(200) && waited < .seconds(3))
    let process = try PluginProcess(
      start: path, environment: [], input: [], until: .after(.seconds(10)))
    #expect(try process.finish(until: .after(.seconds(10))).result() == [:])
  }

  @Test("says when an executable cannot be run")
  func notExecutable() throws {
    let path = try directory.write("", to: "plain")
    let failure = try #require(
      #expect(throws: PluginFailure.self) {
        _ = try PluginProcess(start: path, environment: [], input: [], until: .after(.zero))
      })
    #expect(failure.description == "exec(\(path)): EACCES (Permission denied)")
    #expect(
      CNIError(failure, of: "p", .add).description
        == "cannot run plugin \"p\": exec(\(path)): EACCES (Permission denied)")
  }
}
