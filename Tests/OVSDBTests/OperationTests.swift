import JSON
import Testing

@testable import OVSDB
import OpenVSwitch

@Suite("Operations")
struct OperationTests {
  typealias Operation = DatabaseOperation<OpenVSwitchDatabase>

  @Test(
    "an operation is written as RFC 7047 §5.2 has it, and names itself",
    arguments: [
      (
        .insert(
          into: .interface, [Cell(.name, "veth1"), Cell(.ofportRequest, 5), Cell(.mac, nil)],
          named: "row0"), "insert into Interface",
        #"{"op":"insert","table":"Interface","row":{"name":"veth1","ofport_request":5,"#
          + #""mac":["set",[]]},"uuid-name":"row0"}"#
      ),
      (
        .insert(into: .port, [Cell(.trunks, [1, 2]), Cell(.isProtected, true)]),
        "insert into Port",
        #"{"op":"insert","table":"Port","row":{"trunks":["set",[1,2]],"protected":true}}"#
      ),
      (
        .insert(into: .qos, [Cell(.queues, [1: .row("b"), 0: .inserted("row0")])]),
        "insert into QoS",
        #"{"op":"insert","table":"QoS","row":{"queues":["map",[[0,["named-uuid","row0"]],"#
          + #"[1,["uuid","b"]]]]}}"#
      ),
      (
        .select(from: .openVSwitch), "select from Open_vSwitch",
        #"{"op":"select","table":"Open_vSwitch","where":[]}"#
      ),
      (
        .select(
          from: .interface,
          where: [.includes(.externalIDs, ["owner": "x"]), .notEqual(.error, nil)],
          .columns(.uuid, .name)),
        "select from Interface",
        #"{"op":"select","table":"Interface","where":[["external_ids","includes","#
          + #"["map",[["owner","x"]]]],["error","!=",["set",[]]]],"columns":["_uuid","name"]}"#
      ),
      (
        .update(.port, where: [.equal(.uuid, .row("a"))], [Cell(.tag, 7)]), "update Port",
        #"{"op":"update","table":"Port","where":[["_uuid","==",["uuid","a"]]],"row":{"tag":7}}"#
      ),
      (
        .mutate(
          .bridge, where: [.equal(.name, "br0")],
          [
            .insert([.inserted("row1")], into: .ports), .delete(keys: ["a"], from: .externalIDs),
            .delete(["k": "v"], from: .otherConfiguration),
          ]), "mutate Bridge",
        #"{"op":"mutate","table":"Bridge","where":[["name","==","br0"]],"mutations":["#
          + #"["ports","insert",["set",[["named-uuid","row1"]]]],"#
          + #"["external_ids","delete",["set",["a"]]],"#
          + #"["other_config","delete",["map",[["k","v"]]]]]}"#
      ),
      (
        .mutate(
          .openVSwitch, where: [],
          [.add(1, to: .nextConfiguration), .add(-2, to: .currentConfiguration)]),
        "mutate Open_vSwitch",
        #"{"op":"mutate","table":"Open_vSwitch","where":[],"mutations":[["next_cfg","+=",1],"#
          + #"["cur_cfg","+=",-2]]}"#
      ),
      (
        .delete(
          from: .port, where: [.less(.tag, 1), .lessOrEqual(.tag, 2), .greater(.tag, 3)]),
        "delete from Port",
        #"{"op":"delete","table":"Port","where":[["tag","<",1],["tag","<=",2],["tag",">",3]]}"#
      ),
      (
        .delete(
          from: .mirror, where: [.greaterOrEqual(.outputVLAN, 4), .excludes(.selectedVLANs, [5])]),
        "delete from Mirror",
        #"{"op":"delete","table":"Mirror","where":[["output_vlan",">=",4],"#
          + #"["select_vlan","excludes",["set",[5]]]]}"#
      ),
      (
        .wait(
          for: .port, where: [.equal(.name, "p")], until: .equal, [[Cell(.tag, 5)]],
          timeout: .milliseconds(1500), .columns(.tag)), "wait for Port",
        #"{"op":"wait","table":"Port","timeout":1500,"where":[["name","==","p"]],"#
          + #""columns":["tag"],"until":"==","rows":[{"tag":5}]}"#
      ),
      (
        .require(.bridge, where: [.equal(.name, "br0")]), "wait for Bridge",
        #"{"op":"wait","table":"Bridge","timeout":0,"where":[["name","==","br0"]],"#
          + #""columns":["_uuid"],"until":"!=","rows":[]}"#
      ),
      (
        .requireAbsent(.bridge, where: [.equal(.name, "br0")]), "wait for Bridge",
        #"{"op":"wait","table":"Bridge","timeout":0,"where":[["name","==","br0"]],"#
          + #""columns":["_uuid"],"until":"==","rows":[]}"#
      ),
      (.comment("hello"), "comment", #"{"op":"comment","comment":"hello"}"#),
      (.abort, "abort", #"{"op":"abort"}"#),
    ] as [(Operation, String, String)])
  func written(_ operation: Operation, _ description: String, _ text: String) {
    #expect(String(decoding: operation.json.encoded(), as: UTF8.self) == text)
    #expect(operation.name.description == description)
  }

  @Test("operations compare by what they do")
  func comparison() {
    let first = Operation.insert(into: .port, [Cell(.externalIDs, ["a": "1", "b": "2"])])
    #expect(first == .insert(into: .port, [Cell(.externalIDs, ["b": "2", "a": "1"])]))
    #expect(first != .insert(into: .port, [Cell(.externalIDs, ["a": "1"])]))
  }

  @Test("rows of one transaction refer to each other by names that differ")
  func names() {
    var transaction = Transaction()
    let port = transaction.addPort("veth1", to: .equal(.name, "br0"), port: [Cell(.tag, 5)])
    #expect(port.interface.reference == .inserted("row1"))
    #expect(port.port.reference == .inserted("row2"))
    #expect(
      transaction.operations == [
        .require(.bridge, where: [.equal(.name, "br0")]),
        .insert(into: .interface, [Cell(.name, "veth1")], named: "row1"),
        .insert(
          into: .port,
          [Cell(.name, "veth1"), Cell(.interfaces, [.inserted("row1")]), Cell(.tag, 5)],
          named: "row2"),
        .mutate(
          .bridge, where: [.equal(.name, "br0")], [.insert([.inserted("row2")], into: .ports)]),
      ])
  }
}
