import TestSupport
import Testing

@Suite("validate, of mirror plugins") struct ValidateMirrorTests {
  @Test(
    "says what they would refuse",
    arguments: [
      (
        #""type": "ovs-mirror-producer", "bridge": "b", "mirrors": [{"name": "m", "ingress": true}]"#,
        ""
      ),
      (
        #""type": "ovs-mirror-producer", "bridge": "b", "mirrors": [{"name": "m"}]"#,
        "error: plugins[1].mirrors[0]: a mirror producer must have either a ingress or an egress or "
          + "both: set one to true\n"
      ),
      (#""type": "ovs-mirror-consumer", "bridge": "b", "mirrors": [{"name": "m"}]"#, ""),
      (
        #""type": "ovs-mirror-consumer", "bridge": "b", "mirrors": [{"name": "m", "output_vlan": 1}]"#,
        "error: plugins[1].mirrors[0].output_vlan: a mirror has a consumer or an output VLAN, not "
          + "both; the producer may name a VLAN\n"
      ),
      (
        #""type": "ovs-mirror-consumer", "bridge": "b", "mirors": [], "mirrors": [{"name": "m"}]"#,
        ""
      ),
      (
        #""type": "ovs-mirror-producer", "bridge": "b", "mirrors": [{"name": "m", "egres": true}]"#,
        "egress"
      ),
    ])
  func faults(members: String, expected: String) throws {
    let tool = try Tool()
    let file = try tool.files.write(
      """
      {"cniVersion": "1.1.0", "name": "n", "disableGC": false, "plugins": [
        {"type": "ovs-bridge", "bridge": "b"}, {\(members)}]}
      """, to: "x.conflist")
    let output = try tool.run("validate", "--quiet", file)
    if expected.isEmpty {
      #expect(output.status == 0, "\(output)")
    } else {
      #expect(output.stdout.contains(expected), "\(output)")
      #expect(output.status == 1)
    }
  }
}
