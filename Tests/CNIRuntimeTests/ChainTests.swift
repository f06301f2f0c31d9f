import CNI
import CNIRuntime
import JSON
import Linux
import TestSupport
import Testing

private let refusal = #"echo '{"code": 999, "msg": "no", "details": "today"}'; exit 1 ;;"#

@Suite("a chain of plugins") struct ChainTests {
  private let plugins: ScriptedPlugins
  private var runtime: Runtime { plugins.runtime }
  init() throws { plugins = try ScriptedPlugins() }

  private func list(_ types: [String], version: String = "1.1.0", more: String = "") throws
    -> NetworkList
  {
    let entries = types.map { #"{"type": "\#($0)", "own": "\#($0)"}"# }.joined(separator: ",")
    return try NetworkList(
      parsing: Array(
        #"{"cniVersion": "\#(version)", "name": "net"\#(more), "plugins": [\#(entries)]}"#.utf8))
  }
  private let attachment = CNI::Attachment(containerID: "c1", interfaceName: "eth7")
  private var parameters: AttachmentParameters {
    AttachmentParameters(
      attachment, sandboxPath: "/no/such/netns",
      arguments: Arguments(pairs: [("K", "V"), ("L", "W")]))
  }
  private func message(_ body: () throws -> Void) -> String {
    (#expect(throws: RuntimeError.self, performing: body))?.description ?? ""
  }

  @Test("is run in order for ADD, each plugin with the result of the one before")
  func add() throws {
    try plugins.make("a", #"ADD) echo '{"cniVersion":"1.1.0","dns":{"domain":"a"}}' ;;"#)
    try plugins.make("b", #"ADD) echo '{"dns":{"domain":"b"}}' ;;"#)
    let result = try runtime.add(list(["a", "b"]), parameters)
    let path = runtime.pluginPath.joined(separator: ":")
    #expect(
      plugins.calls == [
        "a ADD id=c1 if=eth7 ns=/no/such/netns args=K=V;L=W path=\(path)",
        "b ADD id=c1 if=eth7 ns=/no/such/netns args=K=V;L=W path=\(path)",
      ])
    #expect(plugins.inputs[0] == ["type": "a", "own": "a", "name": "net", "cniVersion": "1.1.0"])
    #expect(plugins.inputs[1]["prevResult"] == ["cniVersion": "1.1.0", "dns": ["domain": "a"]])
    #expect(result["dns"]?["domain"] == "b")
    // A result without a version is of that of the configuration.
    #expect(result["cniVersion"] == "1.1.0")
    #expect(try runtime.cache.entry("net", attachment)?.result?["dns"]?["domain"] == "b")
  }

  @Test("is run in reverse for DEL, with the kept result, which is then forgotten")
  func del() throws {
    try plugins.make("a")
    try plugins.make("b")
    let list = try list(["a", "b"])
    _ = try runtime.add(list, parameters)
    plugins.forget()
    try runtime.del(list, parameters)
    #expect(plugins.order == ["b DEL", "a DEL"])
    #expect(plugins.inputs.allSatisfy { $0["prevResult"]["cniVersion"] == "1.1.0" })
    #expect(try runtime.cache.entries().isEmpty)
    // Once more does no harm.
    try runtime.del(list, parameters)
    #expect(plugins.inputs.last?["prevResult"] == .absent)
  }

  @Test("is run to its end for DEL though a plugin fails, and the result is kept")
  func failingDEL() throws {
    try plugins.make("a")
    try plugins.make("b", #"ADD) echo '{"cniVersion":"1.1.0"}' ;; DEL) \#(refusal)"#)
    let list = try list(["a", "b"])
    _ = try runtime.add(list, parameters)
    plugins.forget()
    #expect(
      message { try runtime.del(list, parameters) }
        == "plugin type=\"b\" failed (delete): no: today")
    #expect(plugins.order == ["b DEL", "a DEL"])
    #expect(try runtime.cache.entry("net", attachment) != nil)
  }

  @Test("has no previous result for DEL before 0.4.0")
  func oldDEL() throws {
    try plugins.make("a", #"ADD) echo '{"cniVersion":"0.3.1","dns":{}}' ;;"#)
    let list = try list(["a"], version: "0.3.1")
    _ = try runtime.add(list, parameters)
    try runtime.del(list, parameters)
    #expect(plugins.inputs.map { $0["prevResult"] } == [.absent, .absent])
  }

  @Test("is run in order for CHECK, every plugin with the result of the whole")
  func check() throws {
    try plugins.make("a")
    try plugins.make("b", #"ADD) echo '{"cniVersion":"1.1.0","dns":{"domain":"b"}}' ;;"#)
    let list = try list(["a", "b"])
    _ = try runtime.add(list, parameters)
    plugins.forget()
    try runtime.check(attached: list, parameters)
    #expect(plugins.order == ["a CHECK", "b CHECK"])
    #expect(plugins.inputs.map { $0["prevResult"]["dns"]["domain"] } == ["b", "b"])
  }

  @Test("has the kept result in the form of its version, should that have changed")
  func converted() throws {
    try plugins.make(
      "a", #"ADD) echo '{"cniVersion":"1.0.0","ips":[{"address":"10.1.0.2/24"}]}' ;;"#)
    _ = try runtime.add(list(["a"], version: "1.0.0"), parameters)
    try runtime.check(attached: list(["a"], version: "0.4.0"), parameters)
    #expect(plugins.inputs[1]["prevResult"]["ips"][0]["version"] == "4")
    #expect(plugins.inputs[1]["prevResult"]["cniVersion"] == "0.4.0")
  }

  @Test("is not checked where CHECK is disabled, unknown to the version, or nothing is kept")
  func noCheck() throws {
    try plugins.make("a")
    try runtime.check(attached: list(["a"], more: #", "disableCheck": true"#), parameters)
    #expect(
      message { try runtime.check(attached: list(["a"], version: "0.3.1"), parameters) }
        == "configuration version \"0.3.1\" does not support the CHECK command: it needs 0.4.0 or "
        + "later")
    #expect(
      message { try runtime.check(attached: list(["a"]), parameters) }
        == "container \"c1\" is not on network \"net\" by interface \"eth7\": "
        + "\(runtime.cache.path) has no result of it")
    #expect(plugins.order.isEmpty)
  }

  @Test("is taken back in reverse when ADD fails, and nothing is kept")
  func rollback() throws {
    try plugins.make("a")
    try plugins.make("b", "ADD) \(refusal)")
    try plugins.make("c")
    #expect(
      message { _ = try runtime.add(list(["a", "b", "c"]), parameters) }
        == "plugin type=\"b\" failed (add): no: today\n"
        + "what the plugins had made was taken back, by DEL in reverse order")
    #expect(plugins.order == ["a ADD", "b ADD", "b DEL", "a DEL"])
    #expect(try runtime.cache.entries().isEmpty)
  }

  @Test("is not told twice that a plugin refuses its configuration, for DEL as well")
  func refusedConfiguration() throws {
    let illegal = #"echo '{"code": 7, "msg": "vlan: 5000 is not in 0…4094"}'; exit 1"#
    try plugins.make("a")
    try plugins.make("b", "ADD | DEL) \(illegal) ;;")
    let sentence = #"plugin type="b" failed (add): vlan: 5000 is not in 0…4094"#
    #expect(message { _ = try runtime.add(list(["b"]), parameters) } == sentence)
    #expect(
      message { _ = try runtime.add(list(["a", "b"]), parameters) }
        == sentence + "\nwhat the plugins had made was taken back, by DEL in reverse order")
    #expect(plugins.order.suffix(4) == ["a ADD", "b ADD", "b DEL", "a DEL"])
  }

  @Test("gets no DEL for what its first plugin found up, and left untouched")
  func refusedRepetition() throws {
    try plugins.make("a", #"ADD) echo '{"code": 100, "msg": "is up"}'; exit 1 ;;"#)
    try plugins.make("b")
    #expect(
      message { _ = try runtime.add(list(["a", "b"]), parameters) }
        == #"plugin type="a" failed (add): is up"#)
    #expect(plugins.order == ["a ADD"])
    plugins.forget()
    // What those before it made is theirs, and goes.
    _ = message { _ = try runtime.add(list(["b", "a"]), parameters) }
    #expect(plugins.order == ["b ADD", "a ADD", "b DEL"])
  }

  @Test("tells what could not be taken back")
  func failingRollback() throws {
    try plugins.make("a", #"ADD) echo '{}' ;; DEL) \#(refusal)"#)
    let text = message { _ = try runtime.add(list(["a", "missing"]), parameters) }
    let path = runtime.pluginPath.joined(separator: " ")
    #expect(
      text == """
        plugin type="missing" failed (add): failed to find plugin "missing" in path [\(path)]: \
        install it there, or add its directory to CNI_PATH
        taking back what was made, if anything was, failed as well: plugin type="a" failed (delete): \
        no: today
        """)
    // What was not run has made nothing.
    #expect(plugins.order == ["a ADD", "a DEL"])
  }

  @Test(
    "says how a plugin failed",
    arguments: [
      ("exit 3", "netplugin failed with no error message: exit status 3"),
      ("kill -9 $$", "netplugin failed with no error message: signal 9"),
      (
        "echo oops; exit 1",
        "netplugin failed but error parsing its diagnostic message \"oops\\n\": exit status 1"
      ),
      (
        "echo oops",
        "its response is not JSON: line 1, column 4: invalid token near 'oops': \"oops\\n\""
      ),
    ])
  func failures(script: String, reason: String) throws {
    try plugins.make("a", "ADD) \(script) ;;")
    let text = message { _ = try runtime.add(list(["a"]), parameters) }
    let first = "plugin type=\"a\" failed (add): "
    #expect(text.hasPrefix(first + reason), "\(text)")
  }

  @Test("names the plugin by its name as well, where it has one")
  func named() throws {
    let list = try NetworkList(
      parsing: Array(#"{"name": "net", "plugins": [{"type": "x/y", "name": "z"}]}"#.utf8))
    #expect(
      message { _ = try runtime.add(list, parameters) }
        == "plugin type=\"x/y\" name=\"z\" failed (add): invalid plugin name: x/y: a plugin is "
        + "named by its executable's name, which is looked up in CNI_PATH; it has no \"/\"")
  }

  @Test("ends a plugin that does not, and says so")
  func timeout() throws {
    try plugins.make("a", "ADD) sleep 60 ;;")
    var hasty = runtime
    hasty.timeout = .milliseconds(200)
    let started = ContinuousClock.now
    let text = message { _ = try hasty.add(list(["a"]), parameters) }
    #expect(text.contains("had not ended in time, and was killed"), "\(text)")
    #expect(ContinuousClock.now - started < .seconds(5))
  }

  @Test("gets of what is given for capabilities that which a plugin declares")
  func capabilities() throws {
    try plugins.make("a")
    let list = try NetworkList(
      parsing: Array(
        """
        {"cniVersion": "1.1.0", "name": "net", "plugins": [
          {"type": "a", "capabilities": {"mac": true, "ips": false, "dns": true}}]}
        """.utf8))
    var parameters = parameters
    parameters.capabilities = JSONObject([("mac", "m"), ("ips", []), ("other", 1)])
    _ = try runtime.add(list, parameters)
    #expect(plugins.inputs[0]["runtimeConfig"] == ["mac": "m"])
  }

  @Test(
    "refuses illegal names before it runs anything",
    arguments: [("-c", "eth0"), ("", "eth0"), ("c", "an-interface-name"), ("c", "a/b")])
  func illegalNames(containerID: String, interfaceName: String) throws {
    try plugins.make("a")
    let attachment = CNI::Attachment(containerID: containerID, interfaceName: interfaceName)
    let parameters = AttachmentParameters(attachment, sandboxPath: "/x")
    _ = message { _ = try runtime.add(list(["a"]), parameters) }
    _ = message { try runtime.del(list(["a"]), parameters) }
    #expect(plugins.order.isEmpty)
  }

  @Test("is run with what an attachment was made with, whatever the directory says today")
  func remembered() throws {
    try plugins.make("a")
    try plugins.make("b")
    _ = try runtime.add(list(["a"]), parameters)
    let directory = ConfigurationDirectory(path: "\(plugins.directory.path)/net.d")
    try plugins.directory.write(
      #"{"name": "net", "plugins": [{"type": "b"}]}"#, to: "net.d/10.conflist")
    let made = try runtime.list(of: "net", attachedAs: attachment, in: directory)
    #expect(made.list.plugins.map(\.type) == ["a"])
    #expect(made.cached?.arguments.text == "K=V;L=W")
    let other = CNI::Attachment(containerID: "other", interfaceName: "eth0")
    let unknown = try runtime.list(of: "net", attachedAs: other, in: directory)
    #expect(unknown.list.plugins.map(\.type) == ["b"])
    #expect(unknown.cached == nil)
  }
}
