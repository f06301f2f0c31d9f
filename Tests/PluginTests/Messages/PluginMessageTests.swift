import TestSupport
import Testing

/// A request that a plugin refuses: what differs from one that it would serve.
private struct Refused {
  let occasion: String
  var command = "ADD"
  /// Nil takes a variable away.
  var variables: [String: String?] = [:]
  var members: [String: Document] = [:]
  /// Instead of the configuration.
  var text: String?
}

@Suite("What each plugin says, word for word", .privateHost, .serialized)
struct PluginMessageTests {
  /// Where no ovsdb-server listens.
  private static let nowhere: Document = "unix:/run/there/is/none"
  private static let chained: Document = [
    "cniVersion": "1.1.0", "interfaces": [["name": "veth1"], ["name": "eth0", "sandbox": "/ns"]],
    "ips": [["address": "10.1.0.2/24", "interface": 1]],
  ]
  /// Members with which each plugin gets as far as to what is not there.
  private static let members: [String: [String: Document]] = [
    "ovs-bridge": ["bridge": "br1", "socket_file": nowhere],
    "ovn": ["switch": "s", "nb": nowhere, "socket_file": nowhere, "host": "h"],
    "loopback": [:],
    "host-local": [
      "ipam": ["type": "host-local", "subnet": "10.1.0.0/24", "dataDir": "/dev/null"]
    ],
    "cluster": [
      "ipam": ["type": "cluster", "subnet": "10.1.0.0/24", "database": [nowhere], "host": "h"]
    ],
    "static": ["ipam": ["type": "static", "addresses": [["address": "10.1.0.5/24"]]]],
    "ovs-mirror-producer": [
      "bridge": "br1", "socket_file": nowhere, "mirrors": [["name": "m", "ingress": true]],
      "prevResult": chained,
    ],
    "ovs-mirror-consumer": [
      "bridge": "br1", "socket_file": nowhere, "mirrors": [["name": "m"]], "prevResult": chained,
    ],
    "portmap": ["prevResult": chained],
  ]

