import TestSupport
import Testing

extension RuntimeTests {
  @Suite("bundles of runc and crun") struct OCI {
    let host: RuntimeHost

    init() throws {
      host = try .clean()
      try host.installHook()
      // The fragment of the example in a bundle that runc has made.
      try host.sh(
        """
        rm -rf /run/bundle
        mkdir -p /run/bundle
        cd /run/bundle
        cp -a /run/image/rootfs .
        runc spec
        jq --slurpfile example "\(RuntimeHost.sources)/conf/oci/config.json" '
          .annotations = $example[0].annotations | .hooks = $example[0].hooks
          | .process.terminal = false | .process.args = ["sleep", "1000"] | .process.rlimits = []
          | .process.capabilities[] += ["CAP_NET_RAW"]' config.json >changed
        mv changed config.json
        """)
    }

    /// Starts the container, on other networks than those of the example where some are given.
    private func create(_ runtime: String, _ networks: String? = nil) throws -> (
      isCreated: Bool, said: String
    ) {
      if let networks {
        try host.sh(
          """
          cd /run/bundle
          jq '.annotations["patchbay.networks"] = "\(networks)"' config.json >changed
          mv changed config.json
          """)
      }
      // It hands its own streams on to the container.
      let output = try host.run([
        "sh", "-c",
        """
        rm -f /run/patchbay-hook.log
        $0 run --detach --bundle /run/bundle box </dev/null >/run/bundle/out 2>&1
        """, runtime,
      ])
      // What a hook says, runc repeats, with a backslash before each quote; crun does not.
      let said = try host.sh("cat /run/bundle/out; cat /run/patchbay-hook.log 2>/dev/null || true")
      return (output.status == 0, said.filter { $0 != "\\" })
    }

    static let runtimes = ["runc", "crun"]

    @Test(
      "are attached when they are created and detached when they are deleted", arguments: runtimes)
    func life(runtime: String) throws {
      let created = try create(runtime)
      #expect(created.isCreated, "\(created.said)")
      try host.expectAttachments(
        of: "box", ["ovs-1/eth0 192.168.0.31/24", "vlan-10/eth1 10.10.0.2/24 fd00:10::2/64"])
      try host.call(runtime, "exec", "box", "ping", "-c", "1", "192.168.0.31")
      try host.call(runtime, "delete", "--force", "box")
      try host.expectNothingLeft()
    }

    @Test("are not created where a network does not exist or refuses", arguments: runtimes)
    func refused(runtime: String) throws {
      for (networks, sentence) in [
        ("ovs-1 nowhere", #"to network "nowhere": no net configuration with name"#),
        ("ovs-1 vlan-10:ip=10.99.0.1", #""box" was not attached to network "vlan-10""#),
        ("", "name it in the annotation"),
      ] {
        let (isCreated, said) = try create(runtime, networks)
        #expect(!isCreated && said.contains(sentence), "\(said)")
      }
      try host.expectNothingLeft()
    }

    @Test("that were killed leave nothing when they are created again", arguments: runtimes)
    func killed(runtime: String) throws {
      #expect(try create(runtime).isCreated)
      try host.sh(
        """
        kill -9 $(\(runtime) state box | jq .pid)
        sleep 0.2
        # As if the machine had gone down: the runtime knows nothing of it.
        rm -r /run/\(runtime)/box
        """)
      #expect(try create(runtime).isCreated)
      try host.expectAttachments(
        of: "box", ["ovs-1/eth0 192.168.0.31/24", "vlan-10/eth1 10.10.0.3/24 fd00:10::3/64"])
      try host.call(runtime, "delete", "--force", "box")
      try host.expectNothingLeft()
    }

    @Test("whose state is none are refused")
    func noState() throws {
      let output = try host.run(["patchbay", "hook", "oci", "ovs-1"], input: "{}")
      #expect(output.status == 1)
      #expect(output.stderr.contains("standard input is not the state of a container: "))
    }
  }
}
