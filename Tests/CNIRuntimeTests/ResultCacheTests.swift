import CNI
import Foundation
import JSON
import TestSupport
import Testing

@testable import CNIRuntime

/// What a map of Go, or a value in it, is written as.
private func goText(_ text: String) throws -> String {
  String(
    decoding: try JSONValue(parsing: Array(text.utf8)).asGoMap.goEncoded(), as: UTF8.self)
}

@Suite("the result cache") struct ResultCacheTests {
  private let directory: TemporaryDirectory
  private let cache: ResultCache
  init() throws {
    directory = try TemporaryDirectory()
    cache = ResultCache(directory: "\(directory.path)/cni")
  }
  private let attachment = CNI::Attachment(containerID: "web-1", interfaceName: "eth0")

  private func entry(_ network: String = "net") -> CachedAttachment {
    CachedAttachment(
      network: network, attachment: attachment, sandboxPath: "/run/netns/web",
      arguments: Arguments(pairs: [("IgnoreUnknown", "1"), ("MAC", "02:00:00:00:00:01")]),
      capabilities: JSONObject([("mac", "x"), ("ips", ["10.1.0.9/24"])]),
      configuration: Array(#"{"name": "net"}"#.utf8),
      result: ["cniVersion": "1.0.0", "ips": [["interface": 1, "address": "10.1.0.9/24"]]])
  }

  @Test(
    "is written, octet by octet, as containerd and podman do by libcni",
    arguments: ["cache-containerd.json", "cache-podman.json"])
  func sameOctets(name: String) throws {
    let bytes = try golden(name)
    let entry = try #require(CachedAttachment(JSONCursor(try JSONValue(parsing: bytes))))
    #expect(
      String(decoding: entry.encoded(), as: UTF8.self) == String(decoding: bytes, as: UTF8.self))
    #expect(entry.network == "br")
    let list = try NetworkList(parsing: entry.configuration)
    #expect(list.name == "br")
    #expect(list.plugins.map(\.type) == ["bridge"])
  }

  @Test("keeps arguments and capabilities as podman gave them")
  func podmanEntry() throws {
    let json = JSONCursor(try JSONValue(parsing: try golden("cache-podman.json")))
    let entry = try #require(CachedAttachment(json))
    #expect(
      entry.arguments.text == "IgnoreUnknown=1;K8S_POD_NAME=c1;MAC=02:00:00:00:00:77;IP=10.9.0.77")
    #expect(entry.capabilities["aliases"] != nil)
    // Before libcni 1.3 only the result tells of the sandbox.
    #expect(entry.sandboxPath.isEmpty)
    #expect(entry.knownSandboxPath == "/run/netns/netns-6984b8da-c090-7dad-d628-8a4a37892547")
  }

  @Test("goes by what a file says of itself, not by its name, which two attachments can share")
  func ambiguousNames() throws {
    var mine = entry("ovs-1")
    mine.attachment = CNI::Attachment(containerID: "web", interfaceName: "eth0")
    try cache.store(mine)
    let other = CNI::Attachment(containerID: "1-web", interfaceName: "eth0")
    #expect(ResultCache.file("ovs", other) == ResultCache.file("ovs-1", mine.attachment))
    #expect(try cache.entry("ovs", other) == nil)
    #expect(try !cache.remove("ovs", other))
    #expect(try cache.entry("ovs-1", mine.attachment)?.attachment == mine.attachment)
    let refusal = #expect(throws: RuntimeError.self) { try cache.requireFile("ovs", other) }
    #expect(
      refusal?.description == """
        the result cannot be kept: \(cache.path)/ovs-1-web-eth0 is of another attachment, container \
        "web" on network "ovs-1" by interface "eth0"; another container ID has another file
        """)
    try cache.requireFile("ovs-1", mine.attachment)
    // A file of libcni that does not say whose it is, is no bare result either.
    try directory.write(#"{"kind": "cniCacheV1"}"#, to: "cni/results/ovs-1-web-eth0")
    #expect(throws: RuntimeError.self) { try cache.entry("ovs", other) }
    try cache.requireFile("ovs", other)
    #expect(try cache.remove("ovs", other))
  }

  @Test("has the members in libcni's order, and those of maps sorted")
  func newEntry() throws {
    try cache.store(entry())
    #expect(
      directory.read("cni/results/net-web-1-eth0")
        == #"{"kind":"cniCacheV1","containerId":"web-1","config":"eyJuYW1lIjogIm5ldCJ9","#
        + #""ifName":"eth0","networkName":"net","netns":"/run/netns/web","#
        + #""cniArgs":[["IgnoreUnknown","1"],["MAC","02:00:00:00:00:01"]],"#
        + #""capabilityArgs":{"ips":["10.1.0.9/24"],"mac":"x"},"#
        + #""result":{"cniVersion":"1.0.0","ips":[{"address":"10.1.0.9/24","interface":1}]}}"#)
  }

  @Test("is for its owner alone, and leaves nothing else in the directory")
  func modes() throws {
    try cache.store(entry())
    try cache.store(entry())
    let manager = FileManager.default
    #expect(try manager.contentsOfDirectory(atPath: cache.path) == ["net-web-1-eth0"])
    func mode(_ path: String) throws -> Int? {
      try manager.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }
    #expect(try mode(cache.path) == 0o700)
    #expect(try mode("\(cache.path)/net-web-1-eth0") == 0o600)
  }

  @Test("gives back what it was given, and forgets what it is told to")
  func reading() throws {
    #expect(try cache.entry("net", attachment) == nil)
    #expect(try cache.entries().isEmpty)
    #expect(try !cache.remove("net", attachment))
    var stored = entry()
    try cache.store(stored)
    stored.result = ["cniVersion": "1.0.0", "ips": [["address": "10.1.0.9/24", "interface": 1]]]
    let found = try #require(try cache.entry("net", attachment))
    #expect(found.arguments == stored.arguments)
    #expect(found.configuration == stored.configuration)
    #expect(found.result == stored.result)
    try cache.store(entry("other"))
    #expect(try cache.entries().map(\.network) == ["net", "other"])
    #expect(try cache.remove("net", attachment))
    #expect(try cache.entries().map(\.network) == ["other"])
  }

  @Test("reads the raw results of long ago")
  func legacy() throws {
    try directory.write(
      #"{"cniVersion":"0.3.1","ips":[]}"#, to: "cni/results/net-web-1-eth0")
    let found = try #require(try cache.entry("net", attachment))
    #expect(found.result?["cniVersion"] == "0.3.1")
    #expect(found.configuration.isEmpty)
    // It does not say whose it is.
    #expect(try cache.entries().isEmpty)
  }

  @Test("reads back numbers that Go writes longer than 64 bits")
  func wideNumbers() throws {
    var stored = entry()
    stored.result = ["most": .integer(.max), "more": .real(1e20)]
    try cache.store(stored)
    let found = try #require(try cache.entry("net", attachment))
    #expect(found.result == ["more": .real(1e20), "most": .real(0x1p63)])
    let text = directory.read("cni/results/net-web-1-eth0") ?? ""
    #expect(
      text.contains(#""result":{"more":100000000000000000000,"most":9223372036854776000}}"#),
      "\(text)")
  }

  @Test("names the file that is not what it should be")
  func broken() throws {
    let path = try directory.write("{\"kind\":", to: "cni/results/net-web-1-eth0")
    let error = #expect(throws: RuntimeError.self) { try cache.entry("net", attachment) }
    #expect(error?.description.hasPrefix("\(path) is not a cached result: line 1") == true)
    #expect(try cache.entries().isEmpty)
  }
}

