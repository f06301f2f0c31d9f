import TestSupport
import Testing

@Suite("validate, of what is legal and hardly meant") struct ValidateListTests {
  private let tool: Tool
  init() throws { tool = try Tool() }

  /// The faults of a file, without its name.
  private func faults(_ text: String, _ name: String = "x.conflist") throws -> [String] {
    let file = try tool.files.write(text, to: name)
    let output = try tool.run("validate", "--quiet", file)
    let lines = output.stdout.split(separator: "\n").map(String.init)
    let hasErrors = lines.contains { $0.hasPrefix("\(file): error: ") }
    #expect(output.status == (hasErrors ? 1 : 0), "\(output)")
    return lines.map { $0.hasPrefix("\(file): ") ? String($0.dropFirst(file.count + 2)) : $0 }
  }

  /// The faults of a list with this one plugin.
  private func pluginFaults(_ members: String) throws -> [String] {
    try faults(
      #"{"cniVersion": "1.1.0", "name": "n", "disableGC": false, "plugins": [{\#(members)}]}"#)
  }

  @Test("warns of members that no plugin reads, but not of remarks")
  func unknownMembers() throws {
    #expect(
      try pluginFaults(
        #""type": "ovs-bridge", "bridge": "b", "vlanID": 7, "qinq": 1, "_note": "x", "#
          + #""comment": "x", "ipam": {"type": "static", "addresses": [{"address": "10.1.0.5/24"}], "#
          + #""speed": 1}"#) == [
          #"warning: plugins[0].vlanID: unknown member; did you mean "vlan"?"#,
          "warning: plugins[0].qinq: unknown member, which has no effect",
          "warning: plugins[0].ipam.speed: unknown member, which has no effect",
        ])
    // Of other plugins the members are not known.
    #expect(try pluginFaults(#""type": "macvlan", "master": "eth0""#) == [])
  }

