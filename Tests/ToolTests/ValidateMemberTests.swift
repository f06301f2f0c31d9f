import CNI
import TestSupport
import Testing

@testable import patchbay

@Suite("validate, of each member of each plugin") struct ValidateMemberTests {
  @Test("says what the plugin says that refuses it", arguments: WrongMember.all)
  func faults(_ row: WrongMember) throws {
    let tool = try Tool()
    // A chained one goes after the plugin that makes the port.
    let plugins =
      (row.isChained ? #"{"type": "ovs-bridge", "bridge": "b"}, "# : "") + row.configuration
    let file = try tool.files.write(
      #"{"cniVersion": "1.1.0", "name": "n", "disableGC": false, "plugins": [\#(plugins)]}"#,
      to: "x.conflist")
    let output = try tool.run("validate", "--quiet", file)
    #expect(output.stdout == "\(file): error: plugins[\(row.isChained ? 1 : 0)].\(row.message)\n")
    #expect(output.status == 1)

    var configuration = try Document(parsing: row.configuration.utf8)
    configuration = configuration.with(["cniVersion": "1.1.0", "name": "n"])
    let refused = try Plugin(row.plugin).call(
      "ADD", configuration, containerID: "c", sandbox: "/run/netns/there-is-none", ifname: "eth0")
    #expect(refused.status == 1)
    #expect(refused.message == row.message)
  }

  @Test("knows all of them")
  func completeness() {
    var known: Set<String> = []
    for (plugin, decoder) in [
      ("ovs-bridge", PluginDecoder.ovsBridge), ("host-local", .hostLocal), ("static", .fixed),
      ("ovs-mirror-producer", .mirror(.producer)), ("ovs-mirror-consumer", .mirror(.consumer)),
      ("loopback", .loopback), ("portmap", .portmap),
    ] {
      for (path, names) in decoder.members {
        let path = path.filter { $0 != "*" }.map { $0 + "." }.joined()
        known.formUnion(names.map { "\(plugin) \(path)\($0)" })
      }
    }
    let tested = Set(WrongMember.all.map(\.member))
    // Those that every plugin has are tested with the list; this one has no wrong value.
    let other = known.subtracting(tested).filter { member in
      !MemberNames.any.contains { member.hasSuffix(" \($0)") || member.hasSuffix(" ipam.\($0)") }
    }
    #expect(
      other.sorted() == ["ovs-bridge preserveDefaultVlan"])
  }
}
