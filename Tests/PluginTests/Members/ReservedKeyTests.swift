import PluginConfigurations
import TestSupport
import Testing

@Suite("Keys of external_ids", .privateHost) struct ReservedKeyTests {
  @Test("that ADD writes itself cannot be set by a configuration, whichever features there are")
  func reserved() throws {
    let routed = try Routed()
    let sandbox = try Sandbox()
    // Everything that an attachment can have.
    let configuration = routed.configuration([
      "portIsolation": true, "forward": "leave", "external_ids": ["site": "north"],
    ])
    let result = try routed.plugin.add(
      configuration, containerID: "c1", sandbox: sandbox,
      args:
        "IgnoreUnknown=1;K8S_POD_UID=u;K8S_POD_NAME=p;K8S_POD_NAMESPACE=n;OvnPort=lp1"
    ).checked()
    let tagged = try Sandbox()
    _ = try routed.add(
      configuration.with([
        "vlan": 9, "name": "net2",
        "ipam": [
          "type": "static", "addresses": [["address": "10.2.0.5/24", "gateway": "10.2.0.1"]],
        ],
      ]), "c2", tagged)
    var keys: Set<String> = []
    for (table, row) in [
      ("Port", result["interfaces"][0]["name"].text ?? ""), ("Port", "br1"), ("Port", "br1.9"),
      ("Interface", result["interfaces"][0]["name"].text ?? ""),
    ] {
      keys.formUnion(try routed.ovs.row(table, row)["external_ids"].members.keys)
    }
    // What the operator chose, and what names a logical port of OVN.
    let free: Set = ["site", "iface-id"]
    #expect(keys.isSuperset(of: free))
    #expect(keys.count > 15, "\(keys.sorted())")
    for key in keys {
      let refused = try routed.plugin.add(
        configuration.with(["external_ids": .object([key: "x"])]), containerID: "c3",
        sandbox: try Sandbox())
      if free.contains(key) {
        #expect(refused.status == 0, "\(key): \(refused)")
        try routed.plugin.del(configuration, containerID: "c3", sandbox: nil).checked()
      } else {
        try Messages.expect(
          refused, code: 7, of: "ovs-bridge", on: "ADD, a reserved key of external_ids",
          hiding: ["external_ids.KEY": "external_ids.\(key)"])
      }
    }
  }
}