@Suite("JSON as Go writes it") struct GoJSONTests {
  @Test(
    "escapes what HTML would mistake, and sorts members by their octets",
    arguments: [
      (#"{"b":1,"a":2,"B":3}"#, #"{"B":3,"a":2,"b":1}"#),
      (#""<a href=\"x\">&""#, #""\u003ca href=\"x\"\u003e\u0026""#),
      (#""\u2028\u2029é😀\\/""#, #""\u2028\u2029é😀\\/""#),
      (#""\b\f\n\r\t\u0001\u007f""#, "\"\\b\\f\\n\\r\\t\\u0001\u{7f}\""),
      ("[null,true,false,[],{}]", "[null,true,false,[],{}]"),
    ])
  func texts(text: String, expected: String) throws { #expect(try goText(text) == expected) }

  @Test(
    "has the shortest form of numbers, without exponent from 1e-6 up to 1e21",
    arguments: [
      ("0", "0"), ("-7", "-7"), ("1.50", "1.5"), ("1e3", "1000"), ("-0.25", "-0.25"),
      ("123456.789", "123456.789"), ("0.000001", "0.000001"), ("0.0000001", "1e-7"),
      ("1.25e-9", "1.25e-9"), ("1e20", "100000000000000000000"), ("1e21", "1e+21"),
      ("6.02e23", "6.02e+23"), ("9007199254740993", "9007199254740992"),
      ("-9223372036854775807", "-9223372036854776000"), ("100", "100"),
    ])
  func numbers(text: String, expected: String) throws { #expect(try goText(text) == expected) }
}

@Suite("Base64") struct Base64Tests {
  @Test(
    "has the test vectors of RFC 4648 §10",
    arguments: [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
      ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
  func vectors(text: String, encoded: String) {
    #expect(Base64.encode(Array(text.utf8)) == encoded)
    #expect(Base64.decode(encoded) == Array(text.utf8))
  }

  @Test("gives back any octets")
  func roundTrip() {
    var generator = SystemRandomNumberGenerator()
    for count in 0..<200 {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
      #expect(Base64.decode(Base64.encode(bytes)) == bytes)
    }
  }

  @Test(
    "refuses what it is not", arguments: ["Zg", "Zg=", "Z===", "Zm9v!", "=Zg=", "ZmZ-", "===="])
  func refusals(text: String) { #expect(Base64.decode(text) == nil) }
}
