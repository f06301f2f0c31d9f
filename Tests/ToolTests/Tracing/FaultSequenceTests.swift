import TestSupport
import Testing

@testable import patchbay

/// Faults that are made one after the other in one playground: each is named, mended by the command
/// that is printed, and gone before the next one.
@Suite("trace, of one fault after the other", .privateHost)
struct FaultSequenceTests {
  struct Sequence: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// The network of the containers, one of `networks`.
    let network: String
    /// What is asked after `patchbay trace`.
    let question: String
    /// What works once the remedy has run, in bash; of layer 2 there is no more to see than
    /// `trace`.
    let proof: String
    /// The cause's ID, and what brings it about.
    let faults: [(id: String, fault: String)]
  }

  static let sequences = [
    Sequence(
      testDescription: "IPv6", network: "six", question: "ns1 ns2 -6",
      proof: "in_ns ns1 ping -6 -c1 -W3 $b",
      faults: [
        ("vlan", "ovs-vsctl set Port $(port ns2) vlan_mode=access tag=20"),
        ("host-end-down", "ip link set $(port ns2) down"),
        ("address-missing", "in_ns ns2 ip -6 address flush dev eth0 scope global"),
        ("no-route", "in_ns ns1 ip -6 route flush dev eth0"),
        ("duplicate-address", "in_ns ns3 ip address add $b/64 dev eth0 nodad"),
        (
          "neighbour-wrong",
          "in_ns ns1 ip neigh replace $b lladdr 02:00:00:00:00:99 dev eth0 nud permanent"
        ),
        ("firewall-input", "in_ns ns2 ip6tables -A INPUT -p icmpv6 -s fd00:6::/64 -j DROP"),
        ("flow-drop", "ovs-ofctl add-flow OVS-1 priority=100,icmp6,actions=drop"),
      ]),
    Sequence(
      testDescription: "layer 2", network: "wire", question: "ns1 ns2", proof: "true",
      faults: [
        (
          "vlan",
          """
          ovs-vsctl set Port $(port ns1) vlan_mode=access tag=10 -- \
            set Port $(port ns2) vlan_mode=access tag=20
          """
        ),
        ("link-down", "in_ns ns2 ip link set eth0 down"),
        ("host-end-down", "ip link set $(port ns2) down"),
        ("mtu", "in_ns ns2 ip link set eth0 mtu 1400"),
        (
          "isolated",
          "ovs-vsctl set Port $(port ns1) protected=true -- set Port $(port ns2) protected=true"
        ),
        ("flow-drop", "ovs-ofctl add-flow OVS-1 priority=100,dl_dst=$(mac ns2),actions=drop"),
        ("duplicate-mac", "in_ns ns2 ip link set eth0 address $(mac ns1)"),
      ]),
    Sequence(
      testDescription: "ports, flows and learned addresses", network: "ten", question: "ns1 ns2",
      proof: "in_ns ns1 ping -c1 -W3 $b",
      faults: [
        (
          "vlan",
          "ovs-vsctl set Port $(port ns2) vlan_mode=trunk trunks=20 -- clear Port $(port ns2) tag"
        ),
        ("fdb-wrong", "ovs-appctl fdb/add OVS-1 $(port ns3) 10 $(mac ns2)"),
        (
          "no-flow",
          "ovs-vsctl set-fail-mode OVS-1 secure -- set-controller OVS-1 tcp:127.0.0.1:9; ovs-ofctl del-flows OVS-1"
        ),
        (
          "vlan-in",
          "ovs-vsctl set Port $(port ns1) vlan_mode=trunk trunks=10 -- clear Port $(port ns1) tag"
        ),
      ]),
    Sequence(
      testDescription: "the way through this host", network: "routed", question: "ns1 203.0.113.9",
      proof: "in_ns ns1 ping -c1 -W3 203.0.113.9",
      faults: [
        ("firewall-forward", "outside; iptables -A FORWARD -i OVS-1.10 -j DROP"),
        ("gateway-down", "ip link set OVS-1.10 down"),
        ("mtu", "ovs-vsctl set Interface OVS-1.10 mtu_request=1400"),
        (
          "masquerade-gone",
          """
          in_ns up ip route del default
          nft list tables | while read -r _ family table; do
            case $table in patchbay-*) nft delete table $family $table ;; esac
          done
          """
        ),
      ]),
  ]

  @Test(
    "each is named with its cause, and the command that is printed mends it", arguments: sequences)
  func mended(_ sequence: Sequence) throws {
    var script =
      TraceTests.prelude + """
        step() {
          patchbay trace $QUESTION --json >before.json
          jq -r .cause.id before.json
          jq -r '.cause.remedy // "true"' before.json >remedy
          PATH=$BIN:$PATH bash ./remedy >remedy.out 2>&1 || cat remedy remedy.out
          for i in 1 2 3 4 5; do
            eval "$PROOF" >/dev/null 2>&1 && echo arrives && break
            sleep 0.3
          done
          patchbay trace $QUESTION --json | jq -r '.verdict + " " + (.cause.id // "-")'
        }

        """
    for (_, fault) in sequence.faults { script += "{ \(fault)\n} >/dev/null 2>&1\nstep\n" }
    let output = try Patchbay.play(
      script,
      environment: [
        "BIN": Plugin.directory, "NETWORK": sequence.network, "QUESTION": sequence.question,
        "PROOF": sequence.proof,
      ])
    let expected = sequence.faults.flatMap { [$0.id, "arrives", "clear -"] }
    let lines = output.stdout.split(separator: "\n").map(String.init)
    #expect(lines == expected, "\(output)")
  }
}
