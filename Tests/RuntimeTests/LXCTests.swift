import Foundation
import TestSupport
import Testing

extension RuntimeTests {
  @Suite("LXC containers") struct LXC {
    let host: RuntimeHost
    let include = "lxc.include = /etc/lxc/patchbay/patchbay.conf"
    let hook = "lxc.hook.start-host = /etc/lxc/patchbay/hook"

    init() throws {
      host = try .clean()
      try host.installHook()
    }

    @Test("are attached when they start and detached when they stop", arguments: [0, 1])
    func life(version: Int) throws {
      let one = try LXCContainer(
        host, "one", "lxc.include = /etc/lxc/patchbay/example.conf", "lxc.hook.version = \(version)"
      )
      let two = try LXCContainer(
        host, "two", include, "lxc.hook.version = \(version)", "\(hook) vlan-10:interface_name=lan",
        "\(hook) ovs-1")
      for container in [one, two] { try container.start().checked() }
      try host.expectAttachments(
        of: "one", ["ovs-1/eth0 192.168.0.21/24", "vlan-10/eth1 10.10.0.2/24 fd00:10::2/64"])
      try host.expectAttachments(
        of: "two", ["ovs-1/eth0 192.168.0.22/24", "vlan-10/lan 10.10.0.3/24 fd00:10::3/64"])
      #expect(try one.exec("ip", "link", "show", "eth0").contains("02:00:00:00:00:21"))
      #expect(try host.call("lxc-info", "-n", "two", "-iH").contains("192.168.0.22"))
      for address in ["192.168.0.22", "10.10.0.3"] { try one.exec("ping", "-c", "1", address) }
      // From outside and inside: its namespaces are others then, made for the next start.
      for reboot in [
        ["lxc-stop", "--name", "two", "--reboot"], ["lxc-attach", "--name", "two", "--", "reboot"],
      ] {
        let before = try host.attachments().first { $0["containerID"] == "two" }?["sandbox"]
        // What is attached ends with the container, perhaps by a signal.
        _ = try host.run(reboot)
        try eventually("the reboot by \(reboot[0])") {
          let after = try host.attachments().filter { $0["containerID"] == "two" }
          return after.count == 2 && after.allSatisfy { $0["sandbox"] != before }
        }
        #expect(try host.call("ls", "/var/lib/cni/results").split(separator: "\n").count == 4)
        try two.exec("ping", "-c", "1", "192.168.0.21")
      }
      _ = try host.run(["lxc-attach", "--name", "one", "--", "poweroff"])
      try eventually("the end of one") { try host.attachments(of: "one").isEmpty }
      try two.kill()
      try host.expectNothingLeft()
      for container in [one, two] { try container.destroy() }
    }

    @Test("that start and stop at the same time do not disturb each other")
    func together() throws {
      let names = ["a", "b", "c", "d"]
      let containers = try names.map {
        try LXCContainer(host, $0, include, "\(hook) ovs-1 vlan-10")
      }
      try host.sh(
        """
        for name in \(names.joined(separator: " ")); do
          lxc-start --name $name --logfile /run/$name.log & pids="$pids $!"
        done
        for pid in $pids; do wait $pid || { cat /run/?.log; exit 1; }; done
        """)
      let addresses = try host.attachments().flatMap { $0["addresses"].array.compactMap(\.text) }
      #expect(addresses.count == 12 && Set(addresses).count == 12, "\(addresses)")
      try host.sh(
        "for name in \(names.joined(separator: " ")); do lxc-stop --kill $name & done; wait")
      try host.expectNothingLeft()
      for container in containers { try container.destroy() }
    }

    @Test("of any name are attached, and the next start frees what a kill left")
    func anyName() throws {
      let container = try LXCContainer(host, "web@1", include, "\(hook) ovs-1")
      try container.start("--logfile", "/run/web.log").checked()
      let attachment = try #require(try host.attachments().first)
      #expect(attachment["containerName"] == "web@1")
      let containerID = try #require(attachment["containerID"].text)
      #expect(containerID.hasPrefix("web_1-"))
      try host.expectAttachments(of: containerID, ["ovs-1/eth0 192.168.0.1/24"])
      try host.sh("kill -9 $(pgrep -f '^\\[lxc monitor\\].* web@1$')")
      try eventually("the end of init") { try host.run(["pgrep", "-x", "init"]).status != 0 }
      try container.start("--logfile", "/run/web.log").checked()
      try host.expectAttachments(of: containerID, ["ovs-1/eth0 192.168.0.2/24"])
      try container.kill()
      try host.expectNothingLeft()
      try container.destroy()
    }

