import Foundation
import TestSupport
import Testing

extension RuntimeTests {
  @Suite("containers of several runtimes") struct Scene {
    /// One of those on the bridge: its name in `patchbay show`, and how a shell runs in it.
    private struct Member {
      let name: String
      let shell: [String]
      var address = ""
    }

    @Test("reach each other on one bridge, and leave nothing when their own tools remove them")
    func together() throws {
      let host = try RuntimeHost.clean()
      try host.installPodman()
      for name in ["hook", "patchbay.conf"] {
        try host.install("conf/lxc/\(name)", as: "/etc/lxc/patchbay/\(name)")
      }
      let containerd = try Containerd(host)

      let containers = try ["ann", "ben"].map { name in
        try LXCContainer(
          host, name, "lxc.include = /etc/lxc/patchbay/patchbay.conf",
          "lxc.hook.start-host = /etc/lxc/patchbay/hook ovs-podman")
      }
      for container in containers { try container.start().checked() }
      let ids = try ["cat", "dan"].map { try host.podman($0, "--network", "ovs-podman") }
      let pod = try CRI(host: host).sandbox("eve")
      try host.call("patchbay", "netns", "add", "fay")
      try host.call("patchbay", "add", "ovs-podman", "fay", "--container-id", "fay")

      var members = [
        Member(name: "ann", shell: ["lxc-attach", "-n", "ann", "--", "sh", "-ec"]),
        Member(name: "ben", shell: ["lxc-attach", "-n", "ben", "--", "sh", "-ec"]),
        Member(name: "cat (\(ids[0].prefix(12))…)", shell: ["podman", "exec", "cat", "sh", "-ec"]),
        Member(name: "dan (\(ids[1].prefix(12))…)", shell: ["podman", "exec", "dan", "sh", "-ec"]),
        Member(name: "default/eve (\(pod.id.prefix(12))…)", shell: pod.command),
        Member(name: "fay", shell: ["patchbay", "netns", "exec", "fay", "busybox", "sh", "-ec"]),
      ]
      for index in members.indices { members[index].address = "192.168.7.\(index + 1)" }
      let shown = try host.call("patchbay", "show")
      #expect(shown.hasSuffix("1 bridge, 7 ports, no problem\n"), "\(shown)")
      for member in members {
        #expect(shown.contains("container \(member.name)\n"), "\(shown)")
        #expect(shown.contains("address   \(member.address)/24, mac "), "\(shown)")
      }
      let script = members.map { "ping -c 1 -W 5 \($0.address)" }.joined(separator: "; ")
      for member in members {
        let pings = try host.run(member.shell + [script]).checked().stdout
        #expect(pings.components(separatedBy: " 0% packet loss").count == 7, "\(pings)")
      }

      for container in containers { try container.kill() }
      try host.call("podman", "rm", "--force", "--time", "0", "cat", "dan")
      try pod.remove()
      try host.call("patchbay", "del", "ovs-podman", "fay", "--container-id", "fay")
      try host.call("patchbay", "netns", "del", "fay")
      try containerd.stop()
      try eventually("nothing is left") { try host.remains().isEmpty }
      // Of all of it there is the bridge, which has nothing but its own port, and which leases
      // there were last.
      let bridge = "OVS-1  internal, the bridge's own"
      let empty = try host.call("patchbay", "show")
      #expect(empty.hasSuffix("\n   └─ \(bridge)\n\n1 bridge, 1 port, no problem\n"), "\(empty)")
      #expect(try host.call("ovs-vsctl", "--timeout=10", "list-ports", "OVS-1").isEmpty)
      let links = try Document(parsing: host.call("ip", "-json", "link").utf8).array
      #expect(links.compactMap { $0["ifname"].text }.sorted() == ["OVS-1", "lo", "ovs-netdev"])
      #expect(
        try host.call("ls", "/var/lib/cni/networks/ovs-podman") == "last_reserved_ip.0\nlock\n")
      #expect(try host.call("ls", "/var/lib/cni/results").isEmpty)
      #expect(try host.call("patchbay", "netns", "list").isEmpty)
      try host.expectNothingLeft()
      for container in containers { try container.destroy() }
    }
  }
}