  @Test("warns of ipam without type, and of gateways outside of their subnets")
  func addresses() throws {
    func warnings(_ ipam: String) throws -> [String] {
      try pluginFaults(#""type": "ovs-bridge", "bridge": "b", "ipam": {\#(ipam)}"#)
    }
    let range = #""subnet": "10.1.0.0/24", "gateway": "10.2.0.1""#
    func stray(_ place: String) -> String {
      "warning: plugins[0].ipam\(place).gateway: 10.2.0.1 is outside of 10.1.0.0/24: containers do "
        + "not reach it without a route"
    }
    #expect(
      try warnings(#""ranges": [[{"subnet": "10.1.0.0/24"}]]"#) == [
        "warning: plugins[0].ipam.type: missing; without it no plugin gives addresses, and the rest "
          + "of ipam has no effect"
      ])
    #expect(try warnings("") == [])
    #expect(
      try warnings(#""type": "host-local", "ranges": [[{\#(range)}]]"#) == [stray(".ranges[0][0]")])
    #expect(try warnings(#""type": "host-local", \#(range)"#) == [stray("")])
    #expect(
      try warnings(
        #""type": "static", "addresses": [{"address": "10.1.0.7/24", "gateway": "10.2.0.1"}]"#)
        == [stray(".addresses[0]")])
    #expect(
      try warnings(
        #""type": "host-local", "ranges": [[{"subnet": "10.1.0.0/24", "gateway": "10.1.0.9"}]]"#)
        == [])
  }

  @Test("warns of a list with GC, which would free what other runtimes attached")
  func sharedList() throws {
    let warning =
      "warning: disableGC: missing; write true if several runtimes use the list, since GC by one "
      + "frees what the others attached, else false"
    func list(_ members: String) throws -> [String] {
      try faults(#"{"name": "n", \#(members), "plugins": [{"type": "x"}]}"#)
    }
    #expect(try list(#""cniVersion": "1.1.0""#) == [warning])
    #expect(try list(#""cniVersion": "1.0.0", "cniVersions": ["1.0.0", "1.1.0"]"#) == [warning])
    #expect(try list(#""cniVersion": "1.0.0""#) == [])
    #expect(try list(#""cniVersion": "1.1.0", "disableGC": true"#) == [])
    #expect(try list(#""cniVersion": "1.1.0", "disableGC": false"#) == [])
  }

  @Test("finds networks that give the same addresses on one bridge and VLAN")
  func overlaps() throws {
    func list(_ name: String, _ vlan: Int, _ ipam: String) throws -> String {
      try tool.files.write(
        #"{"cniVersion": "1.0.0", "name": "\#(name)", "plugins": [{"type": "ovs-bridge", "#
          + #""bridge": "b", "vlan": \#(vlan), "ipam": {\#(ipam)}}]}"#, to: "\(name).conflist")
    }
    let range = #""type": "host-local", "subnet": "10.1.0.0/24", "rangeEnd": "10.1.0.99""#
    let first = try list("first", 7, range)
    let elsewhere = try list("elsewhere", 8, range)
    let beside = try list(
      "beside", 7, #""type": "host-local", "subnet": "10.1.0.0/24", "rangeStart": "10.1.0.100""#)
    let fixed = try list(
      "fixed", 7, #""type": "static", "addresses": [{"address": "10.1.0.9/24"}]"#)
    let output = try tool.run("validate", "--quiet", first, elsewhere, beside, fixed).checked()
    #expect(
      output.stdout == """
        \(fixed): warning: plugins[0].ipam.addresses[0]: 10.1.0.9 overlaps with 10.1.0.1…10.1.0.99 \
        of network "first" in \(first), on the same bridge and VLAN: an address can be given twice

        """)
  }

  @Test("warns of plugins that are in no directory of CNI_PATH, if there is one")
  func missingPlugin() throws {
    let file = try tool.files.write(
      #"{"cniVersion": "1.0.0", "name": "n", "plugins": [{"type": "bridge", "ipam": {"type": "x"}}, "#
        + #"{"type": "portmap", "capabilities": {"portMappings": true}}]}"#, to: "x.conflist")
    let bin = "\(tool.files.path)/bin"
    try tool.files.write("", to: "bin/bridge", mode: 0o755)
    func faults(_ path: String) throws -> String {
      try tool.run("validate", "--quiet", file, "--cni-path", path).checked().stdout
    }
    let path = "\(bin):/there/is/none"
    #expect(
      try faults(path) == """
        \(file): warning: plugins[0].ipam.type: there is no plugin "x" in CNI_PATH (\(path))
        \(file): warning: plugins[1].type: there is no plugin "portmap" in CNI_PATH (\(path))

        """)
    #expect(try faults("/there/is/none").isEmpty)
  }

  @Test("tells programs the same in JSON")
  func json() throws {
    let file = try tool.files.write(
      #"{"cniVersion": "1.0.0", "name": "n", "plugins": [{"type": "ovs-bridge", "vlan": 5000}]}"#,
      to: "x.conflist")
    let output = try tool.run("validate", "--json", file, "/there/is/none")
    #expect(output.status == 1)
    let files = try Document(parsing: output.bytes)["files"]
    #expect(files[0]["file"] == .string(file))
    #expect(
      files[0]["faults"].array.first == [
        "severity": "error", "message": "plugins[0].vlan: 5000 is not in 0…4094",
      ])
    #expect(files[1]["faults"].array.count == 1)
  }

  @Test("finds two main plugins of a list, which make one interface")
  func secondMainPlugin() throws {
    let bridge = #"{"type": "ovs-bridge", "bridge": "b"}"#
    #expect(
      try faults(
        #"{"cniVersion": "1.1.0", "name": "n", "disableGC": false, "plugins": [\#(bridge), "#
          + #"{"type": "portmap", "capabilities": {"portMappings": true}}, "#
          + #"\#(bridge), {"type": "macvlan"}]}"#)
        == [2, 3].map { index in
          #"error: plugins[\#(index)].type: "\#(index == 2 ? "ovs-bridge" : "macvlan")" makes the "#
            + #"same interface as plugins[0].type "ovs-bridge"; a list has one main plugin, another "#
            + "network has another"
        })
  }
}