    @Test("with users of their own are attached as well")
    func identities() throws {
      // Where the package uidmap is installed, root may use what these give to root.
      try host.sh("for file in subuid subgid; do echo root:100000:65536 >/etc/$file; done")
      let container = try LXCContainer(
        host, "mapped", include, "\(hook) ovs-1", "lxc.idmap = u 0 100000 65536",
        "lxc.idmap = g 0 100000 65536")
      try host.sh(
        "chown -R 100000:100000 /var/lib/lxc/mapped/rootfs; chmod 755 /var/lib/lxc/mapped")
      try container.start("--logfile", "/run/mapped.log").checked()
      try host.expectAttachments(of: "mapped", ["ovs-1/eth0 192.168.0.1/24"])
      #expect(try container.exec("cat", "/proc/1/uid_map").contains("100000"))
      try container.kill()
      try host.expectNothingLeft()
      try container.destroy()
    }

    @Test("do not start where a network does not exist, and the log says why")
    func unknownNetwork() throws {
      let container = try LXCContainer(host, "lost", include, "\(hook) ovs-1 nowhere")
      let sentence = """
        container "lost" was not attached to network "nowhere": no net configuration with name \
        "nowhere" in /etc/cni/net.d; it has: ovs-1, vlan-10
        """
      #expect(try container.start("--logfile", "/run/lost.log").status != 0)
      let log = try host.call("cat", "/run/lost.log")
      #expect(log.contains("ERROR    hook - \(sentence)\n"), "\(log)")
      // At level DEBUG LXC writes what hooks print: once is enough.
      #expect(try container.start("-o", "/run/debug.log", "-l", "DEBUG").status != 0)
      #expect(try host.call("cat", "/run/debug.log").components(separatedBy: sentence).count == 2)
      let foreground = try container.start("--foreground")
      #expect(foreground.status != 0)
      #expect(foreground.stderr.contains(sentence), "\(foreground)")
      try host.expectNothingLeft()
      try container.destroy()
    }

    @Test("do not start half connected")
    func secondNetwork() throws {
      let container = try LXCContainer(host, "half", include, "\(hook) ovs-1 vlan-10:ip=10.99.0.1")
      #expect(try container.start("--logfile", "/run/half.log").status != 0)
      let log = try host.call("cat", "/run/half.log")
      #expect(log.contains("container \"half\" was not attached to network \"vlan-10\" as eth1: "))
      #expect(log.contains("; it was detached again from: ovs-1\n"), "\(log)")
      try host.expectNothingLeft()
      try container.destroy()
    }

    @Test("that were killed leave nothing when they start again, or after gc")
    func killed() throws {
      let container = try LXCContainer(host, "dead", include, "\(hook) ovs-1 vlan-10")
      func crash() throws {
        try container.start().checked()
        #expect(try host.attachments(of: "dead").count == 2)
        // The monitor can run no hook then; init ends with it.
        try host.sh("kill -9 $(pgrep -f '^\\[lxc monitor\\].* dead$')")
        try eventually("the end of init") { try host.run(["pgrep", "-x", "init"]).status != 0 }
        #expect(try !host.remains().isEmpty)
      }
      try crash()
      try container.start().checked()
      try host.expectAttachments(
        of: "dead", ["ovs-1/eth0 192.168.0.2/24", "vlan-10/eth1 10.10.0.3/24 fd00:10::3/64"])
      #expect(try host.call("ls", "/var/lib/cni/results") == "ovs-1-dead-eth0\nvlan-10-dead-eth1\n")
      try container.kill()
      try eventually("the end") { try host.remains().isEmpty }

      try crash()
      // As after power was lost: what was kept of one attachment is not there.
      try host.call("rm", "/var/lib/cni/results/vlan-10-dead-eth1")
      try container.start().checked()
      #expect(try host.attachments(of: "dead").count == 2)
      try container.kill()
      try eventually("the end") { try host.remains().isEmpty }

      try crash()
      for network in ["ovs-1", "vlan-10"] {
        let freed = try host.call("patchbay", "gc", network)
        #expect(
          freed.hasPrefix("removed dead/eth") && freed.hasSuffix("/ns/net is gone\n"), "\(freed)")
      }
      try host.expectNothingLeft()
      try container.destroy()
    }

