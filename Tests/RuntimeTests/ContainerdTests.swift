import TestSupport
import Testing

/// A containerd, with the lines of the example in its configuration.
struct Containerd {
  let host: RuntimeHost
  private let daemon: Daemon

  init(_ host: RuntimeHost) throws {
    self.host = host
    try host.install("conf/containerd/config.toml", as: "/etc/containerd/config.toml")
    // What is of this machine: no registry, no overlays on overlays, perhaps not all capabilities.
    try host.sh(
      """
      cat >>/etc/containerd/config.toml <<'END'
      [plugins."io.containerd.grpc.v1.cri"]
        sandbox_image = "docker.io/library/busybox:latest"
        restrict_oom_score_adj = true
      [plugins."io.containerd.grpc.v1.cri".containerd]
        snapshotter = "native"
      END
      """)
    daemon = try host.start("containerd")
    try eventually("containerd's answer", timeout: .seconds(20)) {
      try host.run(["ctr", "version"]).status == 0
    }
    for namespace in ["default", "k8s.io"] {
      try host.call("ctr", "-n", namespace, "image", "import", "/run/image/busybox.tar")
    }
  }

  func stop() throws { try host.stop("containerd", daemon) }

  /// Runs a container that sleeps, in the foreground: only then ctr calls DEL at its end.
  func run(_ name: String) throws -> Daemon {
    let daemon = try host.start(
      "ctr", "run", "--rm", "--cni",
      "docker.io/library/busybox:latest", name, "sleep", "1000")
    try eventually("the task \(name)", timeout: .seconds(20)) {
      guard !daemon.hasEnded else { throw HostError(description: host.log(of: "ctr")) }
      return try host.run(["ctr", "task", "exec", "--exec-id", "is-there", name, "true"]).status
        == 0
        || host.call("ctr", "task", "list").contains("RUNNING")
    }
    return daemon
  }

  func kill(_ name: String, _ daemon: Daemon) throws {
    try host.call("ctr", "task", "kill", "--signal", "KILL", name)
    try eventually("the end of ctr") { daemon.hasEnded }
  }
}

extension RuntimeTests {
  @Suite("containerd's containers") struct ContainerdTests {
    @Test("are attached and detached")
    func life() throws {
      let host = try RuntimeHost.clean()
      for name in ["10-containerd-net.conflist", "99-loopback.conf"] {
        try host.install("conf/containerd/\(name)", as: "/etc/cni/net.d/\(name)")
      }
      let containerd = try Containerd(host)
      let one = try containerd.run("one")
      try host.expectAttachments(of: "default-one", ["containerd-net/eth0 192.168.6.1/24"])
      let links = try host.call(
        "ctr", "task", "exec", "--exec-id", "ip", "one", "ip", "-o", "address")
      #expect(links.contains("inet 192.168.6.1/24") && links.contains("inet 127.0.0.1/8"))
      // The tool deletes what libcni has added here as well; ctr's own DEL finds nothing then.
      try host.call("patchbay", "del", "containerd-net", "--container-id", "default-one")
      #expect(try host.attachments(of: "default-one").isEmpty)
      try containerd.kill("one", one)
      // And the reverse: what the tool has added, ctr deletes.
      let two = try containerd.run("two")
      try host.expectAttachments(of: "default-two", ["containerd-net/eth0 192.168.6.2/24"])
      let sandbox = try #require(try host.attachments().first?["sandbox"].text)
      let attachment = ["containerd-net", sandbox, "--container-id", "default-two"]
      try host.run(["patchbay", "del"] + attachment).checked()
      try host.run(
        ["patchbay", "add"] + attachment + [
          "--args", "IgnoreUnknown=1;K8S_POD_NAME=two", "--capability", #"ips=["192.168.6.77/24"]"#,
        ]
      ).checked()
      try host.expectAttachments(of: "default-two", ["containerd-net/eth0 192.168.6.77/24"])
      try containerd.kill("two", two)
      #expect(try host.attachments(of: "default-two").isEmpty)

      // In the background no process is left to call DEL.
      try host.call(
        "ctr", "run", "--detach", "--cni", "docker.io/library/busybox:latest", "three", "sleep",
        "1000")
      try host.expectAttachments(of: "default-three", ["containerd-net/eth0 192.168.6.78/24"])
      try host.sh(
        "ctr task kill -s KILL three; sleep 0.2; ctr task delete three || true; ctr container rm three"
      )
      let freed = try host.call("patchbay", "gc", "containerd-net")
      #expect(freed.hasPrefix("removed default-three/eth0  /proc/"), "\(freed)")

      try containerd.stop()
      try host.expectNothingLeft()
    }

    @Test("are attached where Kubernetes asks for a pod's sandbox")
    func sandboxes() throws {
      let host = try RuntimeHost.clean()
      for name in ["10-containerd-net.conflist", "99-loopback.conf"] {
        try host.install("conf/containerd/\(name)", as: "/etc/cni/net.d/\(name)")
      }
      let containerd = try Containerd(host)
      let cri = CRI(host: host)
      let one = try cri.sandbox("one")
      let two = try cri.sandbox("two")
      try host.expectAttachments(of: one.id, ["containerd-net/eth0 192.168.6.1/24"])
      let shown = try host.call("patchbay", "show")
      #expect(shown.contains("container default/one (\(one.id.prefix(12))…)\n"), "\(shown)")
      let links = try one.sh("ip -o address; ping -c 1 192.168.6.2")
      #expect(links.contains("inet 127.0.0.1/8") && links.contains(" 0% packet loss"), "\(links)")
      // What it keeps of both of a sandbox's networks is compared by the tool, and deleted.
      try host.call("patchbay", "check", "containerd-net", "--container-id", one.id)
      try host.call("patchbay", "del", "containerd-net", "--container-id", one.id)
      try one.remove()
      try two.remove()
      try containerd.stop()
      try host.expectNothingLeft()
    }
  }
}
