import Foundation
import PluginCore
import TestSupport
import Testing

/// What Multus 4.3.0 hands to a delegate, member by member.
@Suite("What runtimes really hand over") struct HandedOverTests {
  /// Duplicates included: Multus writes its own pairs and then those of the runtime.
  private static let arguments =
    "IgnoreUnknown=true;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0;"
    + "K8S_POD_INFRA_CONTAINER_ID=c1;K8S_POD_UID=5c6e;IgnoreUnknown=1;K8S_POD_NAMESPACE=default;"
    + "K8S_POD_NAME=web-0;K8S_POD_INFRA_CONTAINER_ID=c1;K8S_POD_UID=5c6e"

  /// What is left of the configuration of a cluster's default network.
  private func stripped(_ network: Network, with members: [String: Document] = [:]) -> Document {
    ([
      "cniVersion": "1.1.0", "name": network.configuration["name"], "type": "ovs-bridge",
      "ipam": ["type": "host-local"],
    ] as Document).with(members)
  }
  private func call(
    _ command: String, _ configuration: Document, _ type: String = "host-local", args: String? = nil
  ) throws -> PluginResult {
    try Plugin(type).call(
      command, configuration, containerID: "c1", sandbox: "/nowhere", ifname: "eth0", args: args)
  }

  @Test("an attachment of the default network: ADD whole, the other commands stripped")
  func ofTheDefaultNetwork() throws {
    let network = try Network(
      ["ranges": [[["subnet": "10.1.0.0/24"]]]], name: "def\(UInt32.random(in: 0...UInt32.max))")
    let whole = network.configuration.with([
      "cniVersion": "1.1.0", "type": "ovs-bridge", "bridge": "br1",
      "args": ["cni": ["ovnPort": "p"]], "runtimeConfig": ["infinibandGUID": "", "bandwidth": [:]],
    ])
    let result = try call("ADD", whole, args: Self.arguments).checked()
    #expect(result["ips"][0]["address"] == "10.1.0.2/24")
    #expect(network.leases == ["10.1.0.2": "c1\r\neth0"])
    let previous = result.with([
      "interfaces": [["name": "eth0", "sandbox": "/run/netns/x"], ["name": "v"]]
    ])
    for members: [String: Document] in [
      [:], ["cni.dev/valid-attachments": []], ["cni.dev/attachments": []],
    ] {
      for command in ["STATUS", "GC"] {
        #expect(
          try call(command, stripped(network, with: members), args: Self.arguments).status == 0)
      }
    }
    // Without its `dataDir` it looks where the default is: whose lease it is, the main plugin
    // remembers, and says.
    let bare = stripped(network, with: ["prevResult": previous])
    #expect(try call("DEL", bare, args: Self.arguments).status == 0)
    let remembered = bare.with([
      "ipam": ["type": "host-local", "dataDir": .string(network.temporary.path)]
    ])
    #expect(try call("DEL", remembered, args: Self.arguments).status == 0)
    #expect(network.leases == [:])
  }

  @Test(
    "members that are absent are not judged in STATUS, DEL and GC, and those that are there are",
    arguments: ["host-local", "static", "loopback"])
  func absence(type: String) throws {
    let least: Document = ["cniVersion": "1.1.0", "name": "n", "type": "x"]
    for ipam: Document in [.absent, nil, [:], ["type": .string(type)]] {
      for command in ["STATUS", "DEL", "GC"] {
        let result = try call(command, least.with(["ipam": ipam]), type, args: Self.arguments)
        #expect(result.status == 0, "\(command) \(ipam): \(result)")
      }
    }
    for members: [String: Document] in [
      ["ipam": "host-local"], ["args": 5], ["args": ["cni": "x"]], ["runtimeConfig": []],
      ["type": 5], ["timeout": 0], ["logLevel": "loud"], ["ignoreArgs": 1],
    ] {
      let status = try call("STATUS", least.with(members), type)
      #expect(status.code == 7, "\(members): \(status)")
      #expect(status.message.contains("\(members.keys.first ?? "")"), "\(status.message)")
      for command in ["DEL", "GC"] {
        #expect(try call(command, least.with(members), type).status == 0, "\(command) \(members)")
      }
    }
  }

  @Test(
    "an error result has the version of the input, however early the fault is found",
    arguments: ["host-local", "static", "loopback", "ovs-bridge", "ovs-mirror-producer"])
  func versions(type: String) throws {
    func version(_ variables: [String: String], _ text: String) throws -> Document {
      let result = try Plugin(type).call(variables, input: text.utf8)
      #expect(result.status == 1, "\(result)")
      return result.json["cniVersion"]
    }
    let add = [
      "CNI_COMMAND": "ADD", "CNI_CONTAINERID": "c1", "CNI_NETNS": "/nowhere", "CNI_IFNAME": "eth0",
      "CNI_PATH": "/",
    ]
    for text in [
      #"{"cniVersion":"0.4.0","name":"n","#, #"{"name":"a b","cniVersion":"0.4.0"}"#,
      #"{"x":{"cniVersion":"1.0.0"},"cniVersion" : "0.4.0","name":"n","name":"n"}"#,
      #"{"cniVersion":"0.4.0","name":5}"#, #"{"CNIVersion":"0.4.0","name":"n","timeout":"x"}"#,
    ] {
      #expect(try version(add, text) == "0.4.0", "\(text)")
    }
    let whole = #"{"cniVersion":"0.4.0","name":"n","type":"x"}"#
    #expect(try version(["CNI_COMMAND": "FOO"], whole) == "0.4.0")
    #expect(try version(["CNI_COMMAND": "ADD"], whole) == "0.4.0")
    #expect(try version(add.merging(["CNI_IFNAME": "a/b"]) { $1 }, whole) == "0.4.0")
    #expect(try version(add, #"{"cniVersion":"9.9.9","name":"n"}"#) == "9.9.9")
    #expect(try version(add, #"{"name":"a b"}"#) == "0.1.0")
    #expect(try version(add, "") == "1.1.0")
    #expect(try version(["CNI_COMMAND": "FOO"], "[") == "1.1.0")
  }

  @Test(
    "without a command a plugin says what it is, its version first",
    arguments: ["host-local", "static", "loopback", "ovs-bridge", "ovs-mirror-consumer"])
  func about(type: String) throws {
    for variables in [[:], ["CNI_COMMAND": ""]] {
      let result = try Plugin(type).call(variables, input: "".utf8)
      #expect(result.status == 0)
      #expect(result.output.bytes.isEmpty)
      let lines = result.stderr.split(separator: "\n")
      #expect(lines.first == "CNI \(type) plugin v\(Release.version) (patchbay)")
      #expect(
        lines.last
          == "CNI protocol versions supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0")
    }
  }

  @Test("control characters from outside are escaped in the log")
  func controls() throws {
    let network = try Network([
      "subnet": "10.1.0.0/24", "sticky": "a\u{1b}[2J\n\u{9b}1m\u{2028}\u{7f}",
    ])
    let result = try network.call("ADD", "a")
    #expect(result.code == 7)
    #expect(result.stderr.contains(#"a\x1b[2J \x9b1m \x7f"#), "\(result.stderr)")
    #expect(result.stderr.split(separator: "\n").count == 1)
    #expect(result.stderr.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 })
  }
}

