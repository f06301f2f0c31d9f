import Foundation
import TestSupport
import Testing

extension RuntimeHost {
  /// The image in podman's storage, and its networks those of CNI.
  func installPodman() throws {
    try install(
      "conf/podman/containers.conf", as: "/etc/containers/containers.conf.d/patchbay.conf")
    try install("conf/podman/ovs-podman.conflist", as: "/etc/cni/net.d/ovs-podman.conflist")
    try importImage()
  }

  /// The image in podman's storage, where a registry would have put it.
  func importImage() throws {
    let name = "docker.io/library/busybox"
    guard try run(["podman", "image", "exists", name]).status != 0 else { return }
    try sh("tar --create --directory /run/image/rootfs . | podman import - \(name) 2>&1")
  }

  /// Starts a container that sleeps, and answers its ID.
  func podman(_ name: String, _ options: String...) throws -> String {
    try run(
      ["podman", "run", "--detach", "--name", name] + options
        + ["docker.io/library/busybox", "sleep", "1000"]
    ).checked().stdout.trimmingCharacters(in: .newlines)
  }
}

extension RuntimeTests {
  @Suite("podman containers") struct Podman {
    let host: RuntimeHost

    init() throws {
      host = try .clean()
      try host.installPodman()
      let second = """
        {
          "cniVersion": "1.0.0", "name": "second",
          "plugins": [
            {
              "type": "ovs-bridge", "bridge": "OVS-1", "vlan": 7,
              "ipam": { "type": "host-local", "subnet": "10.7.0.0/24" }
            }
          ]
        }
        """
      try host.write(second, to: "/etc/cni/net.d/second.conflist")
    }

    @Test("get the address and the MAC that they ask for, and are shown by name")
    func requests() throws {
      let one = try host.podman(
        "one", "--network", "ovs-podman", "--ip", "192.168.7.41", "--mac-address",
        "02:00:00:00:00:41")
      let two = try host.podman("two", "--network", "ovs-podman")
      try host.expectAttachments(of: one, ["ovs-podman/eth0 192.168.7.41/24"])
      try host.expectAttachments(of: two, ["ovs-podman/eth0 192.168.7.42/24"])
      let names = try host.attachments().compactMap { $0["containerName"].text }
      #expect(names.sorted() == ["one", "two"])
      let link = try host.call("podman", "exec", "one", "ip", "link", "show", "eth0")
      #expect(link.contains("02:00:00:00:00:41"))
      let shown = try host.call("patchbay", "show")
      #expect(shown.contains("container one (\(one.prefix(12))…)"), "\(shown)")
      try host.call("podman", "exec", "two", "ping", "-c", "1", "192.168.7.41")
      // The tool compares what libcni has added, with nothing but the container ID.
      try host.call("patchbay", "check", "ovs-podman", "--container-id", one)
      try host.call("podman", "rm", "--force", "--time", "0", "one", "two")
      try host.expectNothingLeft()
    }

    @Test("publish ports by portmap in the chain")
    func ports() throws {
      _ = try host.podman("web", "--network", "ovs-podman", "--publish", "8080:80")
      try host.sh("podman exec web sh -c 'mkdir -p /www; echo hello >/www/index.html'")
      try host.call("podman", "exec", "web", "httpd", "-p", "80", "-h", "/www")
      #expect(
        try host.call("busybox", "wget", "-q", "-O", "-", "http://192.168.7.254:8080/") == "hello\n"
      )
      try host.call("podman", "rm", "--force", "--time", "0", "web")
      try host.expectNothingLeft()
    }

    @Test("are on two networks, and connected and disconnected while they run")
    func several() throws {
      let id = try host.podman(
        "many", "--network", "ovs-podman:ip=192.168.7.9,interface_name=lan", "--network", "second")
      try host.expectAttachments(
        of: id, ["ovs-podman/lan 192.168.7.9/24", "second/eth0 10.7.0.2/24"])
      try host.call("podman", "network", "disconnect", "second", "many")
      try host.expectAttachments(of: id, ["ovs-podman/lan 192.168.7.9/24"])
      try host.call("podman", "network", "connect", "--ip", "10.7.0.77", "second", "many")
      #expect(try host.attachments(of: id).last?.hasSuffix(" 10.7.0.77/24") == true)
      // Killed and started again: the sandbox is another one.
      try host.call("podman", "kill", "many")
      try host.call("podman", "start", "many")
      #expect(try host.attachments(of: id).count == 2)
      try host.call("podman", "rm", "--force", "--time", "0", "many")
      try host.expectNothingLeft()
    }

