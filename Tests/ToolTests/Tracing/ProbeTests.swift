import TestSupport
import Testing

@testable import patchbay

@Suite("trace --probe", .privateHost)
struct ProbeTests {
  @Test("says where a packet was seen last, of faults that nothing else shows")
  func probe() throws {
    let script =
      TraceTests.prelude + """
        probe() {
          patchbay trace ns1 ns2 --probe --json | jq -r '.verdict + " " + (.cause.id // "-")'
          patchbay trace ns1 ns2 --probe --brief | tr '\\n' ' ' | grep -o "$1"
        }
        probe 'icmp is answered'
        in_ns ns2 sysctl -qw net.ipv4.conf.all.arp_ignore=8; in_ns ns1 ip neigh flush all
        probe 'the question for the MAC address is seen at ns2 eth0 last'
        in_ns ns2 sysctl -qw net.ipv4.conf.all.arp_ignore=0; in_ns ns1 ip neigh flush all
        in_ns ns1 tc qdisc add dev eth0 root tbf rate 8bit burst 10 latency 1ms
        probe 'is not answered'
        in_ns ns1 tc qdisc del dev eth0 root
        probe 'icmp is answered'
        in_ns ns2 iptables -A INPUT -p icmp -m statistic --mode nth --every 1 --packet 0 -j DROP
        patchbay trace ns1 ns2 --json | jq -r '.verdict, (.checks[] | select(.status == "doubt") | .id)'
        probe 'Meanwhile rule 1 of nft ip filter INPUT in ns2 counted 1'
        patchbay trace ns1 ns2 --probe --json | jq -r .probe.rule.remedy >remedy
        bash ./remedy
        probe 'icmp is answered'
        in_ns ns2 nft add table netdev x
        in_ns ns2 nft 'add chain netdev x i { type filter hook ingress device eth0 priority 0; policy drop; }'
        probe 'answer within 1 s'
        patchbay trace ns1 ns2 --json | jq -r '.checks[] | select(.status == "doubt") | .id' |
          grep ingress-chain
        """
    let output = try Patchbay.play(
      script, environment: ["BIN": Plugin.directory, "NETWORK": "plain"])
    #expect(
      output.stdout.split(separator: "\n") == [
        "answered -", "icmp is answered", "silent -",
        "the question for the MAC address is seen at ns2 eth0 last",
        "silent -", "is not answered",
        "answered -", "icmp is answered",
        "doubt", "firewall-input",
        "silent -", "Meanwhile rule 1 of nft ip filter INPUT in ns2 counted 1",
        "answered -", "icmp is answered",
        "silent -", "answer within 1 s", "ingress-chain",
      ], "\(output)")
  }
}
