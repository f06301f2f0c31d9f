import CNI
import CNIRuntime
import Foundation
import TestSupport
import Testing

@Suite("GC, STATUS and VERSION of a network") struct NetworkCommandTests {
  private let plugins: ScriptedPlugins
  private var runtime: Runtime { plugins.runtime }
  init() throws { plugins = try ScriptedPlugins() }

  private func list(_ types: [String], version: String = "1.1.0", more: String = "") throws
    -> NetworkList
  {
    let entries = types.map { #"{"type": "\#($0)"}"# }.joined(separator: ",")
    return try NetworkList(
      parsing: Array(
        #"{"cniVersion": "\#(version)", "name": "net"\#(more), "plugins": [\#(entries)]}"#.utf8))
  }
  private func attach(_ containerID: String, _ sandbox: String, to list: NetworkList) throws
    -> CNI::Attachment
  {
    let attachment = CNI::Attachment(containerID: containerID, interfaceName: "eth7")
    _ = try runtime.add(list, AttachmentParameters(attachment, sandboxPath: sandbox))
    return attachment
  }
  private func kept() throws -> [String] {
    try runtime.cache.entries().map { $0.attachment.containerID }
  }

  @Test("GC that is told of no valid attachments removes those without sandbox, and no more")
  func gcOfTheGone() throws {
    try plugins.make("a")
    try plugins.make("b")
    let list = try list(["a", "b"])
    // A path below /proc may be another process's by now; one with a name is what it was.
    let here = "\(plugins.directory.path)/netns"
    try FileManager.default.createSymbolicLink(
      atPath: here, withDestinationPath: "/proc/self/ns/net")
    _ = try attach("gone", "/no/such/netns", to: list)
    _ = try attach("here", here, to: list)
    _ = try attach("unknown", "", to: list)
    plugins.forget()
    let outcome = try runtime.gc(list, valid: nil)
    #expect(outcome.removed.map { $0.parameters.attachment.containerID } == ["gone"])
    #expect(outcome.failures.isEmpty)
    #expect(plugins.order == ["b DEL", "a DEL", "a GC", "b GC"])
    #expect(try kept() == ["here", "unknown"])
    // Not told, which is not the same as none.
    let input = plugins.inputs[2]
    #expect(input["cni.dev/valid-attachments"].isAbsent)
    #expect(input["cni.dev/attachments"].isAbsent)
  }

  @Test("GC removes what is not valid, and tells the plugins what is")
  func gcOfTheInvalid() throws {
    try plugins.make("a")
    let list = try list(["a"])
    let valid = try attach("valid", "/no/such/netns", to: list)
    _ = try attach("stale", "/proc/self/ns/net", to: list)
    plugins.forget()
    let outcome = try runtime.gc(list, valid: [valid])
    #expect(outcome.removed.map { $0.parameters.attachment.containerID } == ["stale"])
    let expected: Document = [["containerID": "valid", "ifname": "eth7"]]
    #expect(plugins.inputs.last?["cni.dev/valid-attachments"] == expected)
    #expect(plugins.inputs.last?["cni.dev/attachments"] == expected)
    try runtime.gc(list, valid: [])
    #expect(plugins.inputs.last?["cni.dev/valid-attachments"] == [])
    #expect(try kept().isEmpty)
  }

  @Test("GC leaves other networks alone, goes on past failures, and does nothing where disabled")
  func gcBounds() throws {
    try plugins.make(
      "a", "ADD) echo '{}' ;; DEL|GC) echo '{\"code\":999,\"msg\":\"no\"}'; exit 1 ;;")
    try plugins.make("b", "ADD) echo '{}' ;;")
    let list = try list(["a", "b"])
    _ = try attach("x", "/no/such/netns", to: list)
    let other = try NetworkList(
      parsing: Array(#"{"name": "other", "plugins": [{"type": "b"}]}"#.utf8))
    _ = try attach("y", "/no/such/netns", to: other)
    plugins.forget()
    let outcome = try runtime.gc(list, valid: nil)
    #expect(outcome.removed.isEmpty)
    #expect(
      outcome.failures.map(\.description) == [
        "plugin type=\"a\" failed (delete): no", "plugin type=\"a\" failed (gc): no",
      ])
    #expect(plugins.order == ["b DEL", "a DEL", "a GC", "b GC"])
    #expect(try kept() == ["x", "y"])
    plugins.forget()
    try runtime.gc(self.list(["b"], more: #", "disableGC": true"#), valid: [])
    #expect(plugins.order.isEmpty)
  }

  @Test("GC of a version before 1.1.0 asks no plugin")
  func oldGC() throws {
    try plugins.make("a", "ADD) echo '{}' ;;")
    try runtime.gc(list(["a"], version: "1.0.0"), valid: [])
    #expect(plugins.order.isEmpty)
  }

  @Test("STATUS ends with the first plugin that is not ready")
  func status() throws {
    try plugins.make("a")
    try plugins.make("b", "STATUS) echo '{\"code\":50,\"msg\":\"no bridge\"}'; exit 1 ;;")
    try plugins.make("c")
    try runtime.status(list(["a", "c"]))
    plugins.forget()
    let error = #expect(throws: RuntimeError.self) { try runtime.status(list(["a", "b", "c"])) }
    #expect(error?.description == "plugin type=\"b\" failed (status): no bridge")
    #expect(plugins.order == ["a STATUS", "b STATUS"])
    let old = #expect(throws: RuntimeError.self) {
      try runtime.status(list(["a"], version: "1.0.0"))
    }
    #expect(old?.description.hasPrefix("configuration version \"1.0.0\" does not support") == true)
  }

  @Test("VERSION is asked for with what plugins older than it require")
  func versions() throws {
    try plugins.make(
      "a", #"VERSION) echo '{"cniVersion":"1.1.0","supportedVersions":["0.4.0","1.0.0"]}' ;;"#)
    try plugins.make("b", #"*) echo '{"code":4,"msg":"unknown CNI_COMMAND: VERSION"}'; exit 1 ;;"#)
    try plugins.make("c", "*) exit 1 ;;")
    #expect(try runtime.versions(of: "a") == ["0.4.0", "1.0.0"])
    #expect(plugins.calls == ["a VERSION id=dummy if=dummy ns=dummy args= path=dummy"])
    #expect(plugins.inputs == [["cniVersion": "1.1.0"]])
    #expect(try runtime.versions(of: "b") == ["0.1.0"])
    #expect(throws: RuntimeError.self) { try runtime.versions(of: "c") }
  }
}