    /// Installs the hook, and the network of its annotation.
    private func installHook() throws {
      let name = "patchbay.json"
      let directory = "/usr/share/containers/oci/hooks.d"
      try host.install("conf/podman/hooks.d/\(name)", as: "\(directory)/\(name)")
      try host.install("conf/10-ovs-1.conflist", as: "/etc/cni/net.d/10-ovs-1.conflist")
    }

    @Test("without a network, as with netavark's, are attached by a hook where annotated")
    func hook() throws {
      try installHook()
      // Neither of podman's backends has a part in it.
      let id = try host.podman(
        "web", "--network", "none", "--annotation", "patchbay.networks=ovs-1:ip=192.168.0.9")
      try host.expectAttachments(of: id, ["ovs-1/eth0 192.168.0.9/24"])
      let link = try host.call("podman", "exec", "web", "ip", "address", "show", "eth0")
      #expect(link.contains("192.168.0.9/24"))
      let plain = try host.podman("plain", "--network", "none")
      #expect(try host.attachments(of: plain).isEmpty)
      // A restart has another namespace.
      try host.call("podman", "restart", "--time", "0", "web")
      try host.expectAttachments(of: id, ["ovs-1/eth0 192.168.0.9/24"])
      let refused = try host.run([
        "podman", "run", "--network", "none", "--annotation", "patchbay.networks=nowhere",
        "docker.io/library/busybox", "true",
      ])
      #expect(refused.status != 0)
      #expect(refused.stderr.contains("no net configuration with name"), "\(refused)")
      try host.call("podman", "rm", "--force", "--time", "0", "--all")
      try host.expectNothingLeft()
    }

    @Test("with networks of CNI have those of the hook besides, though the paths are others")
    func hookBesides() throws {
      try installHook()
      let id = try host.podman(
        "both", "--network", "ovs-podman", "--annotation", "patchbay.networks=ovs-1")
      #expect(
        try host.attachments(of: id) == [
          "ovs-1/eth1 192.168.0.1/24", "ovs-podman/eth0 192.168.7.1/24",
        ])
      try host.call("podman", "exec", "both", "ip", "link", "show", "eth1")
      try host.call("podman", "rm", "--force", "--time", "0", "both")
      try host.expectNothingLeft()
    }

    @Test("share their results with the tool, in both directions")
    func cache() throws {
      let network = "ovs-podman:interface_name=lan,ip=192.168.7.9,mac=02:00:00:00:00:09"
      let id = try host.podman("shared", "--network", network, "--publish", "8080:80")
      let sandbox = try #require(try host.attachments().first?["sandbox"].text)
      let file = "/var/lib/cni/results/ovs-podman-\(id)-lan"
      let kept = try Document(parsing: host.call("cat", file).utf8)
      #expect(kept["capabilityArgs"]["portMappings"][0]["hostPort"] == 8080)
      // What libcni has added the tool deletes, with nothing but the container ID: what was
      // published as well, which only the kept capabilities tell.
      let attachment = ["ovs-podman", "--container-id", id, "--ifname", "lan"]
      try host.run(["patchbay", "del"] + attachment).checked()
      #expect(try host.remains().isEmpty)
      // What the tool has added libcni deletes.
      let arguments = kept["cniArgs"].array.map { pair in
        pair.array.compactMap(\.text).joined(separator: "=")
      }.joined(separator: ";")
      let capabilities = kept["capabilityArgs"].members.flatMap { name, value in
        ["--capability", "\(name)=\(value)"]
      }
      try host.run(
        ["patchbay", "add"] + attachment + [sandbox, "--args", arguments] + capabilities
      ).checked()
      try host.expectAttachments(of: id, ["ovs-podman/lan 192.168.7.9/24"])
      // It keeps the same, and where the namespace is, as libcni does from 1.3 on.
      let own = try Document(parsing: host.call("cat", file).utf8)
      #expect(own["netns"] == .string(sandbox))
      for member in ["kind", "containerId", "config", "ifName", "networkName", "cniArgs"] {
        #expect(own[member] == kept[member], "\(member)")
      }
      #expect(own["capabilityArgs"] == kept["capabilityArgs"])
      #expect(own["result"]["ips"] == kept["result"]["ips"])
      try host.call("podman", "rm", "--force", "--time", "0", "shared")
      try host.expectNothingLeft()
    }
  }
}
