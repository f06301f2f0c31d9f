import TestSupport
import Testing

/// A configuration as the reference plugins' users have it, but for its `type`, its bridge and the
/// places of files; and what its port is to have.
struct Moved: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let text: String
  let port: [String: Document]
  init(_ name: String, _ text: String, _ port: [String: Document]) {
    (testDescription, self.text, self.port) = (name, text, port)
  }
}

@Suite("A configuration of a reference plugin works when its type is changed", .privateHost)
struct ReferenceTests {
  /// ADD, CHECK, a ping and DEL of two containers; answers the result of the first.
  @discardableResult
  private func work(
    _ network: Network, _ configuration: Document, _ port: [String: Document]
  ) throws -> Document {
    // The link of a gateway stays up.
    try network.host.namespace.exec("ip", ["link", "set", "br1", "up"]).checked()
    let before = try network.host.settledSnapshot()
    let sandboxes = try [Sandbox(), Sandbox()]
    let results = try sandboxes.enumerated().map { number, sandbox in
      try network.plugin.add(configuration, containerID: "c\(number)", sandbox: sandbox).checked()
    }
    let row = try network.port(results[0])
    for (column, value) in port { #expect(row[column] == value, "\(column) is \(row[column])") }
    if !results[1].firstAddress.isEmpty {
      #expect(try sandboxes[0].reaches(results[1].firstAddress, count: 1))
    }
    for (number, sandbox) in sandboxes.enumerated() {
      // Before 0.4.0 there was no CHECK.
      if configuration["cniVersion"] != "0.3.1" {
        try network.plugin.check(
          configuration, previous: results[number], containerID: "c\(number)", sandbox: sandbox
        ).checked()
      }
      try network.plugin.del(configuration, containerID: "c\(number)", sandbox: sandbox).checked()
    }
    try network.expectAsBefore(before)
    return results[0]
  }

  @Test(
    "of ovs",
    arguments: [
      Moved(
        "an access port",
        """
        {"cniVersion": "0.3.1", "name": "mynet", "type": "ovs", "bridge": "br1", "vlan": 100}
        """, ["vlan_mode": "access", "tag": 100]),
      Moved(
        "no VLAN: a trunk of all",
        #"{"cniVersion": "0.4.0", "name": "mynet", "type": "ovs", "bridge": "br1"}"#,
        ["vlan_mode": "trunk", "tag": [], "trunks": []]),
      Moved(
        "a trunk, and jumbo frames",
        """
        {"cniVersion": "0.4.0", "name": "mytrunknet", "type": "ovs", "bridge": "br1", "mtu": 9000,
         "trunk": [ { "id" : 42 }, { "minID" : 1000, "maxID" : 1003 } ]}
        """, ["vlan_mode": "trunk", "trunks": [42, 1000, 1001, 1002, 1003]]),
      Moved(
        "addresses, and every member with the value that means nothing",
        """
        {"cniVersion": "1.0.0", "name": "ovs-conf", "type": "ovs", "bridge": "br1", "vlan": 100,
         "mtu": 0, "ofport_request": 0, "interface_type": "", "deviceID": "", "trunk": null,
         "configuration_path": "", "link_state_check_retries": 5,
         "link_state_check_interval": 1000,
         "ipam": {"type": "host-local", "subnet": "10.1.0.0/24"}}
        """, ["tag": 100]),
      Moved(
        "dual stack by ranges, a port number, and an OVN port",
        """
        {"cniVersion": "0.4.0", "name": "ovs-conf", "type": "ovs", "bridge": "br1",
         "args": {"cni": {"ovnPort": ""}}, "interface_type": "system",
         "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.1.0.0/24"}],
           [{"subnet": "fd00:1::/64"}]], "routes": [{"dst": "0.0.0.0/0"}]}}
        """, ["vlan_mode": "trunk"]),
    ])
  func ovs(moved: Moved) throws {
    let network = try Network()
    let text = try Document(parsing: moved.text.utf8)
    var configuration = text.with([
      "type": "ovs-bridge", "socket_file": .string(network.host.openVSwitch.endpoint),
    ])
    if !text["ipam"].isAbsent {
      let leases = Document.string("\(network.host.directory.path)/leases")
      configuration = configuration.with(["ipam": text["ipam"].with(["dataDir": leases])])
    }
    try work(network, configuration, moved.port)
  }

  @Test("of ovs with its file of defaults, in which the socket is a path")
  func flatFile() throws {
    let network = try Network()
    let file = try network.host.directory.write(
      """
      {"socket_file": "\(network.host.openVSwitch.socket)", "link_state_check_retries": 5,
       "link_state_check_interval": 1000, "vlan": 7, "mtu": 1400}
      """, to: "ovs.conf")
    try work(
      network,
      [
        "cniVersion": "0.4.0", "name": "mynet", "type": "ovs-bridge", "bridge": "br1", "vlan": 100,
        "configuration_path": .string(file),
      ], ["tag": 100])
  }

  @Test(
    "of bridge",
    arguments: [
      Moved(
        "a gateway, and masquerading",
        """
        {"cniVersion": "1.0.0", "name": "mynet", "type": "bridge", "bridge": "br1",
         "isDefaultGateway": true, "forceAddress": false, "ipMasq": true, "hairpinMode": false,
         "ipam": {"type": "host-local", "subnet": "10.1.0.0/16"}}
        """, ["vlan_mode": "trunk"]),
      Moved(
        "layer 2 only",
        #"{"cniVersion": "0.4.0", "name": "mynet", "type": "bridge", "bridge": "br1", "ipam": {}}"#,
        ["vlan_mode": "trunk"]),
      Moved(
        "a VLAN of which the default VLAN is no part",
        """
        {"cniVersion": "0.4.0", "name": "mynet", "type": "bridge", "bridge": "br1", "vlan": 100,
         "preserveDefaultVlan": false, "isGateway": true, "promiscMode": false,
         "ipam": {"type": "host-local", "subnet": "10.1.0.0/24"}}
        """, ["vlan_mode": "access", "tag": 100]),
      Moved(
        "a VLAN and a trunk",
        """
        {"cniVersion": "0.4.0", "name": "mynet", "type": "bridge", "bridge": "br1", "vlan": 100,
         "vlanTrunk": [{"id": 101}, {"minID": 200, "maxID": 202}], "ipam": {}}
        """, ["vlan_mode": "native-untagged", "tag": 100, "trunks": [101, 200, 201, 202]]),
      Moved(
        "a trunk, whose native VLAN is 1",
        """
        {"cniVersion": "0.4.0", "name": "mynet", "type": "bridge", "bridge": "br1",
         "vlanTrunk": [{"id": 101}], "ipam": {}}
        """, ["vlan_mode": "native-untagged", "tag": 1, "trunks": 101]),
      Moved(
        "isolated ports, addresses of both families, and what it spells its own way",
        """
        {"cniVersion": "1.0.0", "name": "mynet", "type": "bridge", "bridge": "br1", "mtu": 1400,
         "isGateway": true, "ipMasq": true, "ipMasqBackend": "nftables", "enabledad": true,
         "macspoofchk": false, "dns": {"nameservers": ["10.1.0.53"]},
         "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.1.0.0/24"}],
           [{"subnet": "fd00:1::/64"}]], "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}}
        """, ["protected": false]),
      Moved(
        "an interface that stays down",
        """
        {"cniVersion": "0.4.0", "name": "mynet", "type": "bridge", "bridge": "br1",
         "disableContainerInterface": true, "portIsolation": true}
        """, ["protected": true]),
    ])
  func bridge(moved: Moved) throws {
    let network = try Network()
    let text = try Document(parsing: moved.text.utf8)
    var configuration = text.with([
      "type": "ovs-bridge", "socket_file": .string(network.host.openVSwitch.endpoint),
    ])
    if !text["ipam"]["type"].isAbsent {
      let leases = Document.string("\(network.host.directory.path)/leases")
      configuration = configuration.with(["ipam": text["ipam"].with(["dataDir": leases])])
    }
    let result = try work(network, configuration, moved.port)
    if !text["dns"].isAbsent { #expect(result["dns"] == text["dns"]) }
  }
}