@Suite("Small subnets of host-local") struct SmallSubnetTests {
  @Test(
    "give all of their addresses, without a gateway of their own",
    arguments: [
      ("10.1.0.4/31", ["10.1.0.4", "10.1.0.5"]), ("10.1.0.4/32", ["10.1.0.4"]),
      ("fd00::4/127", ["fd00::4", "fd00::5"]), ("fd00::4/128", ["fd00::4"]),
    ])
  func all(subnet: String, addresses: [String]) throws {
    let network = try Network(["subnet": .string(subnet)])
    for (number, address) in addresses.enumerated() {
      let result = try network.call("ADD", "c\(number)").checked()
      let length = subnet.split(separator: "/")[1]
      #expect(result["ips"] == [["address": .string("\(address)/\(length)")]])
    }
    let full = try network.call("ADD", "full")
    try Messages.expect(
      full, code: 999, of: "host-local", on: "ADD, all addresses of \(subnet) are leased")
    try Messages.expect(
      network.call("STATUS", ""), code: 50, of: "host-local",
      on: "STATUS, all addresses of \(subnet) are leased")
    try network.del("c0")
    #expect(try network.add("full") == [addresses[0]])
  }

  @Test("keep the gateway that is written for themselves")
  func gateway() throws {
    let network = try Network(["subnet": "10.1.0.4/31", "gateway": "10.1.0.4"])
    let result = try network.call("ADD", "a").checked()
    #expect(result["ips"] == [["address": "10.1.0.5/31", "gateway": "10.1.0.4"]])
    #expect(try network.call("ADD", "b").status == 1)
  }
}
