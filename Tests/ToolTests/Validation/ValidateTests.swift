import TestSupport
import Testing

@Suite("validate") struct ValidateTests {
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

  @Test("is silent but for a word about what has no fault")
  func good() throws {
    let text = """
      {"cniVersion": "1.1.0", "name": "n", "disableGC": "true", "plugins": [
        {"type": "ovs-bridge", "bridge": "br1", "vlan": 7, "remark": "anything", "ipam": {
          "type": "host-local", "ranges": [[{"subnet": "10.1.0.0/24"}]],
          "routes": [{"dst": "0.0.0.0/0"}]}},
        {"type": "portmap", "capabilities": {"portMappings": true}, "snat": true}]}
      """
    #expect(try faults(text).isEmpty)
    let file = "\(tool.files.path)/x.conflist"
    #expect(try tool.run("validate", file).checked().stdout == "\(file): no faults\n")
  }

  @Test(
    "says what a runtime demands of any list",
    arguments: [
      "{",
      "[]",
      #"{"name": "-n", "cniVersion": "1.2.0", "plugins": []}"#,
      #"{"plugins": {}, "cniVersions": ["1.0.0", 5, "x"], "disableCheck": 1}"#,
      #"{"name": "n", "plugns": [], "loadOnlyInlinedPlugins": true}"#,
      #"{"name": "n", "cniVersion": "1.0.0", "plugins": [5, {}, {"type": "../x"}, "#
        + #"{"type": "x", "capabilities": {"a": 1, "b": 2}, "ipam": {"type": "a/b"}}]}"#,
      #"{"name": "n", "cniVersion": "1.0.0", "plugins": [{"type": "x", "name": 5, "#
        + #""cniVersion": [], "prevResult": 5, "dns": {"search": 1}, "ipam": 5}]}"#,
      #"{"name": "n", "cniVersion": "0.2.0", "plugins": [{"type": "ovs-bridge", "bridge": "b"}]}"#,
      #"{"name": "n", "cniVersion": "1.0.0", "type": "bridge"}"#,
    ])
  func lists(text: String) throws {
    try Messages.expect(
      faults(text).joined(separator: "\n"), of: "patchbay", on: "validate \(text)")
  }

  @Test(
    "has a word about what works, but hardly as meant, or not with the rest",
    arguments: [
      #""type": "ovs-bridge", "bridge": "b", "isGateway": true, "ipMasq": true"#,
      #""type": "ovs-bridge", "bridge": "b", "mtu": 1000, "#
        + #""ipam": {"type": "host-local", "subnet": "fd00::/64"}"#,
      #""type": "ovs-bridge", "bridge": "b", "mtu": 1000, "#
        + #""ipam": {"type": "host-local", "subnet": "10.1.0.0/24", "dataDir": "a"}"#,
      #""type": "bridge", "ipam": {"type": "static"}"#,
      #""type": "bridge", "capabilities": {"ips": true}, "ipam": {"type": "static"}"#,
      #""type": "ovs-mirror-consumer", "bridge": "b", "mirrors": [{"name": "m"}]"#,
    ])
  func others(members: String) throws {
    try Messages.expect(
      pluginFaults(members).joined(separator: "\n"), of: "patchbay", on: "validate {\(members)}")
  }

