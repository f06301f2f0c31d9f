import TestSupport
import Testing

/// What commands do that are given no network: the same for each.
@Suite("commands without a network", .privateHost)
struct EveryNetworkTests {
  @Test("are about each network of the directory, and one that fails does not stop the others")
  func each() throws {
    let script = """
      export NETCONFPATH=$(mktemp -d) && trap 'rm -rf "$NETCONFPATH"' EXIT
      for n in 1 2; do
        patchbay network new net$n --bridge OVS-1 --vlan $n --subnet 10.$n.0.0/24 >/dev/null
        patchbay netns add ns$n
      done
      patchbay add net1 ns1 >/dev/null; patchbay add net2 ns2 >/dev/null
      echo "check $(patchbay check) $?"
      patchbay check --json | jq -c '.attachments | map([.network, .ok])'
      patchbay status | sed 's/ is ready.*//'
      patchbay status --json | jq -c '.networks | map([.network, .ready])'
      patchbay leases --json | jq -c '.networks | map([.network, .leases[0].address])'
      patchbay leases | grep ^network
      patchbay show --network net2 | grep -c ═══
      patchbay show --container ns1 2>&1 | head -1
      patchbay show --exit-status >/dev/null; echo "show $?"
      ip link set $(ovs-vsctl --bare --columns=name find port external_ids:sandbox=/run/netns/ns1) down
      patchbay show >/dev/null; echo "show $?"
      patchbay show --exit-status >/dev/null; echo "show $?"
      # A result whose configuration cannot be read, of a network that is gone.
      sed -i 's/"config": *"[^"]*"/"config":"e30="/' /var/lib/cni/results/net2-*
      mv $NETCONFPATH/net2.conflist kept
      patchbay check --json | jq -c '.attachments | map([.network, .interface, .ok, .error != null])'
      mv kept $NETCONFPATH/net2.conflist
      echo '{' >$NETCONFPATH/00.conflist
      patchbay netns del ns2
      while patchbay show | grep -q 'ns2$'; do
        [ -e /sys/class/net/$(ovs-vsctl --bare --columns=name find port \\
          external_ids:sandbox=/run/netns/ns2) ] || break
        sleep 0.1
      done
      patchbay gc >freed 2>failed; echo "gc $?"
      cut -d ' ' -f 3-4 freed; grep -c 00.conflist failed
      rm freed failed
      """
    let output = try Patchbay.play("cd $(mktemp -d)\n" + script)
    #expect(
      output.stdout.split(separator: "\n") == [
        "check  0", #"[["net1",true],["net2",true]]"#, "network \"net1\"", "network \"net2\"",
        #"[["net1",true],["net2",true]]"#, #"[["net1","10.1.0.2"],["net2","10.2.0.2"]]"#,
        "network net1", "network net2", "1", "there is no such attachment", "show 0", "show 0",
        "show 1", #"[["net1","eth0",false,true],["net2","eth0",false,true]]"#, "gc 1", "on net2",
        "1",
      ], "\(output)")
  }

  @Test("say so where there is no network")
  func none() throws {
    let tool = try Tool()
    try tool.files.write("", to: "net.d/none")
    for command in ["gc", "status", "leases"] {
      let output = try tool.run(command)
      try Messages.expect(
        output.stderr, of: "patchbay", on: "patchbay \(command), without a network")
    }
  }
}
