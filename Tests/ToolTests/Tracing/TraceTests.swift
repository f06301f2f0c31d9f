import TestSupport
import Testing

@testable import patchbay

/// Set-ups that are broken on purpose. `trace` names the cause; the command that it prints is run,
/// and then the packet arrives and `trace` is clear.
@Suite("trace", .privateHost)
struct TraceTests {
  /// One broken set-up.
  struct Case: CustomTestStringConvertible, Sendable {
    let id: String
    /// The network of both containers.
    var network = "plain"
    /// What breaks it, in bash.
    let fault: String
    /// What is asked after `patchbay trace`.
    var question = "ns1 ns2"
    /// What must work once the remedy has run; nil where the remedy only shows something.
    var proof: String? = "in_ns ns1 ping -c1 -W2 $b"
    var testDescription: String { "\(id): \(fault)" }
  }

  static let cases: [Case] = [
    Case(id: "vlan", network: "ten", fault: "ovs-vsctl set Port $(port ns2) tag=20"),
    Case(
      id: "vlan-tagged", fault: "ovs-vsctl set Port $(port ns1) vlan_mode=access tag=10"),
    Case(id: "isolated", network: "isolated", fault: "true"),
    Case(
      id: "secure-without-flows",
      fault: "ovs-vsctl set-fail-mode OVS-1 secure; ovs-ofctl del-flows OVS-1"),
    Case(
      id: "flow-drop", fault: "ovs-ofctl add-flow OVS-1 priority=100,icmp,actions=drop"),
    Case(
      // Taken away, the flow leaves that nothing listens there.
      id: "flow-drop", fault: "ovs-ofctl add-flow OVS-1 priority=100,udp,actions=drop",
      question: "ns1 ns2 9/udp", proof: nil),
    Case(
      id: "mirror-output",
      fault: """
        ovs-vsctl -- --id=@p get Port $(port ns2) -- --id=@m create Mirror name=m select_all=true \
          output_port=@p -- set Bridge OVS-1 mirrors=@m
        """),
    Case(
      id: "stp", fault: "ovs-vsctl set Bridge OVS-1 stp_enable=true; sleep 1"),
    Case(
      id: "port-no-receive", fault: "ovs-ofctl mod-port OVS-1 $(port ns1) no-receive"),
    Case(
      id: "tx-checksum", fault: "in_ns ns1 ethtool -K eth0 tx on"),
    Case(id: "mtu", fault: "in_ns ns2 ip link set eth0 mtu 1400"),
    Case(id: "link-down", fault: "in_ns ns2 ip link set eth0 down"),
    Case(id: "host-end-down", fault: "ip link set $(port ns2) down"),
    Case(id: "address-missing", fault: "in_ns ns2 ip address flush dev eth0"),
    Case(
      id: "duplicate-address",
      fault: "in_ns ns3 ip address add $b/24 dev eth0"),
    Case(
      id: "duplicate-mac", fault: "in_ns ns2 ip link set eth0 address $(mac ns1)"),
    Case(
      id: "neighbour-wrong",
      fault: "in_ns ns1 ip neigh replace $b lladdr 02:00:00:00:00:99 dev eth0 nud permanent"),
    Case(id: "no-route", fault: "in_ns ns1 ip route flush dev eth0"),
    Case(
      id: "rp-filter",
      fault: """
        in_ns ns2 ip link add d0 type veth peer name d1; in_ns ns2 ip link set d1 up
        in_ns ns2 ip link set d0 up; in_ns ns2 ip address add 192.168.0.9/25 dev d0
        in_ns ns2 sysctl -qw net.ipv4.conf.eth0.rp_filter=1
        """),
    Case(
      id: "firewall-input", fault: "in_ns ns2 iptables -A INPUT -p icmp -j DROP"),
    Case(
      id: "no-listener", fault: "true", question: "ns1 ns2 80/tcp", proof: nil),
    Case(
      id: "loopback-listener", fault: "in_ns ns2 busybox httpd -p 127.0.0.1:80; sleep 0.5",
      question: "ns1 ns2 80/tcp", proof: nil),
    Case(
      id: "link-missing", fault: "ip link del $(port ns2)",
      // It is attached again, and gets another address.
      proof: "in_ns ns1 ping -c1 -W2 $(address ns2)"),
    Case(
      id: "stale-port",
      fault: """
        p=$(port ns2); ip link set $p down; ip link set $p name other; ip link set other up
        """,
      proof: "in_ns ns1 ping -c1 -W2 $(address ns2)"),
    Case(
      id: "stale-sandbox", fault: "ip netns del ns2; sleep 0.5", proof: nil),
    Case(
      id: "wrong-gateway", network: "routed",
      fault: "outside; in_ns ns1 ip route replace default via 10.10.0.99",
      question: "ns1 203.0.113.9", proof: "in_ns ns1 ping -c1 -W2 203.0.113.9"),
    Case(
      id: "gateway-lost", network: "routed", fault: "outside; ip address flush dev OVS-1.10",
      question: "ns1 203.0.113.9", proof: "in_ns ns1 ping -c1 -W2 203.0.113.9"),
    Case(
      id: "no-forwarding", network: "routed", fault: "outside; sysctl -qw net.ipv4.ip_forward=0",
      question: "ns1 203.0.113.9", proof: "in_ns ns1 ping -c1 -W2 203.0.113.9"),
    Case(
      id: "firewall-forward", network: "routed", fault: "outside; iptables -P FORWARD DROP",
      question: "ns1 203.0.113.9", proof: "in_ns ns1 ping -c1 -W2 203.0.113.9"),
    Case(
      // The tap is made again, without addresses.
      id: "gateway-lost", network: "routed",
      fault: """
        outside; ovs-appctl exit --cleanup
        until ovs-vswitchd unix:/run/openvswitch/db.sock -vconsole:off --pidfile --no-chdir --detach \
          --log-file=$PWD/log; do sleep 0.1; done
        """,
      question: "ns1 203.0.113.9", proof: "in_ns ns1 ping -c1 -W2 203.0.113.9"),
    Case(
      // What a controller does against forged addresses.
      id: "flow-drop",
      fault: """
        for match in ip,nw_src=192.168.0.2 arp,arp_spa=192.168.0.2; do
          ovs-ofctl add-flow OVS-1 priority=100,in_port=$(port ns1),$match,actions=NORMAL
        done
        ovs-ofctl add-flow OVS-1 priority=90,in_port=$(port ns1),actions=drop
        in_ns ns1 ip address add 192.168.0.77/24 dev eth0
        in_ns ns1 ip route replace 192.168.0.0/24 dev eth0 src 192.168.0.77
        """),
    Case(
      id: "no-flow",
      fault: """
        ovs-ofctl add-flow OVS-1 'table=0,priority=50,ip,ct_state=-trk,actions=ct(table=1)'
        ovs-ofctl add-flow OVS-1 'table=1,priority=50,ip,ct_state=+trk+est,actions=NORMAL'
        """),
    Case(
      id: "ovsdb-dead",
      fault: """
        kill $(cat /run/openvswitch/ovsdb-server.pid)
        while ovs-vsctl --timeout=5 --no-wait show; do sleep 0.1; done
        """, proof: nil),
    Case(
      id: "vswitchd-dead", fault: "kill -9 $(cat /run/openvswitch/ovs-vswitchd.pid); sleep 0.3",
      proof: nil),
  ]