  @Test("finds every fault of ovs-bridge, though its decoder stops at the first")
  func ovsBridge() throws {
    let members = """
      "type": "ovs-bridge", "bridge": "a-name-of-16-letters", "vlan": 9100, "mtu": 5, "mac": "zz",
      "trunk": [{"id": 5000}, {"minID": 3, "maxID": 1}, 7], "datapath": "fast", "timeout": 0,
      "logLevel": "loud", "logFile": "x", "external_ids": {"owner": "me"}, "isGatway": true,
      "ofport_request": 70000, "portIsolation": "yes"
      """
    let found = try pluginFaults(members)
    for path in [
      "timeout", "logLevel", "logFile", "bridge", "datapath", "vlan", "trunk[0].id", "trunk[1]",
      "trunk[2]", "mtu", "mac", "portIsolation", "ofport_request", "external_ids.owner",
    ] {
      #expect(
        found.filter { $0.hasPrefix("error: plugins[0].\(path): ") }.count == 1, "\(path)")
    }
    #expect(found.count == 15, "\(found)")
    try Messages.expect(
      found.joined(separator: "\n"), of: "patchbay", on: "validate ovs-bridge with every fault")
  }

  @Test("finds every fault of host-local, under any main plugin")
  func hostLocal() throws {
    let members = """
      "type": "bridge", "ipam": {"type": "host-local", "dataDri": "/x", "ranges": [
        [{"subnet": "10.1.0.0/33"}], [{"subnet": "10.2.0.0/24", "rangeStart": "10.3.0.1"}]],
        "routes": [{"dst": "x"}], "sticky": "never"}
      """
    let found = try pluginFaults(members)
    for path in [
      "ranges[0][0].subnet", "ranges[1][0].rangeStart", "routes[0].dst", "sticky",
    ] {
      #expect(
        found.filter { $0.hasPrefix("error: plugins[0].ipam.\(path): ") }.count == 1,
        "\(path): \(found)")
    }
    #expect(found.count == 5, "\(found)")
    try Messages.expect(
      found.joined(separator: "\n"), of: "patchbay", on: "validate host-local with every fault")
  }

  @Test("finds an address of static that no interface can have")
  func unassignable() throws {
    let found = try pluginFaults(
      #""type": "bridge", "ipam": {"type": "static", "addresses": [{"address": "::1/128"}]}"#)
    try Messages.expect(
      found.joined(separator: "\n"), of: "patchbay", on: "validate static with ::1/128")
    #expect(found.first?.hasPrefix("error: plugins[0].ipam.addresses[0].address: ") == true)
  }

  @Test("finds every fault of static, whose rules depend on the version of the list")
  func fixedAddresses() throws {
    let members = """
      "type": "bridge", "ipam": {"type": "static", "addresses": [
        {"address": "10.1.0.5"}, {"address": "10.2.0.5/24", "gateway": "x"}, {"adress": "y"}],
        "routes": [{"dst": "0.0.0.0/0", "mtu": -1}]}
      """
    let found = try pluginFaults(members)
    for path in [
      "addresses[0].address", "addresses[1].gateway", "addresses[2].address", "routes[0].mtu",
    ] {
      #expect(
        found.filter { $0.hasPrefix("error: plugins[0].ipam.\(path): ") }.count == 1,
        "\(path): \(found)")
    }
    #expect(found.count == 5, "\(found)")
    try Messages.expect(
      found.joined(separator: "\n"), of: "patchbay", on: "validate static with every fault")
    let old = """
      {"cniVersion": "0.2.0", "name": "n", "plugins": [{"type": "bridge", "ipam": {
        "type": "static", "addresses": [{"address": "10.1.0.5/24"}, {"address": "10.1.0.6/24"}]}}]}
      """
    try Messages.expect(
      faults(old).first ?? "", of: "patchbay", on: "validate two addresses of one family at 0.2.0")
  }

  @Test("reads a file that is no .conflist as the configuration of one plugin")
  func single() throws {
    let text = #"{"cniVersion": "1.0.0", "name": "n", "type": "ovs-bridge", "vlan": 5000}"#
    #expect(
      try faults(text, "x.conf") == [
        "error: vlan: 5000 is not in 0…4094",
        "warning: bridge: missing; without it only an attachment with OvnPort in CNI_ARGS is made",
      ])
    let list = #"{"cniVersion": "1.0.0", "name": "n", "type": "x", "plugins": []}"#
    #expect(
      try faults(list, "x.conf") == [
        "error: plugins: a list of plugins is read from a file whose name ends in .conflist"
      ])
  }

  @Test("goes on with other files after one that cannot be read")
  func severalFiles() throws {
    let good = try tool.files.write(
      #"{"cniVersion": "1.0.0", "name": "n", "type": "x"}"#, to: "good.conf")
    let output = try tool.run("validate", "/no/such/file", "/etc", good)
    #expect(output.status == 1)
    #expect(
      output.stdout == """
        /no/such/file: error: cannot be read: open(/no/such/file): ENOENT (No such file or \
        directory)
        /etc: error: is a directory; name the files in it, as in /etc/*.conflist
        \(good): no faults

        """)
  }
}
