import TestSupport
import Testing

@Suite("validate, of mirror plugins") struct ValidateMirrorTests {
  @Test(
    "says what they would refuse",
    arguments: [
      #""type": "ovs-mirror-producer", "bridge": "b", "mirrors": [{"name": "m", "ingress": true}]"#,
      #""type": "ovs-mirror-producer", "bridge": "b", "mirrors": [{"name": "m"}]"#,
      #""type": "ovs-mirror-consumer", "bridge": "b", "mirrors": [{"name": "m"}]"#,
      #""type": "ovs-mirror-consumer", "bridge": "b", "mirrors": [{"name": "m", "output_vlan": 1}]"#,
      #""type": "ovs-mirror-consumer", "bridge": "b", "mirors": [], "mirrors": [{"name": "m"}]"#,
      #""type": "ovs-mirror-producer", "bridge": "b", "mirrors": [{"name": "m", "egres": true}]"#,
    ])
  func faults(members: String) throws {
    let tool = try Tool()
    let file = try tool.files.write(
      """
      {"cniVersion": "1.1.0", "name": "n", "disableGC": false, "plugins": [
        {"type": "ovs-bridge", "bridge": "b"}, {\(members)}]}
      """, to: "x.conflist")
    let output = try tool.run("validate", file)
    #expect((output.status == 0) == !output.stdout.contains(": error: "))
    try Messages.expect(
      output.stdout, of: "patchbay", on: "validate ovs-bridge and {\(members)}",
      hiding: ["FILE": file])
  }
}
