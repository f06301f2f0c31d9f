import TestSupport

extension MemberTests {
  static let table = [
    Member(
      "vlan", ["vlan": 100], look: ("ovs-vsctl get Port PORT vlan_mode tag", "access\n100"),
      tamper: "ovs-vsctl clear Port PORT tag", "tag is absent, should be 100"),
    Member(
      "vlan 0", ["vlan": 0], look: ("ovs-vsctl get Port PORT tag", "0"),
      tamper: "ovs-vsctl set Port PORT tag=1", "tag is 1, should be 0"),
    Member(
      "trunk", ["trunk": [["id": 7], ["minID": 3, "maxID": 4], ["id": 3]]],
      look: ("ovs-vsctl get Port PORT vlan_mode trunks", "trunk\n[3, 4, 7]"),
      tamper: "ovs-vsctl remove Port PORT trunks 4", "trunks is 3,7, should be 3,4,7"),
    Member(
      "a trunk as text", ["trunk": "7, 3-4"],
      look: ("ovs-vsctl get Port PORT vlan_mode trunks", "trunk\n[3, 4, 7]"),
      tamper: "ovs-vsctl remove Port PORT trunks 4", "trunks is 3,7, should be 3,4,7"),
    Member(
      "a trunk of one VLAN", ["trunk": [["id": 42]]],
      look: ("ovs-vsctl get Port PORT trunks", "[42]"),
      tamper: "ovs-vsctl clear Port PORT trunks", "trunks is every VLAN, should be 42"),
    Member(
      "vlanTrunk, as the bridge plugin means it", ["vlanTrunk": [["id": 42]]],
      look: ("ovs-vsctl get Port PORT vlan_mode tag trunks", "native-untagged\n1\n[42]"),
      tamper: "ovs-vsctl set Port PORT tag=2", "tag is 2, should be 1"),
    Member(
      "vlan and trunk", ["vlan": 5, "trunk": [["id": 6]]],
      look: ("ovs-vsctl get Port PORT vlan_mode tag trunks", "native-untagged\n5\n[6]"),
      tamper: "ovs-vsctl set Port PORT vlan_mode=native-tagged",
      #"vlan_mode is "native-tagged", should be "native-untagged""#),
    Member(
      "vlanMode", ["vlan": 5, "trunk": [["id": 6]], "vlanMode": "dot1q-tunnel"],
      look: ("ovs-vsctl get Port PORT vlan_mode tag cvlans", "dot1q-tunnel\n5\n[6]"),
      tamper: "ovs-vsctl set Port PORT cvlans=7", "cvlans is 7, should be 6"),
    Member(
      "mtu", ["mtu": 1280], look: ("in ip link show eth0", "mtu 1280"),
      tamper: "ip link set PORT mtu 1400", "mtu is 1400, should be 1280"),
    Member(
      "mac", ["mac": "02:00:00:00:00:07"], look: ("in ip link show eth0", "02:00:00:00:00:07"),
      tamper: "ovs-vsctl set Port PORT external_ids:mac=02:00:00:00:00:08",
      #"mac is "02:00:00:00:00:08""#),
    Member(
      "portIsolation", ["portIsolation": true],
      look: ("ovs-vsctl get Port PORT protected", "true"),
      tamper: "ovs-vsctl set Port PORT protected=false", "protected is false, should be true"),
    Member(
      "ofport_request", ["ofport_request": 77],
      look: ("ovs-vsctl get Interface PORT ofport", "77"),
      tamper: "ovs-vsctl set Interface PORT ofport_request=78",
      "ofport_request is 78, should be 77"),
    Member(
      "interface_type", ["interface_type": "system"],
      look: ("ovs-vsctl get Interface PORT type", "system"),
      tamper: "ovs-vsctl set Interface PORT type=internal",
      #"type is "internal", should be "system""#),
    Member(
      "external_ids", ["external_ids": ["rack": "4"]],
      look: ("ovs-vsctl get Interface PORT external_ids:rack", "4"),
      tamper: "ovs-vsctl set Port PORT external_ids:rack=5",
      #"external_ids:rack is "5", should be "4""#),
    Member(
      "args.cni.ovnPort", ["args": ["cni": ["ovnPort": "lp1"]]],
      look: ("ovs-vsctl get Interface PORT external_ids:iface-id", "lp1"),
      tamper: "ovs-vsctl set Interface PORT external_ids:iface-id=lp2",
      #"iface-id is "lp2", should be "lp1""#),
    Member(
      "disableContainerInterface", ["disableContainerInterface": true],
      look: ("in ip link show eth0", "state DOWN"),
      tamper: "ip link set PORT down", "up is false, should be true"),
    Member(
      "bridge", ["bridge": "br1"], look: ("ovs-vsctl port-to-br PORT", "br1"),
      tamper: Member.move.replacing("BRIDGE", with: "br1"),
      #"bridge of port "PORT" is "br2", should be "br1""#, kept: ["br2"]),
    Member(
      "createBridge", ["bridge": "br5", "createBridge": true],
      look: ("ovs-vsctl get Bridge br5 datapath_type external_ids", "netdev\n{owner=patchbay}"),
      tamper: Member.move.replacing("BRIDGE", with: "br5"),
      #"bridge of port "PORT" is "br2", should be "br5""#, kept: ["br2", "br5"]),
    Member(
      "datapath", ["bridge": "br5", "datapath": "netdev"],
      look: ("ovs-vsctl get Bridge br5 datapath_type", "netdev"),
      tamper: "in ethtool -K eth0 tx on",
      "TX checksum offload is on, should be off on a netdev bridge", kept: ["br5"]),
    Member(
      "ipam", [:], hasAddresses: true, look: ("in ip address show eth0", "10.1.0.2/24"),
      tamper: "in ip address del fd00:1::2/64 dev eth0", "has no address fd00:1::2/64"),
    Member(
      "isGateway", ["isGateway": true], hasAddresses: true,
      look: ("ip address show br1", "inet 10.1.0.1/24"),
      tamper: "ip address del 10.1.0.1/24 dev br1",
      #"gateway "br1" has no address 10.1.0.1/24; it has fd00:1::1/64"#),
    Member(
      "isGateway with vlan", ["isGateway": true, "vlan": 7], hasAddresses: true,
      look: ("ovs-vsctl get Port br1.7 tag external_ids:role", "7\ngateway"),
      tamper: "ovs-vsctl del-port br1.7",
      #"there is no gateway port "br1.7" in the database, and there should be one"#),
    Member(
      "isDefaultGateway", ["isDefaultGateway": true], hasAddresses: true,
      look: ("in ip route", "default via 10.1.0.1"), tamper: "in ip route del default",
      "route 0.0.0.0/0 via 10.1.0.1 is not in table 254 of the sandbox"),
    Member(
      "forceAddress", ["isGateway": true, "forceAddress": true], hasAddresses: true,
      prepare: "ip address add 10.9.0.1/24 dev br1",
      look: ("ip -4 -br address show br1", "UNKNOWN        10.1.0.1/24"),
      tamper: "ip address del 10.1.0.1/24 dev br1",
      #"gateway "br1" has no address 10.1.0.1/24; it has fd00:1::1/64"#, kept: ["10.9.0"]),
    Member(
      "ipMasq", ["ipMasq": true], hasAddresses: true,
      look: ("nft list table inet patchbay-net1", "fd00:1::2"),
      tamper: "nft flush map inet patchbay-net1 sources4",
      "map sources4 of table inet patchbay-net1 leads from 10.1.0.2 to nothing, and should lead"),
    Member(
      "bandwidth", ["bandwidth": ["ingressRate": 8_000_000, "ingressBurst": 800_000]],
      look: ("tc qdisc show dev PORT", "qdisc htb"), tamper: "ovs-vsctl clear Port PORT qos",
      #"port "PORT": qos is absent, should be the one that ADD made"#),
    Member(
      "runtimeConfig.bandwidth",
      ["runtimeConfig": ["bandwidth": ["egressRate": 8_000_000, "egressBurst": 800_000]]],
      look: ("in tc qdisc show dev eth0", "qdisc tbf"), tamper: "in tc qdisc del dev eth0 root",
      #"queueing discipline is "noqueue", should be "tbf": what the container sends is not limited"#
    ),
    Member(
      "runtimeConfig.mac", ["runtimeConfig": ["mac": "02:00:00:00:00:07"]],
      look: ("in ip link show eth0", "02:00:00:00:00:07"),
      tamper: "ovs-vsctl set Port PORT external_ids:mac=02:00:00:00:00:08",
      #"mac is "02:00:00:00:00:08", should be "02:00:00:00:00:07""#),
    Member(
      "args.cni.mac", ["args": ["cni": ["mac": "02:00:00:00:00:07"]]],
      look: ("ovs-vsctl get Port PORT external_ids:mac", "02:00:00:00:00:07"),
      tamper: "ovs-vsctl set Port PORT external_ids:mac=02:00:00:00:00:08",
      #"mac is "02:00:00:00:00:08", should be "02:00:00:00:00:07""#),
    Member(
      "MAC of CNI_ARGS", [:], args: "MAC=02:00:00:00:00:07",
      look: ("in ip link show eth0", "02:00:00:00:00:07"),
      tamper: "ovs-vsctl set Port PORT external_ids:mac=02:00:00:00:00:08",
      #"mac is "02:00:00:00:00:08", should be "02:00:00:00:00:07""#),
    Member(
      "OvnPort of CNI_ARGS", [:], args: "OvnPort=lp1",
      look: ("ovs-vsctl get Interface PORT external_ids:iface-id", "lp1"),
      tamper: "ovs-vsctl remove Interface PORT external_ids iface-id",
      #"external_ids:iface-id is absent, should be "lp1""#),
    Member(
      "K8S_POD_UID of CNI_ARGS", [:], args: "K8S_POD_UID=uid-7",
      look: ("ovs-vsctl get Port PORT external_ids:contPodUid", "uid-7"),
      tamper: "ovs-vsctl set Port PORT external_ids:contPodUid=uid-8",
      #"external_ids:contPodUid is "uid-8", should be "uid-7""#),
    Member(
      "enableDAD, as the reference spells it", ["enabledad": true], hasAddresses: true,
      look: ("in sysctl -n net.ipv6.conf.eth0.enhanced_dad net.ipv6.conf.eth0.accept_dad", "1\n1"),
      tamper: "in ip address del fd00:1::2/64 dev eth0", "has no address fd00:1::2/64"),
    Member(
      "link_state_check_retries, link_state_check_interval",
      ["link_state_check_retries": 100, "link_state_check_interval": 100],
      look: ("ovs-vsctl get Interface PORT error", "[]"),
      tamper: "ip link set PORT down", "up is false, should be true"),
  ]
}
