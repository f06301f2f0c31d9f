import CNI
import JSON
import Testing

private let whole = [
  "CNI_COMMAND": "ADD", "CNI_CONTAINERID": "c1", "CNI_NETNS": "/run/netns/blue",
  "CNI_IFNAME": "eth0", "CNI_PATH": "/opt/cni/bin:/usr/lib/cni",
]

private func invocation(_ changes: [String: String?]) throws(CNIError) -> Invocation {
  var environment = whole
  for (name, value) in changes { environment[name] = value }
  return try Invocation(environment: { environment[$0] })
}

@Suite("the environment") struct EnvironmentTests {
  @Test("gives all parameters")
  func parameters() throws {
    let found = try invocation(["CNI_NETNS_OVERRIDE": "TRUE", "CNI_ARGS": "IP=10.0.0.1"])
    #expect(found.command == .add)
    #expect(found.containerID == "c1")
    #expect(found.interfaceName == "eth0")
    #expect(found.sandboxPath == "/run/netns/blue")
    #expect(found.path == ["/opt/cni/bin", "/usr/lib/cni"])
    #expect(found.mayUseOwnNamespace)
  }

  @Test(
    "of each command needs these variables, and they are named in this order",
    arguments: [
      ("ADD", "CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH"),
      ("CHECK", "CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH"),
      ("DEL", "CNI_CONTAINERID,CNI_IFNAME,CNI_PATH"),
      ("GC", "CNI_PATH"), ("STATUS", "CNI_PATH"),
    ])
  func required(command: String, names: String) {
    let error = #expect(throws: CNIError.self) {
      try Invocation(environment: { $0 == "CNI_COMMAND" ? command : nil })
    }
    #expect(error?.code == .invalidEnvironment)
    #expect(error?.message == "required env variables [\(names)] missing")
  }

  @Test("of VERSION needs nothing")
  func version() throws {
    #expect(
      try Invocation(environment: { $0 == "CNI_COMMAND" ? "VERSION" : nil }).command == .version)
  }

  @Test(
    "with an illegal value is refused before what is missing is named",
    arguments: [
      ("CNI_CONTAINERID", "a/b", "invalid characters in containerID: a/b"),
      ("CNI_CONTAINERID", "../../etc", "invalid characters in containerID: ../../etc"),
      ("CNI_CONTAINERID", ".x", "invalid characters in containerID: .x"),
      (
        "CNI_CONTAINERID", String(repeating: "a", count: 256),
        "CNI_CONTAINERID is too long: 256 bytes; at most 255 are legal"
      ),
      (
        "CNI_IFNAME", "sixteen-letters-",
        "interface name is too long: interface name should be less than 16 characters"
      ),
      ("CNI_IFNAME", "..", "interface name is . or .."),
      ("CNI_IFNAME", "a/b", "interface name contains / or : or whitespace characters"),
      ("CNI_IFNAME", "a b", "interface name contains / or : or whitespace characters"),
      (
        "CNI_COMMAND", "FOO",
        "unknown CNI_COMMAND: FOO: it is one of ADD, DEL, CHECK, GC, STATUS, VERSION"
      ),
    ])
  func illegal(name: String, value: String, message: String) {
    let error = #expect(throws: CNIError.self) {
      try invocation([name: value, "CNI_PATH": nil])
    }
    #expect(error?.code == .invalidEnvironment)
    #expect(error?.description == message)
  }
}

@Suite("CNI_ARGS") struct ArgumentsTests {
  @Test("holds pairs; the last of one key counts")
  func pairs() throws {
    let found = try Arguments("IP=10.0.0.1;MAC=02:00:00:00:00:01;;IP=10.0.0.2;GATEWAY=")
    #expect(found["IP"] == "10.0.0.2")
    #expect(found["MAC"] == "02:00:00:00:00:01")
    #expect(found["GATEWAY"] == nil)
    #expect(found["ip"] == nil)
  }

  @Test("with a pair that is none is refused", arguments: ["A=b=c", "A", "IP=1;B"])
  func malformed(text: String) {
    let pair = text.split(separator: ";").last ?? ""
    let error = #expect(throws: CNIError.self) { try Arguments(text) }
    #expect(error?.message == "ARGS: invalid pair \"\(pair)\"")
  }

  @Test("with an unknown key is refused, and the legal ones are named")
  func unknown() throws {
    let error = #expect(throws: CNIError.self) {
      try Arguments("ip=10.1.2.88").check(["IP", "GATEWAY", "MAC"])
    }
    #expect(error?.code == .invalidEnvironment)
    #expect(error?.message == #"ARGS: unknown args ["ip=10.1.2.88"]"#)
    #expect(error?.details.contains("IP, GATEWAY, MAC") == true)
  }

  @Test("lets unknown keys pass where it says so", arguments: ["1", "true"])
  func ignored(value: String) throws {
    try Arguments("ip=10.1.2.88;IgnoreUnknown=\(value)").check(["IP"])
  }
}

