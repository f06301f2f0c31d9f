import TestSupport
import Testing

@testable import patchbay

@Suite("trace, of what is asked", .privateHost)
struct QuestionTests {
  @Test("a word that is no port is a wrong command line", arguments: ["99999/tcp", "80/sctp", "0"])
  func usage(_ word: String) throws {
    let output = try Patchbay.run("trace", "ns1", "ns2", word)
    #expect(output.status == 2)
    try Messages.expect(
      Patchbay.withoutUsage(output.stderr), of: "patchbay", on: "patchbay trace ns1 ns2 \(word)")
  }

  @Test("an answer is not said to be known where a controller or another router has it")
  func doubts() throws {
    let script =
      TraceTests.prelude + """
        ask() {
          patchbay trace "$@" --json | jq -r '.verdict, (.checks[] | select(.status == "doubt") |
            .id + ": " + .text)'
        }
        ovs-ofctl add-flow OVS-1 priority=100,icmp,actions=controller
        ask ns1 ns2
        ovs-ofctl del-flows OVS-1 icmp
        ovs-vsctl set Port $(port ns1) vlan_mode=trunk tag=7
        ask ns1 ns2 | sed 's/veth[a-z0-9]*/PORT/'
        ovs-vsctl clear Port $(port ns1) vlan_mode tag
        given=$(mac ns2); in_ns ns2 ip link set eth0 address 02:00:00:00:00:99
        ask ns1 ns2
        in_ns ns2 ip link set eth0 address $given
        nft "table netdev t { chain c { type filter hook ingress device $(port ns1) priority 0; }; }"
        ask ns1 ns2 | sed 's/veth[a-z0-9]*/PORT/'
        net bare "\\"vlan\\":10,\\"isDefaultGateway\\":true,$(ranges 10.20.0.0/24)"
        patchbay netns add ns4 >/dev/null; patchbay add --cache-dir $PWD/cni bare ns4 >/dev/null
        outside
        ask ns4 203.0.113.9
        # By a rule of another's it is answered.
        nft add table ip x
        nft 'add chain ip x p { type nat hook postrouting priority srcnat; }'
        nft add rule ip x p ip saddr 10.20.0.0/24 masquerade
        ask ns4 203.0.113.9
        """
    let output = try Patchbay.play(
      script, environment: ["BIN": Plugin.directory, "NETWORK": "plain"])
    var lines: [String] = []
    for line in output.stdout.split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":") else {
        lines.append(String(line))
        continue
      }
      lines.append(String(line[..<colon]))
      try Messages.expect(
        String(line[line.index(colon, offsetBy: 2)...]), of: "patchbay",
        on: "trace: \(line[..<colon])")
    }
    #expect(
      lines == [
        "doubt", "controller", "doubt", "vlan-ignored", "doubt", "mac-changed", "doubt",
        "ingress-chain", "doubt", "no-masquerade", "clear",
      ], "\(output)")
  }

  @Test("names are words of the commands that are printed, whatever is in them")
  func names() throws {
    let script =
      TraceTests.prelude + """
        name="it's \\$(x);a b"
        ip netns add "$name"; patchbay add --cache-dir $PWD/cni plain "$name" >/dev/null
        in_ns "$name" ip link set eth0 down
        patchbay trace ns1 "$name" --json >t; jq -r .cause.id t; jq -r .cause.remedy t >remedy
        bash ./remedy; patchbay trace ns1 "$name" --json | jq -r .verdict
        patchbay trace ns1 "$name" | tail -n 1 >remedy; PATH=$BIN:$PATH bash ./remedy | tail -n 1
        patchbay trace ns1 ns1; echo $?; patchbay trace ns1 $(address ns1) 2>/dev/null; echo $?
        """
    let output = try Patchbay.play(
      script, environment: ["BIN": Plugin.directory, "NETWORK": "plain"])
    #expect(
      output.stdout.split(separator: "\n") == [
        "link-down", "clear", "icmp is answered.", "1", "1",
      ], "\(output)")
    try Messages.expect(output.stderr, of: "patchbay", on: "patchbay trace ns1 ns1")
  }
}
