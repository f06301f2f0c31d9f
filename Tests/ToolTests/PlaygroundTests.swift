import Foundation
import TestSupport
import Testing

@Suite("playground", .privateHost)
struct PlaygroundTests {
  @Test(
    "the exit status is the command's",
    arguments: [
      (["true"], 0), (["sh", "-c", "exit 7"], 7), (["sh", "-c", "kill -TERM $$"], 143),
      (["--", "sh", "-c", "exit 8"], 8), (["there-is-no-such-program"], 127), (["/"], 126),
    ] as [([String], Int32)])
  func status(_ command: [String], _ status: Int32) throws {
    let output = try run(Patchbay.path, ["playground"] + command)
    #expect(output.status == status, "\(output)")
  }

  @Test("there is an Open vSwitch that answers, lo, and an empty /run and /var/lib/cni")
  func furniture() throws {
    let output = try Patchbay.play(
      """
      set -e
      ovs-vsctl --timeout=5 get Open_vSwitch . ovs_version
      ovs-vsctl --timeout=10 add-br br0 -- set Bridge br0 datapath_type=netdev
      ip -br address show lo
      echo run: $(ls /run)
      echo cni: $(ls -A /var/lib/cni)
      echo sys: $(ls /sys/class/net)
      echo init: $(tr '\\0' ' ' </proc/1/cmdline | cut -c-12)
      """)
    #expect(output.status == 0, "\(output)")
    let lines = output.stdout.split(separator: "\n").map(String.init)
    #expect(lines.first?.isEmpty == false)
    #expect(output.stdout.contains("127.0.0.1/8"))
    #expect(lines.contains("run: openvswitch"))
    #expect(lines.contains("cni:"))
    #expect(lines.contains("sys: br0 lo ovs-netdev"))
    // With a process namespace of its own, this program is its first.
    #expect(lines.contains { $0.hasPrefix("init: \(Patchbay.path.prefix(6))") })
  }

  @Test("its example network is conf/10-ovs-1.conflist")
  func network() throws {
    let output = try Patchbay.play("cat \"$NETCONFPATH\"/*; ls \"$NETCONFPATH\" >&2").checked()
    let file = "\(Patchbay.configurations)/10-ovs-1.conflist"
    #expect(output.bytes == Array(try Data(contentsOf: URL(fileURLWithPath: file))))
    #expect(output.stderr == "10-ovs-1.conflist\n")
  }