    @Test("of one name do not take each other's attachments")
    func sameName() throws {
      let container = try LXCContainer(host, "twin", include, "\(hook) ovs-1")
      try container.start().checked()
      try host.sh(
        """
        mkdir -p /run/other
        cp -a /var/lib/lxc/twin /run/other/
        sed -i s,/var/lib/lxc/,/run/other/, /run/other/twin/config
        """)
      let other = try host.run([
        "lxc-start", "-P", "/run/other", "-n", "twin", "-o", "/run/twin.log",
      ])
      #expect(other.status != 0)
      let log = try host.call("cat", "/run/twin.log")
      #expect(
        log.contains(
          "there is another container \"twin\", which is attached to network \"ovs-1\" by eth0 in "),
        "\(log)")
      // The hooks that LXC calls for the one that did not start are at work still.
      usleep(500_000)
      try host.expectAttachments(of: "twin", ["ovs-1/eth0 192.168.0.1/24"])
      try container.exec("ping", "-c", "1", "192.168.0.1")
      try container.kill()
      try host.expectNothingLeft()
      try container.destroy()
    }
  }

  @Suite("the hook of LXC", .serialized) struct LXCHook {
    @Test("are refused with a sentence that says what is legal", arguments: Self.refusals)
    func refusal(arguments: [String], environment: [String: String], sentence: String) throws {
      let inherited = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("LXC_") }
      let output = try run(
        "\(Plugin.directory)/patchbay", ["hook", "lxc"] + arguments,
        environment: inherited.merging(environment) { $1 })
      #expect(output.status == 1)
      #expect(output.stderr == sentence + "\n")
    }

    static let refusals: [([String], [String: String], String)] = {
      let starts = ["LXC_NAME": "c", "LXC_HOOK_VERSION": "1", "LXC_HOOK_TYPE": "start-host"]
      func with(_ changes: [String: String?]) -> [String: String] {
        starts.merging(changes.mapValues { $0 ?? "" }) { $1 }
      }
      return [
        (
          ["ovs-1"], [:],
          """
          LXC_NAME is not set: LXC starts this as a hook
          in a container's configuration: lxc.hook.start-host = … patchbay hook lxc NETWORK
          """
        ),
        (
          ["ovs-1"], with(["LXC_HOOK_TYPE": nil]),
          """
          LXC does not say which hook it calls: there is neither LXC_HOOK_TYPE nor "c lxc TYPE" at \
          the end of the arguments
          a hook script hands them on by "$@"
          """
        ),
        (
          ["ovs-1", "c", "lxc", "mount"], with(["LXC_HOOK_VERSION": "0", "LXC_HOOK_TYPE": nil]),
          """
          lxc.hook.mount cannot attach or detach a container
          it is for lxc.hook.start-host, lxc.hook.stop, lxc.hook.post-stop
          """
        ),
        (
          [], starts,
          """
          container "c": no network is named
          write it on the line: lxc.hook.start-host = … NETWORK
          """
        ),
        (
          ["ovs-1"], starts,
          "LXC_PID is not set: it is the process whose network namespace is the container's"
        ),
        (
          ["ovs-1"], with(["LXC_PID": "\(getpid())"]),
          """
          container "c" has no network namespace of its own: /proc/\(getpid())/ns/net is the host's
          LXC makes one with lxc.net.0.type = empty, an OCI runtime with an entry "network" in \
          linux.namespaces
          """
        ),
        (
          ["ovs-1"], with(["LXC_PID": "99999999"]),
          """
          cannot use the network namespace of container "c": open(/proc/99999999/ns/net): ENOENT \
          (No such file or directory)
          """
        ),
        (
          ["ovs-1:ip=192.168.0.300"], starts,
          """
          network "ovs-1:ip=192.168.0.300": "192.168.0.300" is not an IP address, such as 192.168.0.9 \
          or fd00::9
          """
        ),
        (
          ["ovs-1:mac=ff:ff:ff:ff:ff:ff"], starts,
          """
          network "ovs-1:mac=ff:ff:ff:ff:ff:ff": "ff:ff:ff:ff:ff:ff" is not the MAC address of one \
          link, such as 02:00:00:00:00:09
          """
        ),
        (
          ["ovs-1:name=lan"], starts,
          "network \"ovs-1:name=lan\": \"name\" is not one of interface_name, ip, mac"
        ),
        (["ovs-1:lan"], starts, "network \"ovs-1:lan\": \"lan\" has no \"=\""),
        (
          ["ovs/1"], starts,
          "network \"ovs/1\": invalid characters found in network name: ovs/1"
        ),
      ]
    }()
  }
}
