import TestSupport
import Testing

@Suite("hook oci, of the state on standard input") struct HookStateTests {
  private func run(_ state: Document, _ words: [String] = ["ovs-1"]) throws -> Output {
    try TestSupport.run(
      "\(Plugin.directory)/patchbay", ["hook", "oci"] + words,
      environment: ["NETCONFPATH": "/there/is/none", "CNI_PATH": "/there/is/none"],
      input: state.encoded)
  }

  @Test(
    "refuses what is no state, and says what is legal",
    arguments: [
      #"{"id": "c", "pid": 1, "status": "bogus"}"#, #"{"id": "c", "pid": 1, "status": ""}"#,
      #"{"id": "c", "pid": 1, "status": "Running"}"#, #"{"id": "c", "pid": 1, "status": 5}"#,
      #"{"id": "c", "pid": 1}"#, #"{"id": "c", "status": "paused"}"#,
    ])
  func refused(text: String) throws {
    let output = try run(try Document(parsing: text.utf8))
    #expect(output.status == 1)
    try Messages.expect(output.stderr, of: "patchbay", on: "patchbay hook oci, \(text)")
  }

  @Test(
    "goes on with each state of the specification", arguments: ["creating", "created", "running"])
  func legal(status: String) throws {
    let output = try run(["id": "c", "pid": 0, "status": .string(status)])
    #expect(output.status == 1)
    try Messages.expect(output.stderr, of: "patchbay", on: "patchbay hook oci, \(status), pid 0")
  }
}