private func configuration(_ text: String, _ command: String = "ADD") throws -> NetworkConfiguration
{
  let json = JSONCursor(try JSONValue(parsing: Array(text.utf8)))
  let command = try #require(Command(rawValue: command))
  return try NetworkConfiguration(json, for: command)
}

@Suite("a plugin configuration") struct NetworkConfigurationTests {
  @Test(
    "is refused with the code and words that runtimes know",
    arguments: [
      (#"{"cniVersion":"1.1.0"}"#, "ADD", 7, "missing network name"),
      (
        #"{"cniVersion":"9.9.9","name":"a/b"}"#, "ADD", 7,
        "invalid characters found in network name: a/b"
      ),
      (
        #"{"cniVersion":"1.2.0","name":"n"}"#, "ADD", 1,
        #"incompatible CNI versions: config is "1.2.0", plugin supports ["0.1.0" "0.2.0" "0.3.0" "0.3.1" "0.4.0" "1.0.0" "1.1.0"]"#
      ),
      (
        #"{"name":"n"}"#, "CHECK", 1,
        "config version does not allow CHECK: cniVersion is 0.1.0; CHECK needs 0.4.0 or later"
      ),
      (
        #"{"cniVersion":"1.0.0","name":"n"}"#, "GC", 1,
        "config version does not allow GC: cniVersion is 1.0.0; GC needs 1.1.0 or later"
      ),
      (
        #"{"cniVersion":"1.0.0","name":"n"}"#, "STATUS", 1,
        "config version does not allow STATUS: cniVersion is 1.0.0; STATUS needs 1.1.0 or later"
      ),
      (
        #"{"cniVersion":"1.2.0","name":"n"}"#, "CHECK", 1,
        "plugin version does not allow CHECK: config is \"1.2.0\", plugin supports "
          + #"["0.1.0" "0.2.0" "0.3.0" "0.3.1" "0.4.0" "1.0.0" "1.1.0"]"#
      ),
      (
        #"{"cniVersion":"1.0.0","name":"n"}"#, "CHECK", 7,
        "Required prevResult missing: prevResult: missing; CHECK requires it"
      ),
      (
        #"{"cniVersion":"1.0.0","name":"n","timeout":0}"#, "ADD", 7,
        "timeout: 0 is not in 1…3600"
      ),
      (#"{"cniVersion":7,"name":"n"}"#, "ADD", 7, "cniVersion: 7 is not a string"),
      (#"[1]"#, "ADD", 7, "an array is not an object"),
    ])
  func refused(text: String, command: String, code: Int64, message: String) throws {
    let error = #expect(throws: CNIError.self) { try configuration(text, command) }
    #expect(error?.code.rawValue == code)
    #expect(error?.description == message)
  }

  @Test("without version is of the first one")
  func version() throws {
    #expect(try configuration(#"{"name":"n"}"#).version == .v0_1_0)
    #expect(try configuration(#"{"name":"n","cniVersion":""}"#).version == .v0_1_0)
  }

  @Test("tells valid attachments that are absent, null and none apart")
  func validAttachments() throws {
    func valid(_ member: String) throws -> [CNI::Attachment]? {
      try configuration(#"{"name":"n","cniVersion":"1.1.0"\#(member)}"#, "GC").validAttachments
    }
    #expect(try valid("") == nil)
    #expect(try valid(#","cni.dev/valid-attachments":null"#) == nil)
    #expect(try valid(#","cni.dev/valid-attachments":[]"#) == [])
    let one = [CNI::Attachment(containerID: "c", interfaceName: "eth0")]
    #expect(try valid(#","cni.dev/attachments":[{"containerID":"c","ifname":"eth0"}]"#) == one)
    #expect(
      try valid(
        #","cni.dev/valid-attachments":null,"cni.dev/attachments":[{"containerID":"c","ifname":"eth0"}]"#
      )
        == one)
  }

  @Test("of DEL may have a previous result that cannot be read")
  func previousResult() throws {
    let text = #"{"name":"n","cniVersion":"1.0.0","prevResult":{"ips":[{"address":"nonsense"}]}}"#
    #expect(try configuration(text, "DEL").previousResult == nil)
    #expect(throws: CNIError.self) { try configuration(text, "ADD") }
  }

  @Test("reads member names in any case, as Go does")
  func memberCase() throws {
    #expect(try configuration(#"{"Name":"n","CNIVERSION":"1.0.0"}"#).version == .v1_0_0)
  }
}

@Test("an error result has the members of the specification, in their order")
func errorResult() {
  let error = CNIError(.invalidConfiguration, "vlan: 9100 is not in 0…4094", details: "more")
  #expect(
    String(decoding: error.json(version: "1.1.0").encoded(), as: UTF8.self)
      == #"{"cniVersion":"1.1.0","code":7,"msg":"vlan: 9100 is not in 0…4094","details":"more"}"#)
}
