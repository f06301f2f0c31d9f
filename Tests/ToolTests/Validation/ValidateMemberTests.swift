import CNI
import Foundation
import TestSupport
import Testing

@testable import patchbay

@Suite("validate, of each member of each plugin") struct ValidateMemberTests {
  @Test("says what the plugin says that refuses it", arguments: WrongMember.all)
  func faults(_ row: WrongMember) throws {
    var configuration = try Document(parsing: row.configuration.utf8)
    configuration = configuration.with(["cniVersion": "1.1.0", "name": "n"])
    let refused = try Plugin(row.plugin).call(
      "ADD", configuration, containerID: "c", sandbox: "/run/netns/there-is-none", ifname: "eth0")
    #expect(refused.status == 1)
    try Messages.expect(refused.message, of: row.plugin, on: row.members)
    // Where the reference plugin has a message of its own, that comes first.
    let details = refused.json["details"].text ?? ""
    let message = details.hasPrefix(row.path) ? details : refused.message
    #expect(message.hasPrefix("\(row.path): "), "\(message)")

    let tool = try Tool()
    // A chained one goes after the plugin that makes the port.
    let plugins =
      (row.isChained ? #"{"type": "ovs-bridge", "bridge": "b"}, "# : "") + row.configuration
    let file = try tool.files.write(
      #"{"cniVersion": "1.1.0", "name": "n", "disableGC": false, "plugins": [\#(plugins)]}"#,
      to: "x.conflist")
    let output = try tool.run("validate", "--quiet", file)
    // Beside it may be warnings of what a list lacks that has one member alone.
    let errors = output.stdout.split(separator: "\n").filter { $0.hasPrefix("\(file): error: ") }
    #expect(errors == ["\(file): error: plugins[\(row.isChained ? 1 : 0)].\(message)"])
    #expect(output.status == 1)
  }

  @Test(
    "is what STATUS refuses, too",
    arguments: WrongMember.all.filter { $0.plugin == "ovn" || $0.plugin.hasPrefix("ovs-mirror") })
  func status(_ row: WrongMember) throws {
    let configuration = try Document(parsing: row.configuration.utf8)
      .with(["cniVersion": "1.1.0", "name": "n"])
    let added = try Plugin(row.plugin).call(
      "ADD", configuration, containerID: "c", sandbox: "/run/netns/there-is-none", ifname: "eth0")
    let asked = try Plugin(row.plugin).status(configuration)
    #expect(asked.code == added.code, "\(asked)")
    #expect(asked.message == added.message, "\(asked)")
  }

  @Test("knows all of them")
  func completeness() {
    var known: Set<String> = []
    for (plugin, decoder) in [
      ("ovs-bridge", PluginDecoder.ovsBridge), ("host-local", .hostLocal), ("static", .fixed),
      ("ovs-mirror-producer", .mirror(.producer)), ("ovs-mirror-consumer", .mirror(.consumer)),
      ("loopback", .loopback), ("portmap", .portmap), ("ovn", .ovn), ("cluster", .cluster),
    ] {
      for (path, names) in decoder.members {
        let path = path.filter { $0 != "*" }.map { $0 + "." }.joined()
        known.formUnion(names.map { "\(plugin) \(path)\($0)" })
      }
    }
    let tested = Set(WrongMember.all.map(\.member))
    // Those that every plugin has are tested with the list; this one has no wrong value.
    let other = known.subtracting(tested).filter { member in
      !PluginMember.names.contains { member.hasSuffix(" \($0)") || member.hasSuffix(" ipam.\($0)") }
    }
    #expect(
      other.sorted() == ["ovs-bridge preserveDefaultVlan"])
  }

  @Test("a decoder has no other home for the name of a member than the members it declares")
  func homes() throws {
    let folder = "Sources/PluginConfigurations"
    var files = ["Sources/CNI/NetworkConfiguration.swift", "Sources/CNI/AttachmentResult.swift"]
    files += ["Sources/CNIRuntime/NetworkList.swift", "Sources/PluginCore/FlatFile.swift"]
    files += ["Sources/PluginCore/Log.swift", "Sources/Attachments/Plan.swift"]
    files += [
      "Sources/IPAMPlugin/Preferences.swift", "Sources/patchbay/Validation/Validator.swift",
    ]
    let decoders = try FileManager.default.subpathsOfDirectory(atPath: Project.path(folder))
    files += decoders.filter { $0.hasSuffix(".swift") }.map { "\(folder)/\($0)" }
    var spelt: [String] = []
    var read: Set<String> = []
    for file in files {
      let text = try Project.text(file).replacing(/\/\/.*/, with: "")
      spelt += text.matches(of: /\["([A-Za-z_]+)"\]/).map { "\(file): \($0.1)" }
      read.formUnion(
        text.matches(of: /\[([A-Za-z.]*[mM]ember|Detail|Capability)\.([A-Za-z]+)\]/)
          .map { "\($0.1).\($0.2)" })
    }
    // Of `args.cni`, and of arguments that are read as a configuration is.
    #expect(
      spelt == [
        "Sources/CNI/NetworkConfiguration.swift: cni", "Sources/Attachments/Plan.swift: CNI_ARGS",
        "Sources/Attachments/Plan.swift: MAC",
      ])
    #expect(read.count > 80)
  }
}
