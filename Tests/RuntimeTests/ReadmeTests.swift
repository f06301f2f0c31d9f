import Foundation
import TestSupport
import Testing

extension RuntimeTests {
  @Suite("README.md") struct Readme {
    private let page: Page

    init() throws { page = try Page("README.md") }

    /// What blocks of a shell print, by heading.
    private static let prints: [String: [String]] = [
      "Container runtimes": ["ovs-1  ", "vlan-10  ", "ovs-podman  "],
      "LXC": ["network   ovs-1, container web\n", "192.168.0.9/24, mac 02:00:00:00:00:09"],
      "podman": ["network   web, container web (", "10.10.0.9/24"],
      "podman with CNI": ["network   ovs-podman, container web (", "192.168.7.9/24"],
      "buildah": ["inet 192.168.7."],
      "podman by a hook": ["network   ovs-1, container ", "192.168.0.9/24"],
      "containerd": ["eth0", "192.168.6.1/24"],
      "runc, crun": ["network   vlan-10, container web\n", "192.168.0.31/24"],
      "Docker, systemd-nspawn, and others by hand": ["container web\n", "192.168.0.41/24"],
    ]

    /// The configuration file of Debian's containerd.
    private static let debian = """
      version = 2

      [plugins]
        [plugins."io.containerd.grpc.v1.cri"]
          [plugins."io.containerd.grpc.v1.cri".cni]
            bin_dir = "/usr/lib/cni"
            conf_dir = "/etc/cni/net.d"
        [plugins."io.containerd.internal.v1.opt"]
          path = "/var/lib/containerd/opt"

      """

    @Test("can be pasted from top to bottom, and does what it says")
    func topToBottom() throws {
      let host = try RuntimeHost.clean()
      try host.importImage()
      let containerd = try Containerd(host)
      try host.write(Self.debian, to: "/etc/containerd/config.toml")
      let version = try host.call(
        "ovs-vsctl", "--timeout=10", "get", "Open_vSwitch", ".", "ovs_version"
      )
      .trimmingCharacters(in: ["\"", "\n"])
      // The podman of Debian 12 has no drivers of netavark; Tests/podman5-scenes runs that block.
      var others = ["podman"]
      // Where nothing else needs it, .ci/machines/test-fresh runs its block.
      if try host.run(["sh", "-c", "command -v buildah"]).status != 0 { others.append("buildah") }
      for block in page.blocks where block.language != "json" && !others.contains(block.heading) {
        if block.language == "console" {
          let transcript = Transcript(block.text)
          let output = try host.run([
            "sh", "-c", "cd \"$0\"\n\(transcript.script)", RuntimeHost.sources,
          ])
          transcript.expect(output.stdout, version: version)
          continue
        }
        // With and without crun in runc's place.
        for program in block.heading == "runc, crun" ? ["runc ", "crun "] : ["runc "] {
          // There is no registry here: what it would have given is there already.
          let text = block.text.replacing(/ctr image pull .*\n/, with: "")
            .replacing("runc ", with: program)
          let printed = try host.sh("cd \"\(RuntimeHost.sources)\"\n\(text)")
          let expected = try #require(Self.prints[block.heading], "\(block.heading)")
          for expected in expected {
            #expect(printed.contains(expected), "\(block.heading): \(printed)")
          }
          try eventually("nothing is left") { try host.remains().isEmpty }
          try host.call("rm", "-rf", "/run/bundle")
        }
      }
      // Edited, and not replaced.
      #expect(
        try host.call("cat", "/etc/containerd/config.toml")
          == Self.debian.replacing("/usr/lib/cni", with: "/opt/cni/bin"))
      try containerd.stop()
      try host.expectNothingLeft()
    }

    @Test("links to headings that there are")
    func links() throws {
      let text = try Project.text("README.md")
      let anchors = text.matches(of: /^#+ (.*)$/.anchorsMatchLineEndings()).map { heading in
        String(heading.1).lowercased().filter { $0.isLetter || $0.isNumber || " -".contains($0) }
          .replacing(" ", with: "-")
      }
      for link in text.matches(of: /\]\(#([^)]*)\)/) {
        #expect(anchors.contains(String(link.1)), "\(link.1)")
      }
    }

    @Test("has only blocks that are run: of a shell, or targets of the Makefile")
    func blocks() throws {
      #expect(Set(page.blocks.map(\.language)) == ["sh", "console", "json"])
      let headings = page.blocks.filter { $0.language == "sh" }.map(\.heading)
      #expect(Set(headings) == Set(Self.prints.keys))
      let makefile = try Project.text("Makefile")
      for line in page.indented {
        let words = line.split(separator: " ").filter { $0 != "sudo" }
        #expect(words.first == "make" && makefile.contains("\n\(words.dropFirst().first ?? "?"):"))
      }
      // A block may add files; it writes over none that may be another's.
      for block in page.blocks where block.language == "sh" {
        for line in block.text.split(separator: "\n") where !line.contains("/run/bundle") {
          #expect(!line.contains(/(^|[^>])>\/etc/) && !line.contains(/^(mv|cp) (?!-n )/), "\(line)")
          // A file called patchbay is ours.
          #expect(!line.hasPrefix("install ") || line.contains(/\/patchbay(\.| |$)/), "\(line)")
        }
      }
    }
  }
}
