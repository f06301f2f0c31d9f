import Foundation
import TestSupport
import Testing

extension RuntimeHost {
  /// Goes on as after power was lost: no process and no link is there any more, files are, and it
  /// is another boot.
  func losePower() throws {
    let daemon = "--no-chdir --detach -vconsole:off -vsyslog:off"
    try sh(
      """
      kill -9 $(pgrep -f '^\\[lxc monitor\\]')
      cd /run/openvswitch
      kill -9 $(cat ovs-vswitchd.pid ovsdb-server.pid)
      for link in $(ls /sys/class/net | grep -v '^lo$'); do ip link delete $link || true; done
      cat /proc/sys/kernel/random/uuid >/run/boot
      mount --bind /run/boot /proc/sys/kernel/random/boot_id
      ovsdb-server conf.db --remote=punix:db.sock --pidfile=ovsdb-server.pid \(daemon)
      ovs-vswitchd unix:db.sock --pidfile=ovs-vswitchd.pid \(daemon)
      """)
    try eventually("the bridge is there again") {
      try run(["ip", "link", "show", "OVS-1"]).status == 0
    }
  }
}

extension RuntimeTests {
  @Suite("after power was lost") struct PowerLoss {
    @Test("a container that starts again, and gc, leave nothing of what was")
    func restart() throws {
      let host = try RuntimeHost.clean()
      try host.installHook()
      let containers = try ["web", "db"].map { name in
        try LXCContainer(
          host, name, "lxc.include = /etc/lxc/patchbay/patchbay.conf",
          "lxc.hook.start-host = /etc/lxc/patchbay/hook ovs-1 vlan-10")
      }
      for container in containers { try container.start().checked() }
      try host.losePower()

      let shown = try host.call("patchbay", "show")
      #expect(shown.contains("ovs-vswitchd cannot use interface veth"), "\(shown)")
      let leases = try host.call("patchbay", "leases", "--no-trunc", "ovs-1")
      #expect(leases.components(separatedBy: "from before the machine was started").count == 3)

      try containers[0].start().checked()
      try host.expectAttachments(
        of: "web", ["ovs-1/eth0 192.168.0.3/24", "vlan-10/eth1 10.10.0.4/24 fd00:10::4/64"])
      for network in ["ovs-1", "vlan-10"] {
        let freed = try host.call("patchbay", "gc", network)
        #expect(freed.hasPrefix("removed db/eth") && freed.hasSuffix(" is gone\n"), "\(freed)")
      }
      #expect(try host.call("patchbay", "show").hasSuffix("1 bridge, 3 ports, no problem\n"))
      #expect(try host.call("ls", "/var/lib/cni/results") == "ovs-1-web-eth0\nvlan-10-web-eth1\n")
      try containers[0].kill()
      try host.expectNothingLeft()
      try host.call("umount", "/proc/sys/kernel/random/boot_id")
      for container in containers { try container.destroy() }
    }
  }
}
