import TestSupport
import Testing

@testable import patchbay

@Suite("what is printed in columns")
struct TableTests {
  @Test("is as wide as it needs to be, and leaves out what no row has")
  func narrow() {
    var table = Table(["NAME", "VLAN", "STATE"], cutting: ["NAME"], endsInProse: true)
    table.add(["a", "-", "is here"])
    table.add(["long-name", "", "is there"])
    #expect(
      table.text() == """
        NAME       STATE
        a          is here
        long-name  is there
        """)
  }

  @Test("cuts names first, the widest as far as it must")
  func cut() {
    var table = Table(["NAME", "OTHER", "ADDRESS"], cutting: ["NAME", "OTHER"])
    table.add([
      String(repeating: "n", count: 60), "short", "fd00:1111:2222:3333:4444:5555:6666:1/112",
    ])
    let lines = table.text().split(separator: "\n")
    #expect(lines.allSatisfy { $0.count == 80 || $0.hasPrefix("NAME") })
    #expect(lines[1].hasPrefix("nnnn") && lines[1].contains("n…  short  fd00:1111"), "\(lines)")
  }

  @Test("breaks rows where names cannot be cut enough, and drops no cell")
  func broken() {
    var table = Table(["NAME", "IDENTIFIER", "ADDRESS", "PLACE"], shortening: ["IDENTIFIER"])
    let (name, id) = (String(repeating: "n", count: 30), String(repeating: "f", count: 64))
    let address = "fd00:1111:2222:3333:4444:5555:6666:1/112"
    table.add([name, id, address, "here"])
    table.add(["", "", "10.1.0.2/24", ""])
    #expect(
      table.text() == """
        NAME                            IDENTIFIER
            ADDRESS                                   PLACE
        \(name)  ffffffffffff…
            \(address)  here
            10.1.0.2/24
        """)
  }

  @Test("breaks sentences in the last column")
  func prose() {
    var table = Table(["ENDPOINT", "STATE"], endsInProse: true)
    table.add([
      String(repeating: "e", count: 40), "is not reached, for this and that reason of its",
    ])
    #expect(
      table.text() == """
        ENDPOINT                                  STATE
        \(String(repeating: "e", count: 40))  is not reached, for this and that
                                                  reason of its
        """)
  }

  @Test("is whole where that is asked for")
  func whole() {
    var table = Table(["ID", "PLACE"], shortening: ["ID"], cutting: ["PLACE"], isWhole: true)
    let long = String(repeating: "x", count: 99)
    table.add([long, long])
    #expect(table.text().split(separator: "\n")[1] == "\(long)  \(long)")
  }
}

@Suite("what people read", .privateHost)
struct WidthTests {
  @Test("fits 80 columns, whatever the names; --no-trunc has whole ones")
  func names() throws {
    let script = """
      export NETCONFPATH=$(mktemp -d) CNI_PATH=$BIN
      patchbay() { $BIN/patchbay "$@"; }
      id=$(printf 'a%.0s' {1..64}) net=a-network-with-a-name-of-more-than-fifty-letters-in-all
      ns=cni-01234567-89ab-cdef-0123-456789abcdef
      patchbay network new $net --bridge OVS-long-bridg --vlan 4094 --gateway --masquerade \
        --subnet fd00:1111:2222:3333:4444:5555:6666:0/112 --subnet 10.1.0.0/24 >/dev/null
      patchbay netns add $ns two
      patchbay add $net $ns --container-id $id -i interface-of-15 >/dev/null
      patchbay add $net two >/dev/null
      ovs-vsctl add-port OVS-long-bridg t1 -- set Interface t1 type=vxlan \
        options:remote_ip=2001:db8:1111:2222:3333:4444:5555:6666 -- set Port t1 trunks=1,3,5,7,9,11
      for command in list leases "leases $net" show "network list" doctor "trace $ns two" version; do
        patchbay $command | while IFS= read -r line; do
          [ ${#line} -le 80 ] || echo "$command: $line"
        done
      done
      for command in list leases show; do
        patchbay $command --no-trunc | grep -c $id
        patchbay $command | grep -c $id
      done
      rm -r "$NETCONFPATH"
      """
    let output = try Patchbay.play(
      script, environment: ["BIN": Plugin.directory, "LC_ALL": "C.UTF-8"])
    #expect(
      output.stdout.split(separator: "\n") == ["1", "0", "2", "0", "1", "0"], "\(output)")
  }
}