  @Test("the examples that --help has work in it as they stand")
  func examples() throws {
    let script = """
      cp \(Patchbay.configurations)/20-vlan-10.conflist "$NETCONFPATH"
      for command in status 'netns add' add check list show leases validate 'netns list' \
        'netns exec' gc del 'netns del'
      do
        # Without those for which something else must be there.
        patchbay $command --help | sed -n 's/^  \\(patchbay .*\\)/\\1/p' |
          grep -v -e ' 4711 ' -e my.conflist -e 'dot -T' -e --host >/run/lines
        [ -s /run/lines ] || echo "$command has none"
        while read -r line <&9; do
          eval "$line" >/run/said 2>&1 || { echo "$line"; cat /run/said; }
        done 9</run/lines
      done
      # Of which the namespace was deleted.
      patchbay gc vlan-10 >/run/said
      ls /run/netns /var/lib/cni/results
      """
    let output = try Patchbay.play(script)
    #expect(
      output.stdout == "/run/netns:\n\n/var/lib/cni/results:\n" && output.status == 0, "\(output)")
  }

  @Test("nothing outside is touched, and nothing is left")
  func isolation() throws {
    // Other tests are at work in this process's own namespace.
    let outside = try Sandbox()
    let before = try HostSnapshot(in: outside)
    let (mark, inside) = (uniqueName("mark"), uniqueName("in"))
    let script = """
      patchbay netns add \(inside)
      ip link add veth0 type veth peer name veth1
      ovs-vsctl --timeout=10 add-br br0 -- set Bridge br0 datapath_type=netdev
      echo x >/var/lib/cni/\(mark)
      sleep 1000 &
      setsid sleep 1001 &
      """
    let environment = ProcessInfo.processInfo.environment.merging(["MARK": mark]) { $1 }
    try outside.exec(
      Patchbay.path, ["playground", "bash", "-e", "-c", script], environment: environment
    ).checked()
    #expect(try HostSnapshot(in: outside).difference(from: before) == "")
    #expect(Patchbay.processes(with: "MARK=\(mark)") == [])
    #expect(!FileManager.default.fileExists(atPath: "/run/netns/\(inside)"))
    #expect(!FileManager.default.fileExists(atPath: "/var/lib/cni/\(mark)"))
    #expect(!FileManager.default.fileExists(atPath: "/run/openvswitch"))
  }

  @Test("killed, it takes all its processes with it")
  func killed() throws {
    let directory = try TemporaryDirectory()
    let mark = uniqueName("mark")
    // Below /run, the file would be the playground's own: standard output leads out.
    let daemon = try Daemon(
      Patchbay.path, ["playground", "sh", "-c", "sleep 1000 & setsid sleep 1001 & echo up; wait"],
      environment: ["PATH": "/usr/bin:/bin", "MARK": mark], log: "\(directory.path)/log")
    try eventually("it is up") { directory.read("log")?.contains("up\n") == true }
    // This program, process 1, the two daemons with their environment, the shell, two sleeps.
    #expect(Patchbay.processes(with: "MARK=\(mark)").count >= 5)
    daemon.stop(SIGKILL)
    try eventually("all have ended") { Patchbay.processes(with: "MARK=\(mark)").isEmpty }
  }

  @Test("one can be started in another")
  func nested() throws {
    let output = try Patchbay.play(
      """
      patchbay netns add outer
      patchbay playground sh -c 'patchbay netns list; ovs-vsctl --timeout=5 show >&2; exit 3'
      echo $?
      patchbay netns list
      """)
    #expect(output.stdout == "3\nouter\n", "\(output)")
  }

  @Test("without Open vSwitch it says what to install")
  func missing() throws {
    let script = """
      mount -t tmpfs none /usr/sbin; mount -t tmpfs none /usr/local/sbin
      PATH=/usr/bin:/bin exec "$0" playground true
      """
    let output = try run("unshare", ["-m", "sh", "-c", script, Patchbay.path])
    #expect(output.status == 1)
    try Messages.expect(
      output.stderr, of: "patchbay", on: "patchbay playground, without Open vSwitch")
  }

  @Test("an ordinary user needs no root", .enabled(if: Self.canBeNobody))
  func ordinary() throws {
    // The tests may lie where that user cannot read.
    let directory = try TemporaryDirectory()
    let copy = "\(directory.path)/patchbay"
    // By another process: programs that tests start meanwhile would inherit a descriptor for
    // writing from this one, and the copy could not be run.
    try run("cp", [Patchbay.path, copy]).checked()
    // Distributions let every user open it; this machine perhaps does not.
    let device =
      "mount -t tmpfs none /dev/net && mknod -m 666 /dev/net/tun c 10 200 && exec \"$@\""
    let script = """
      id -u
      ovs-vsctl --timeout=10 add-br br0 -- set Bridge br0 datapath_type=netdev
      ls /sys/class/net
      ip netns add a && ip netns exec a ip -br link && ip netns delete a
      """
    let output = try run(
      "unshare",
      ["-m", "sh", "-c", device, "sh"] + Self.nobody + [copy, "playground", "sh", "-c", script])
    #expect(output.status == 0, "\(output)")
    #expect(output.stdout.hasPrefix("0\nbr0\nlo\novs-netdev\nlo "), "\(output)")
    #expect(output.stderr == "")
  }

  private static let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
  private static var canBeNobody: Bool {
    (try? run("setpriv", nobody.dropFirst() + ["unshare", "-Ur", "true"]))?.status == 0
  }
}
