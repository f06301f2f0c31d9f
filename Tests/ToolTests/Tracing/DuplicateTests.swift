import TestSupport
import Testing

@testable import patchbay

@Suite("trace, of an address that another host has", .privateHost)
struct DuplicateTests {
  @Test("an address that was found to be another's is named, and the command takes it back")
  func detected() throws {
    let script =
      TraceTests.prelude + """
        # A neighbour by hand, of whom Open vSwitch knows the port alone.
        ip netns add twin; ip link add tw0 type veth peer name eth0 netns twin
        ip link set tw0 up; ip -n twin link set eth0 up
        ip -n twin address add $b/64 dev eth0 nodad
        ovs-vsctl add-port OVS-1 tw0
        until in_ns twin ping -6 -c1 -W1 $(address ns3) >/dev/null; do sleep 0.2; done
        in_ns ns2 ip address del $b/64 dev eth0; in_ns ns2 ip address add $b/64 dev eth0
        until in_ns ns2 ip -6 address show dev eth0 dadfailed | grep -q "$b"; do sleep 0.1; done
        patchbay trace ns1 ns2 -6 --json >before.json; echo $?
        jq -r '.cause.id, .cause.text' before.json
        jq -r .cause.remedy before.json >remedy
        ovs-vsctl del-port tw0; ip netns del twin
        PATH=$BIN:$PATH bash ./remedy
        until in_ns ns1 ping -6 -c1 -W1 $b >/dev/null; do sleep 0.2; done
        patchbay trace ns1 ns2 -6 --json | jq -r .verdict
        """
    let output = try Patchbay.play(
      script, environment: ["BIN": Plugin.directory, "NETWORK": "six"])
    let lines = output.stdout.split(separator: "\n").map(String.init)
    #expect(
      lines == [
        "1", "dad-failed",
        "Another host has the address fd00:6::3 of ns2, so it is not used; once that host has given "
          + "it up:", "clear",
      ], "\(output)")
  }
}
