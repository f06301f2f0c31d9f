import TestSupport
import Testing

@Suite("what show has of ports and bridges", .privateHost)
struct ShowFeatureTests {
  /// A playground with one attachment that has nearly everything, and ports by hand.
  static let prelude = """
    cd "$(mktemp -d)" && trap 'rm -rf "$PWD"' EXIT
    export NETCONFPATH=$PWD
    cat >all.conflist <<'END'
    {"cniVersion": "1.0.0", "name": "all", "plugins": [{
      "type": "ovs-bridge", "bridge": "OVS-1", "vlan": 10, "portIsolation": true,
      "isDefaultGateway": true, "ipMasq": true, "forward": "leave",
      "bandwidth": {"ingressRate": 10000000, "ingressBurst": 1000000, "egressRate": 512000,
        "egressBurst": 256000},
      "ipam": {"type": "host-local", "dataDir": "leases", "ranges": [[{"subnet": "10.10.0.0/24"}]]}
    }]}
    END
    sed -i "s|\"leases\"|\"$PWD/leases\"|" all.conflist
    patchbay netns add ns1
    patchbay add all ns1 >/dev/null || exit 3
    port=$(ovs-vsctl --bare --columns=name find port external_ids:sandbox=/run/netns/ns1)
    ip -n ns1 link set eth0 mtu 1400
    ip link add hand type veth peer name eth7 netns ns1 && ip link set hand up
    ovs-vsctl add-port OVS-1 hand -- add-port OVS-1 watch -- set Interface watch type=internal \
      -- add-port OVS-1 p0 -- set Interface p0 type=patch options:peer=p1 \
      -- add-port OVS-1 vx0 -- set Interface vx0 type=vxlan options:remote_ip=192.0.2.1 \
      -- --id=@out get Port watch -- --id=@in get Port $port \
      -- --id=@some create Mirror name=some select_src_port=@in output_port=@out \
      -- --id=@rest create Mirror name=rest select_vlan=7 output_vlan=99 \
      -- set Bridge OVS-1 mirrors=@some,@rest >/dev/null
    ovs-vsctl --no-wait set-controller OVS-1 tcp:127.0.0.1:9

    """

  @Test("the tree has what a port or a bridge has beside the defaults")
  func tree() throws {
    let output = try Patchbay.play(Self.prelude + "patchbay show")
    let lines = output.stdout.split(separator: "\n").map {
      $0.drop { "│├└─ ".contains($0) }
    }
    for line in [
      "bridge OVS-1, userspace datapath, controller tcp:127.0.0.1:9, not connected,",
      "mirror rest of VLAN 7 to VLAN 99",
      "network   all, container cnitool-ed499399ac115ce80a78",
      "VLAN      access 10, isolated, what it sends is mirrored to watch,", "MTU 1400",
      "gateway   10.10.0.1/24 on OVS-1.10, masquerade, forward leave",
      "rates     10 Mbit/s to the container, 512 kbit/s from it",
    ] {
      #expect(lines.contains(Substring(line)), "\(line): \(output)")
    }
    for (port, text) in [
      ("OVS-1.10", "internal, of patchbay, gateway 10.10.0.1/24, access 10"),
      ("hand", "system, to eth7 in /run/netns/ns1"), ("p0", "patch to p1"),
      ("vx0", "vxlan to 192.0.2.1"), ("watch", "internal, output of mirror some"),
    ] {
      let found = lines.filter { $0.hasPrefix("\(port) ") }.map {
        $0.dropFirst(port.count).drop { $0 == " " }
      }
      #expect(found.first == Substring(text), "\(port): \(output)")
    }
  }

  @Test("the JSON text has the same")
  func json() throws {
    let output = try Patchbay.play(
      Self.prelude + """
        patchbay show --json >shown
        jq -c '.bridges[0] | .controllers, .mirrors' shown
        jq -c '.bridges[0].ports[] | select(.attachment) | .isolated, .rates, .gateway' shown
        jq -c '.bridges[0].ports[] | select(.name == "vx0") | .interfaces[0].target' shown
        """)
    #expect(
      output.stdout == """
        [{"target":"tcp:127.0.0.1:9","connected":false}]
        [{"name":"rest","vlans":[7],"outputVLAN":99},{"name":"some","sources":["vethq6pmkkl4uup"],\
        "outputPort":"watch"}]
        true
        {"ingress":10000000,"egress":512000}
        {"port":"OVS-1.10","addresses":["10.10.0.1/24"],"masquerade":true,"forward":"leave"}
        "192.0.2.1"

        """, "\(output)")
  }
}
