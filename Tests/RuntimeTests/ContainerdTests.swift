import Foundation
import TestSupport
import Testing

/// A containerd, with the lines of the example in its configuration.
struct Containerd {
  let host: RuntimeHost
  private let daemon: Daemon

  init(_ host: RuntimeHost) throws {
    self.host = host
    try host.install("conf/containerd/config.toml", as: "/etc/containerd/config.toml")
    daemon = try host.start("containerd")
    try eventually("containerd's answer", timeout: .seconds(20)) {
      try host.run(["ctr", "version"]).status == 0
    }
    try host.call("ctr", "image", "import", "/run/image/busybox.tar")
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
    @Test("are attached and detached, and the CRI takes the same configuration")
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

      // In the background nobody is there to call DEL.
      try host.call(
        "ctr", "run", "--detach", "--cni", "docker.io/library/busybox:latest", "three", "sleep",
        "1000")
      try host.expectAttachments(of: "default-three", ["containerd-net/eth0 192.168.6.78/24"])
      try host.sh(
        "ctr task kill -s KILL three; sleep 0.2; ctr task delete three || true; ctr container rm three"
      )
      let freed = try host.call("patchbay", "gc", "containerd-net")
      #expect(freed.hasPrefix("removed default-three/eth0  /proc/"), "\(freed)")

      let cri = try host.call("ctr", "plugins", "list")
      let state = cri.split(separator: "\n").first { $0.contains(" cri ") }
      #expect(state?.split(separator: " ").last == "ok", "\(cri)")
      let log = host.log(of: "containerd")
      #expect(log.contains("NetworkPluginBinDir:/opt/cni/bin NetworkPluginConfDir:/etc/cni/net.d"))
      #expect(!log.contains("failed to load cni"), "\(log)")
      try containerd.stop()
      try host.expectNothingLeft()
    }
  }
}