  private static let environments = [
    Refused(
      occasion: "no variables but CNI_COMMAND",
      variables: [
        "CNI_CONTAINERID": nil, "CNI_NETNS": nil, "CNI_IFNAME": nil, "CNI_PATH": nil,
      ]),
    Refused(occasion: "CNI_COMMAND=FOO", variables: ["CNI_COMMAND": "FOO"]),
    Refused(occasion: "CNI_CONTAINERID=a/b", variables: ["CNI_CONTAINERID": "a/b"]),
    Refused(
      occasion: "CNI_CONTAINERID of 256 bytes",
      variables: ["CNI_CONTAINERID": String(repeating: "a", count: 256)]),
    Refused(occasion: "CNI_IFNAME=..", variables: ["CNI_IFNAME": ".."]),
    Refused(occasion: "CNI_IFNAME=a/b", variables: ["CNI_IFNAME": "a/b"]),
    Refused(occasion: "CNI_IFNAME of 16 letters", variables: ["CNI_IFNAME": "sixteen-letters-"]),
    Refused(occasion: "CNI_ARGS=A=b=c", variables: ["CNI_ARGS": "A=b=c"]),
    Refused(occasion: "CNI_ARGS=FOO=1", variables: ["CNI_ARGS": "FOO=1"]),
    Refused(occasion: "CNI_ARGS=IP=x", variables: ["CNI_ARGS": "IP=x"]),
    Refused(occasion: "CNI_ARGS=MAC=x", variables: ["CNI_ARGS": "MAC=x"]),
    Refused(
      occasion: "CNI_NETNS is the plugin's own", variables: ["CNI_NETNS": "/proc/self/ns/net"]),
    Refused(occasion: "CNI_NETNS is not there"),
    Refused(occasion: "CNI_NETNS=/etc/passwd", variables: ["CNI_NETNS": "/etc/passwd"]),
  ]
  private static let texts = [
    Refused(occasion: "no text", text: ""),
    Refused(occasion: "a text that is cut off", text: #"{"name": "n", "#),
    Refused(occasion: "an array", text: "[1]"),
    Refused(occasion: "no name", members: ["name": .absent]),
    Refused(occasion: "a name with a slash", members: ["name": "a/b"]),
    Refused(occasion: "cniVersion 1.2.0", members: ["cniVersion": "1.2.0"]),
    Refused(occasion: "cniVersion is a number", members: ["cniVersion": 7]),
    Refused(occasion: "args is a number", members: ["args": 7]),
    Refused(occasion: "runtimeConfig is a number", members: ["runtimeConfig": 7]),
    Refused(occasion: "ipam is a number", members: ["ipam": 7]),
    Refused(occasion: "prevResult is a number", members: ["prevResult": 7]),
    Refused(
      occasion: "an address of prevResult is none",
      members: ["prevResult": ["cniVersion": "1.1.0", "ips": [["address": "x"]]]]),
    Refused(occasion: "timeout is 0", members: ["timeout": 0]),
    Refused(occasion: "ignoreArgs is a text", members: ["ignoreArgs": "yes"]),
  ]
  private static let commands = [
    Refused(occasion: "without prevResult", command: "CHECK", members: ["prevResult": .absent]),
    Refused(occasion: "at 0.3.1", command: "CHECK", members: ["cniVersion": "0.3.1"]),
    Refused(occasion: "at 1.0.0", command: "GC", members: ["cniVersion": "1.0.0"]),
    Refused(occasion: "at 1.0.0", command: "STATUS", members: ["cniVersion": "1.0.0"]),
    Refused(
      occasion: "cni.dev/valid-attachments is a number", command: "GC",
      members: ["cni.dev/valid-attachments": 7]),
    Refused(
      occasion: "an element of cni.dev/valid-attachments is a number", command: "GC",
      members: ["cni.dev/valid-attachments": [7]]),
  ]
  /// What needs what is not there: a server, or a directory.
  private static let absences = [
    Refused(occasion: "nothing there", command: "ADD"),
    Refused(occasion: "nothing there", command: "DEL"),
    Refused(occasion: "nothing there", command: "CHECK", members: ["prevResult": chained]),
    Refused(
      occasion: "nothing there", command: "GC", members: ["cni.dev/valid-attachments": []]),
    Refused(occasion: "nothing there", command: "STATUS"),
  ]

  private func expect(_ plugin: String, _ refused: Refused, sandbox: String) throws {
    var variables: [String: String?] = [
      "CNI_COMMAND": refused.command, "CNI_CONTAINERID": "said", "CNI_NETNS": sandbox,
      "CNI_IFNAME": "eth0", "CNI_PATH": "/there/is/none",
    ]
    variables.merge(refused.variables) { $1 }
    let configuration: Document = [
      "cniVersion": "1.1.0", "name": "messages", "type": .string(plugin),
    ]
    let whole = configuration.with(Self.members[plugin] ?? [:]).with(refused.members)
    let result = try Plugin(plugin).call(
      variables.compactMapValues { $0 }, input: refused.text.map { Array($0.utf8) } ?? whole.encoded
    )
    #expect(result.status == (result.code == nil ? 0 : 1), "\(result)")
    // What a plugin has no use for it passes over.
    try Messages.expect(
      result.code.map { "\($0) \(result.message)" } ?? "(succeeds)", of: plugin,
      on: "\(refused.command), \(refused.occasion)", hiding: ["SANDBOX": sandbox])
  }

  @Test("of an environment that is not legal", arguments: members.keys.sorted())
  func environment(plugin: String) throws {
    for refused in Self.environments {
      try expect(plugin, refused, sandbox: "/run/netns/there-is-none")
    }
  }

  @Test("of a configuration that is not legal", arguments: members.keys.sorted())
  func configuration(plugin: String) throws {
    for refused in Self.texts + Self.commands {
      try expect(plugin, refused, sandbox: "/run/netns/there-is-none")
    }
  }

  @Test(
    "of a server or a directory that is not there",
    arguments: members.keys.filter { !["loopback", "portmap"].contains($0) }.sorted())
  func absence(plugin: String) throws {
    let sandbox = try Sandbox()
    defer { sandbox.delete() }
    for refused in Self.absences { try expect(plugin, refused, sandbox: sandbox.path) }
  }
}
