import TestSupport
import Testing

/// `gc` with the plugins of this project: what it frees, and what it leaves.
@Suite("gc", .privateHost) struct CollectionTests {
  /// Functions of the scripts: networks of this version, and what is there of one.
  private static func prelude(_ version: String) -> String {
    """
    mkdir -p /run/net.d; export NETCONFPATH=/run/net.d
    network() { # network NAME SUBNET MORE
      printf '{"cniVersion":"\(version)","name":"%s"%s,"plugins":[{"type":"ovs-bridge","bridge":"b",
        "ipam":{"type":"host-local","ranges":[[{"subnet":"%s"}]]}}]}' "$1" "${3:-}" "$2" \\
        >/run/net.d/$1.conflist
    }
    ports() { ovs-vsctl --bare --columns=name find Port external_ids:network=$1 | grep -c veth; }
    leases() { ls /var/lib/cni/networks/$1 2>/dev/null | grep -c '^10'; }
    state() { echo "ports $(ports $1) leases $(leases $1)"; }
    forget() { rm -f /var/lib/cni/results/$1-*; }
    network n 10.1.0.0/24

    """
  }
  private func play(at version: String = "1.0.0", _ script: String) throws -> Output {
    try Patchbay.play(Self.prelude(version) + script)
  }

  @Test(
    "frees what has no sandbox from rows and leases, at every version, though no result is kept",
    arguments: ["0.3.1", "0.4.0", "1.0.0", "1.1.0"])
  func rows(version: String) throws {
    let output = try play(
      at: version,
      """
      network other 10.2.0.0/24
      patchbay netns add gone stays >/dev/null
      for name in gone stays; do patchbay add n $name --container-id $name >/dev/null; done
      patchbay add other gone --container-id theirs -i eth1 >/dev/null
      forget n; forget other; ip netns delete gone
      patchbay gc n -n; state n
      patchbay gc n; echo $?; state n; state other
      patchbay gc n; echo $?
      """)
    #expect(
      output.stdout == """
        would remove gone/eth0  /run/netns/gone is gone
        ports 2 leases 2
        removed gone/eth0  /run/netns/gone is gone
        0
        ports 1 leases 1
        ports 1 leases 1
        0

        """, "\(output)")
  }

  @Test("frees what is not valid, also of rows, at versions before GC")
  func invalid() throws {
    let output = try play(
      """
      patchbay netns add a b >/dev/null
      for name in a b; do patchbay add n $name --container-id $name >/dev/null; done
      forget n
      patchbay gc n --valid a/eth0 2>/dev/null; echo $?; state n
      patchbay gc n --none-valid 2>/dev/null; state n
      """)
    #expect(
      output.stdout == """
        removed b/eth0
        0
        ports 1 leases 1
        removed a/eth0
        ports 0 leases 0

        """, "\(output)")
  }

  @Test("leaves a sandbox whose name is gone while a process is in it")
  func unnamed() throws {
    let output = try play(
      """
      patchbay netns add a >/dev/null
      patchbay add n a --container-id c >/dev/null
      ip netns exec a sleep 60 & holder=$!
      until grep -q sleep /proc/$holder/comm; do sleep 0.05; done
      ip netns delete a
      patchbay gc n; state n
      kill $holder; wait $holder
      patchbay gc n; state n
      """)
    #expect(
      output.stdout == """
        ports 1 leases 1
        removed c/eth0  /run/netns/a is gone
        ports 0 leases 0

        """, "\(output)")
  }

  @Test("frees leases without a port, once ADD cannot be at work on them any more")
  func leases() throws {
    let output = try play(
      """
      mkdir -p /var/lib/cni/networks/n; cd /var/lib/cni/networks/n
      printf 'new\\r\\neth0' >10.1.0.8
      printf 'old\\r\\neth0' >10.1.0.9; touch -d '-5 minutes' 10.1.0.9
      patchbay gc n; state n; ls
      """)
    #expect(
      output.stdout.hasPrefix(
        """
        removed old/eth0  10.1.0.9 is leased, and there is no port
        ports 0 leases 1
        10.1.0.8

        """), "\(output)")
  }

  @Test("treats namespaces that nothing uses as gone only on request, and lists them first")
  func unusedNamespaces() throws {
    let output = try play(
      """
      patchbay netns add idle used >/dev/null
      for name in idle used; do patchbay add n $name --container-id $name >/dev/null; done
      ip netns exec used sleep 60 & holder=$!
      until grep -q sleep /proc/$holder/comm; do sleep 0.05; done
      patchbay gc n; state n
      patchbay gc n --unused-namespaces -n; state n
      patchbay gc n --unused-namespaces; state n; patchbay netns list
      ip -netns idle link show eth0 2>/dev/null
      kill $holder
      """)
    #expect(
      output.stdout == """
        ports 2 leases 2
        would remove idle/eth0  nothing uses /run/netns/idle
        ports 2 leases 2
        unused idle/eth0  nothing uses /run/netns/idle
        removed idle/eth0  nothing uses /run/netns/idle
        ports 1 leases 1
        idle
        used

        """, "\(output)")
  }

  @Test("ends with 1 where something could not be freed, and frees the rest")
  func failures() throws {
    let output = try play(
      """
      patchbay netns add a >/dev/null
      patchbay add n a --container-id c >/dev/null
      ip netns delete a
      mv /run/openvswitch/db.sock /run/aside
      patchbay gc n; echo $?
      mv /run/aside /run/openvswitch/db.sock
      patchbay gc n; echo $?; state n
      """)
    #expect(
      output.stdout.hasSuffix(
        """
        1
        removed c/eth0  /run/netns/a is gone
        0
        ports 0 leases 0

        """), "\(output)")
    let start = output.stderr.firstRange(of: "\nstart Open vSwitch: ")?.lowerBound
    try Messages.expect(
      String(output.stderr[..<(start ?? output.stderr.endIndex)]), of: "patchbay",
      on: "patchbay gc n, ovsdb-server is not there")
  }

  @Test("of two runtimes that share a list, neither frees what the other attached")
  func shared() throws {
    let output = try play(
      at: "1.1.0",
      """
      network n 10.1.0.0/24 ',"disableGC":true'
      patchbay netns add a b >/dev/null
      patchbay add n a --container-id a --cache-dir /run/one >/dev/null
      patchbay add n b --container-id b --cache-dir /run/two >/dev/null
      patchbay gc n --valid a/eth0 --cache-dir /run/one; echo $?
      patchbay gc n --none-valid --cache-dir /run/two; echo $?
      patchbay gc n --cache-dir /run/one; echo $?; state n
      # What has no sandbox is freed, whichever of them attached it.
      ip netns delete b
      patchbay gc n --cache-dir /run/one; state n
      """)
    #expect(
      output.stdout == """
        0
        0
        0
        ports 2 leases 2
        removed b/eth0  /run/netns/b is gone
        ports 1 leases 1

        """, "\(output)")
    let line = """
      nothing was done: the list has "disableGC"; without --valid, gc frees what has no sandbox

      """
    #expect(output.stderr == line + line)
  }
}
