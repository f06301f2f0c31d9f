import TestSupport
import Testing

@testable import patchbay

/// What people break on a host. `doctor` names it, its command is run, and then `doctor` and `show`
/// find nothing.
@Suite("doctor, on a host with something broken", .privateHost)
struct DoctorMendTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let id: String
    var network = "plain"
    /// What breaks it, in bash.
    let fault: String
    /// What else is found, for the same reason.
    var others: [String] = []
    var testDescription: String { "\(id): \(fault)" }
  }

  static let cases: [Case] = [
    Case(id: "guard-gone", network: "guarded", fault: "ip link set $(port ns2) xdp off"),
    Case(
      id: "gateway-lost", network: "routed",
      fault: "ovs-vsctl del-port OVS-1.10; until ! ip link show OVS-1.10; do sleep 0.1; done"),
    Case(
      id: "gateway-lost", network: "routed",
      fault: "ip link del OVS-1.10; until ! ip link show OVS-1.10; do sleep 0.1; done"),
    Case(
      id: "gateway-lost", network: "dual", fault: "ip address del fd00:11::1/64 dev OVS-1.11"),
    Case(id: "link-without-port", fault: "ovs-vsctl del-port $(port ns2)"),
    Case(
      id: "link-missing",
      fault: """
        in_ns ns2 ip link set eth0 down; in_ns ns2 ip link set eth0 name eth9
        in_ns ns2 ip link set eth9 up
        """),
    Case(id: "lease-missing", fault: "rm leases/plain/$(address ns2)"),
    Case(
      id: "duplicate-address",
      fault: """
        in_ns ns2 ip address flush dev eth0; in_ns ns2 ip address add $(address ns1)/24 dev eth0
        """, others: ["address-missing"]),
    Case(id: "host-ends-open", fault: "nft flush ruleset"),
  ]

  @Test("is named, and the command mends it", arguments: cases)
  func mended(_ broken: Case) throws {
    let script =
      DoctorTests.prelude + """
        { \(broken.fault)
        } >/dev/null 2>&1
        ask | sed 's/ .*//' | sort -u
        text \(broken.id) | sed "s/veth[a-z0-9]*/PORT/g; s/cnitool-[a-z0-9]*/ID/g"
        jq -r '.groups[].checks[] | select(.status == "fault") | .remedy' d >remedies
        PATH=$BIN:$PATH bash ./remedies >out 2>&1 || cat remedies out
        ask
        patchbay show --json | jq -r '.problems[], (.bridges[].ports[].problems[])'
        """
    let output = try Patchbay.play(
      script, environment: ["BIN": Plugin.directory, "NETWORK": broken.network])
    var lines = output.stdout.split(separator: "\n").map(String.init)
    let found = lines.firstIndex { $0.hasPrefix("text ") }
    if let found {
      let words = lines.remove(at: found).split(separator: " ", maxSplits: 2).map(String.init)
      try Messages.expect(
        words[2], of: "patchbay", on: "doctor: \(broken.id), after \(broken.summary)")
    }
    #expect(found != nil && lines == (broken.others + [broken.id]).sorted(), "\(output)")
  }

  @Test("trace says of a container without a port what doctor does")
  func portless() throws {
    let output = try Patchbay.play(
      DoctorTests.prelude + """
        ovs-vsctl del-port $(port ns2)
        for words in "ns1 ns2" "ns2 ns1" "/run/netns/ns2 ns1"; do
          patchbay trace $words --json | jq -r '.cause.id, .cause.remedy'
        done
        patchbay trace ns1 ns2 2>&1; echo $?
        """, environment: ["BIN": Plugin.directory, "NETWORK": "plain"])
    let remedy = "patchbay del plain /run/netns/ns2 && patchbay add plain /run/netns/ns2"
    let lines = output.stdout.split(separator: "\n").map(String.init)
    let ids = ["link-without-port", remedy]
    #expect(Array(lines.prefix(6)) == ids + ids + ids, "\(output)")
    #expect(Array(lines.suffix(2)) == [remedy, "1"], "\(output)")
  }

  @Test("what is left of a network without configuration and results is freed by gc and del")
  func forgotten() throws {
    let output = try Patchbay.play(
      DoctorTests.prelude + """
        rm -r $NETCONFPATH/plain.conflist cni/results; ip netns del ns1; ip netns del ns3
        until [ $(patchbay show --json | grep -c 'is gone"') = 2 ]; do sleep 0.2; done
        ask | sort -u | sed 's/ .*//' | sort -u
        patchbay gc plain | sort; ask
        patchbay del plain ns2 2>/dev/null && patchbay show --json | jq '.bridges[0].ports | length'
        ls leases/plain | grep -c 192
        patchbay del plain ns2 2>&1; patchbay gc
        """, environment: ["BIN": Plugin.directory, "NETWORK": "plain"])
    var lines = output.stdout.split(separator: "\n").map(String.init)
    let unknown = lines.firstIndex { $0.hasPrefix("no net configuration with name") }
    if let unknown { lines.remove(at: unknown) }
    #expect(
      unknown != nil
        && lines == [
          "stale-sandbox", "removed cnitool-ce857576e56ceb27dc98/eth0  /run/netns/ns3 is gone",
          "removed cnitool-ed499399ac115ce80a78/eth0  /run/netns/ns1 is gone", "1", "0",
        ], "\(output)")
  }

  @Test("repair without a network puts back what all networks lost")
  func everything() throws {
    let output = try Patchbay.play(
      DoctorTests.prelude + """
        patchbay netns add ns4; patchbay add --cache-dir $PWD/cni guarded ns4 >/dev/null
        nft flush ruleset; ip address flush dev OVS-1.10; ip link set $(port ns4) xdp off
        patchbay repair --cache-dir $PWD/cni | sed 's/cnitool-[a-z0-9]*/ID/' | sort -u
        ask
        """, environment: ["BIN": Plugin.directory, "NETWORK": "routed"])
    #expect(
      output.stdout.split(separator: "\n") == [
        "put back address 10.10.0.1/24 on OVS-1.10", "put back masquerading of ID/eth0",
        "put back the guard of ID/eth0", "put back the rule that closes host ends to the host",
      ], "\(output)")
  }

  @Test("doctor does not ask each network whether it is ready while ovs-vswitchd is silent")
  func silent() throws {
    let output = try Patchbay.play(
      DoctorTests.prelude + """
        kill -STOP $(cat /run/openvswitch/ovs-vswitchd.pid)
        SECONDS=0
        ask
        [ $SECONDS -lt 9 ] && echo soon
        kill -CONT $(cat /run/openvswitch/ovs-vswitchd.pid)
        """, environment: ["BIN": Plugin.directory, "NETWORK": "plain"])
    #expect(
      output.stdout.split(separator: "\n") == ["vswitchd-dead Open vSwitch", "soon"], "\(output)")
  }
}

extension DoctorMendTests.Case {
  /// The first command of the fault.
  fileprivate var summary: String {
    String(fault.prefix { $0 != ";" && $0 != "\n" })
  }
}