  /// In a directory that the playground can see: it has a /run of its own.
  static let prelude = """
    d=$(mktemp -d) && trap 'rm -rf "$d"' EXIT && cd "$d" || exit 3
    export NETCONFPATH=$PWD/net.d; mkdir -p $NETCONFPATH; export CNI_PATH=$BIN
    net() { printf '{"cniVersion":"1.0.0","name":"%s","plugins":[{"type":"ovs-bridge","bridge":"OVS-1",%s}]}' \
      "$1" "$2" >$NETCONFPATH/$1.conflist; }
    ranges() { printf '"ipam":{"type":"host-local","dataDir":"'$PWD'/leases","ranges":[[{"subnet":"%s"}]]}' "$1"; }
    net plain "$(ranges 192.168.0.0/24)"
    net ten "\\"vlan\\":10,$(ranges 192.168.7.0/24)"
    net six "$(ranges fd00:6::/64)"
    net wire '"mtu":1500'
    net guarded "\\"guard\\":true,$(ranges 192.168.9.0/24)"
    net dual "\\"vlan\\":11,\\"isGateway\\":true,\\"ipam\\":{\\"type\\":\\"host-local\\",\\"dataDir\\":\\"$PWD/leases\\",\\"ranges\\":[[{\\"subnet\\":\\"10.11.0.0/24\\"}],[{\\"subnet\\":\\"fd00:11::/64\\"}]]}"
    net isolated "\\"portIsolation\\":true,$(ranges 192.168.8.0/24)"
    net routed "\\"vlan\\":10,\\"forward\\":\\"leave\\",\\"isDefaultGateway\\":true,\\"ipMasq\\":true,$(ranges 10.10.0.0/24)"
    patchbay() { $BIN/patchbay "$@"; }
    in_ns() { ip netns exec "$@"; }
    port() { ovs-vsctl --bare --columns=name find port external_ids:sandbox=/run/netns/$1; }
    mac() { in_ns $1 cat /sys/class/net/eth0/address; }
    outside() {
      ip netns add up; ip link add up0 type veth peer name e0 netns up
      ip address add 203.0.113.1/24 dev up0; ip link set up0 up; ip -n up link set e0 up
      ip -n up address add 203.0.113.9/24 dev e0; ip -n up route add default via 203.0.113.1
    }
    patchbay netns add ns1 ns2 ns3 >/dev/null
    for n in ns1 ns2 ns3; do patchbay add --cache-dir $PWD/cni $NETWORK $n >/dev/null || exit 3; done
    address() { in_ns $1 ip -o address show dev eth0 scope global | awk '{split($4,a,"/"); print a[1]}'; }
    b=$(address ns2)

    """

