import TestSupport

extension MemberTests {
  static let table = [
    Member(
      "vlan", ["vlan": 100], look: ("ovs-vsctl get Port PORT vlan_mode tag", "access\n100"),
      tamper: "ovs-vsctl clear Port PORT tag"),
    Member(
      "vlan 0", ["vlan": 0], look: ("ovs-vsctl get Port PORT tag", "0"),
      tamper: "ovs-vsctl set Port PORT tag=1"),
    Member(
      "trunk", ["trunk": [["id": 7], ["minID": 3, "maxID": 4], ["id": 3]]],
      look: ("ovs-vsctl get Port PORT vlan_mode trunks", "trunk\n[3, 4, 7]"),
      tamper: "ovs-vsctl remove Port PORT trunks 4"),
    Member(
      "a trunk as text", ["trunk": "7, 3-4"],
      look: ("ovs-vsctl get Port PORT vlan_mode trunks", "trunk\n[3, 4, 7]"),
      tamper: "ovs-vsctl remove Port PORT trunks 4"),
    Member(
      "a trunk of one VLAN", ["trunk": [["id": 42]]],
      look: ("ovs-vsctl get Port PORT trunks", "[42]"),
      tamper: "ovs-vsctl clear Port PORT trunks"),
    Member(
      "vlanTrunk, as the bridge plugin means it", ["vlanTrunk": [["id": 42]]],
      look: ("ovs-vsctl get Port PORT vlan_mode tag trunks", "native-untagged\n1\n[42]"),
      tamper: "ovs-vsctl set Port PORT tag=2"),
    Member(
      "vlan and trunk", ["vlan": 5, "trunk": [["id": 6]]],
      look: ("ovs-vsctl get Port PORT vlan_mode tag trunks", "native-untagged\n5\n[6]"),
      tamper: "ovs-vsctl set Port PORT vlan_mode=native-tagged"),
    Member(
      "vlanMode", ["vlan": 5, "trunk": [["id": 6]], "vlanMode": "dot1q-tunnel"],
      look: ("ovs-vsctl get Port PORT vlan_mode tag cvlans", "dot1q-tunnel\n5\n[6]"),
      tamper: "ovs-vsctl set Port PORT cvlans=7"),
    Member(
      "mtu", ["mtu": 1280], look: ("in ip link show eth0", "mtu 1280"),
      tamper: "ip link set PORT mtu 1400"),
    Member(
      "mac", ["mac": "02:00:00:00:00:07"], look: ("in ip link show eth0", "02:00:00:00:00:07"),
      tamper: "ovs-vsctl set Port PORT external_ids:mac=02:00:00:00:00:08"),
    Member(
      "portIsolation", ["portIsolation": true],
      look: ("ovs-vsctl get Port PORT protected", "true"),
      tamper: "ovs-vsctl set Port PORT protected=false"),
    Member(
      "ofport_request", ["ofport_request": 77],
      look: ("ovs-vsctl get Interface PORT ofport", "77"),
      tamper: "ovs-vsctl set Interface PORT ofport_request=78"),
    Member(
      "interface_type", ["interface_type": "system"],
      look: ("ovs-vsctl get Interface PORT type", "system"),
      tamper: "ovs-vsctl set Interface PORT type=internal", mark: ": type is "),
    Member(
      "external_ids", ["external_ids": ["rack": "4"]],
      look: ("ovs-vsctl get Interface PORT external_ids:rack", "4"),
      tamper: "ovs-vsctl set Port PORT external_ids:rack=5"),
    Member(
      "args.cni.ovnPort", ["args": ["cni": ["ovnPort": "lp1"]]],
      look: ("ovs-vsctl get Interface PORT external_ids:iface-id", "lp1"),
      tamper: "ovs-vsctl set Interface PORT external_ids:iface-id=lp2"),
    Member(
      "disableContainerInterface", ["disableContainerInterface": true],
      look: ("in ip link show eth0", "state DOWN"),
      tamper: "ip link set PORT down"),
    Member(
      "bridge", ["bridge": "br1"], look: ("ovs-vsctl port-to-br PORT", "br1"),
      tamper: Member.move.replacing("BRIDGE", with: "br1"), kept: ["br2"]),
    Member(
      "createBridge", ["bridge": "br5", "createBridge": true],
      look: (
        "ovs-vsctl get Bridge br5 datapath_type external_ids",
        "\(Datapath.current.rawValue)\n{owner=patchbay}"
      ),
      tamper: Member.move.replacing("BRIDGE", with: "br5"), kept: ["br2", "br5"]),
    Member(
      "datapath", ["bridge": "br5", "datapath": "netdev"],
      look: ("ovs-vsctl get Bridge br5 datapath_type", "netdev"),
      // The link of the userspace datapath, which ovs-vswitchd makes with its first bridge.
      tamper: "in ethtool -K eth0 tx on", kept: ["br5", "ovs-netdev"]),
    Member(
      "ipam", [:], hasAddresses: true, look: ("in ip address show eth0", "10.1.0.2/24"),
      tamper: "in ip address del fd00:1::2/64 dev eth0"),
    Member(
      "isGateway", ["isGateway": true], hasAddresses: true,
      look: ("ip address show br1", "inet 10.1.0.1/24"),
      tamper: "ip address del 10.1.0.1/24 dev br1"),
    Member(
      "isGateway with vlan", ["isGateway": true, "vlan": 7], hasAddresses: true,
      look: ("ovs-vsctl get Port br1.7 tag external_ids:role", "7\ngateway"),
      tamper: "ovs-vsctl del-port br1.7"),
    Member(
      "isDefaultGateway", ["isDefaultGateway": true], hasAddresses: true,
      look: ("in ip route", "default via 10.1.0.1"), tamper: "in ip route del default"),
    Member(
      "forceAddress", ["isGateway": true, "forceAddress": true], hasAddresses: true,
      prepare: "ip address add 10.9.0.1/24 dev br1",
      look: ("ip -4 -br address show br1", "UNKNOWN        10.1.0.1/24"),
      tamper: "ip address del 10.1.0.1/24 dev br1", kept: ["10.9.0"]),
    Member(
      "ipMasq", ["ipMasq": true], hasAddresses: true,
      look: ("nft list table inet patchbay-net1", "fd00:1::2"),
      tamper: "nft flush map inet patchbay-net1 sources4"),
    Member(
      "bandwidth", ["bandwidth": ["ingressRate": 8_000_000, "ingressBurst": 800_000]],
      look: ("tc qdisc show dev PORT", "qdisc htb"), tamper: "ovs-vsctl clear Port PORT qos"),
    Member(
      "runtimeConfig.bandwidth",
      ["runtimeConfig": ["bandwidth": ["egressRate": 8_000_000, "egressBurst": 800_000]]],
      look: ("in tc qdisc show dev eth0", "qdisc tbf"), tamper: "in tc qdisc del dev eth0 root"),
    Member(
      "runtimeConfig.mac", ["runtimeConfig": ["mac": "02:00:00:00:00:07"]],
      look: ("in ip link show eth0", "02:00:00:00:00:07"),
      tamper: "ovs-vsctl set Port PORT external_ids:mac=02:00:00:00:00:08"),
    Member(
      "args.cni.mac", ["args": ["cni": ["mac": "02:00:00:00:00:07"]]],
      look: ("ovs-vsctl get Port PORT external_ids:mac", "02:00:00:00:00:07"),
      tamper: "ovs-vsctl set Port PORT external_ids:mac=02:00:00:00:00:08"),
    Member(
      "MAC of CNI_ARGS", [:], args: "MAC=02:00:00:00:00:07",
      look: ("in ip link show eth0", "02:00:00:00:00:07"),
      tamper: "ovs-vsctl set Port PORT external_ids:mac=02:00:00:00:00:08"),
    Member(
      "OvnPort of CNI_ARGS", [:], args: "OvnPort=lp1",
      look: ("ovs-vsctl get Interface PORT external_ids:iface-id", "lp1"),
      tamper: "ovs-vsctl remove Interface PORT external_ids iface-id"),
    Member(
      "K8S_POD_UID of CNI_ARGS", [:], args: "K8S_POD_UID=uid-7",
      look: ("ovs-vsctl get Port PORT external_ids:contPodUid", "uid-7"),
      tamper: "ovs-vsctl set Port PORT external_ids:contPodUid=uid-8"),
    Member(
      "enableDAD, as the reference spells it", ["enabledad": true], hasAddresses: true,
      look: ("in sysctl -n net.ipv6.conf.eth0.enhanced_dad net.ipv6.conf.eth0.accept_dad", "1\n1"),
      tamper: "in ip address del fd00:1::2/64 dev eth0"),
    Member(
      "link_state_check_retries, link_state_check_interval",
      ["link_state_check_retries": 100, "link_state_check_interval": 100],
      look: ("ovs-vsctl get Interface PORT error", "[]"),
      tamper: "ip link set PORT down"),
  ]
}