  @Test(
    "a fault is named with its cause, and the command that is printed mends it", arguments: cases)
  func mended(_ scene: Case) throws {
    let script =
      Self.prelude + "{ \(scene.fault)\n} >/dev/null 2>&1" + """

        patchbay trace \(scene.question) --json >before.json; status=$?
        jq -r .cause.id before.json; echo $status
        jq -r '.cause.remedy // "true"' before.json >remedy
        \(scene.proof == nil
          ? "exit 0"
          : "PATH=$BIN:$PATH bash ./remedy >remedy.out 2>&1 || cat remedy remedy.out")
        for i in 1 2 3; do
          \(scene.proof ?? "true") >/dev/null && echo arrives && break
          sleep 0.3
        done
        patchbay trace \(scene.question) --json >after.json
        jq -r '.verdict, .cause.id' after.json
        """
    let output = try Patchbay.play(
      script,
      environment: [
        "BIN": Plugin.directory, "NETWORK": scene.network,
      ])
    let lines = output.stdout.split(separator: "\n").map(String.init)
    #expect(lines.prefix(2) == [scene.id, "1"], "\(output)")
    guard scene.proof != nil else { return }
    #expect(lines.dropFirst(2).first == "arrives", "\(output)")
    #expect(
      lines.last == "null" && ["clear", "doubt"].contains(lines.dropLast().last), "\(output)")
  }

  @Test("what is well is clear, and asking changes no table and no counter")
  func clear() throws {
    let script =
      Self.prelude + """
        tables() {
          ovs-appctl fdb/show OVS-1 | awk '{print $1,$2,$3}'
          for n in ns1 ns2; do in_ns $n ip neigh | awk '{print $1,$3,$5}'; done
          ovs-ofctl dump-flows OVS-1 | sed 's/[a-z_]*age=[^,]*,//;s/duration=[^,]*,//;s/ cookie=[^,]*,//'
        }
        ask() {
          for q in "ns1 ns2" "ns2 ns1" "ns1 $b" "$(port ns1) ns2" "ns1 ns2 53/udp"; do
            patchbay trace $q --json | jq -r '.verdict'
          done
        }
        in_ns ns1 ping -c1 -W2 $b >/dev/null
        # The kernel's own multicast may come between; what trace did would be there each time.
        for i in 1 2 3 4 5 6 7 8 9; do
          tables >1; ask >verdicts; tables >2
          cmp -s 1 2 && break
          sleep 1
        done
        cat verdicts; cmp 1 2 && echo unchanged
        """
    let output = try Patchbay.play(
      script,
      environment: [
        "BIN": Plugin.directory, "NETWORK": "plain",
      ])
    #expect(
      output.stdout.split(separator: "\n")
        == ["clear", "clear", "clear", "clear", "blocked", "unchanged"], "\(output)")
  }

  @Test("doctor finds nothing on a host that is well, and each of several faults")
  func doctor() throws {
    let script =
      Self.prelude + """
        # On a busy machine a packet may be lost on the way to ovs-vswitchd, which doctor says.
        ask() {
          patchbay doctor --cache-dir $PWD/cni --json >d; echo $?
          jq -r '.groups[].checks[] | select(.status == "fault" or .status == "doubt") |
            select(.id != "lost-upcalls") | .id + " " + .remedy' d | sort
        }
        ask
        in_ns ns1 ethtool -K eth0 tx on >/dev/null; ip link set $(port ns2) down
        ip address add 192.0.2.7/32 dev $(port ns3)
        ask | cut -d ' ' -f 1
        ip link set $(port ns2) up; ip address del 192.0.2.7/32 dev $(port ns3)
        in_ns ns1 ethtool -K eth0 tx off >/dev/null; in_ns ns2 ip link set eth0 mtu 1400
        # A network whose bridge is not there, and must be.
        printf '{"cniVersion":"1.1.0","name":"nowhere","plugins":[%s]}' \
          '{"type":"ovs-bridge","bridge":"none","createBridge":false}' >$NETCONFPATH/none.conflist
        ask
        """
    let output = try Patchbay.play(
      script,
      environment: [
        "BIN": Plugin.directory, "NETWORK": "plain",
      ])
    #expect(
      output.stdout.split(separator: "\n") == [
        "0", "1", "address-on-port", "host-end-down", "tx-checksum", "1",
        "mtu nsenter --net=/run/netns/ns1 ip link set eth0 mtu 1400",
        "status patchbay status nowhere",
      ], "\(output)")
  }

  @Test("doctor sees what the host takes from containers, and repair closes it")
  func openHost() throws {
    let script =
      Self.prelude + """
        ask() {
          patchbay doctor --cache-dir $PWD/cni --json |
            jq -r '.groups[].checks[] | select(.status == "fault") | .id + " " + .remedy'
        }
        ask
        nft delete table inet patchbay_host_ends
        sysctl -qw net.ipv6.conf.OVS-1/10.accept_ra=1
        ask
        patchbay repair routed >/dev/null
        ask
        echo closed
        """
    let output = try Patchbay.play(
      script, environment: ["BIN": Plugin.directory, "NETWORK": "routed"])
    #expect(
      output.stdout.split(separator: "\n") == [
        "host-ends-open patchbay repair routed", "gateway-open patchbay repair routed", "closed",
      ], "\(output)")
  }
}
