import TestSupport
import Testing

@testable import patchbay

/// Hosts that are broken on purpose. `doctor` names what is wrong; where it prints a command that
/// mends, the command is run, and then nothing is wrong.
@Suite("doctor", .privateHost)
struct DoctorTests {
  /// `ask` prints what is wrong; of an ID, `mend` runs the command and `text` prints the sentence.
  static let prelude =
    TraceTests.prelude + """
      ask() {
        patchbay doctor --cache-dir ${CACHE:-$PWD/cni} --json >d
        jq -r '.groups[].checks[] | select(.status == "fault" or .status == "doubt") |
          select(.id != "lost-upcalls") | .id + " " + .subject' d
      }
      mend() {
        jq -r --arg id "$1" '[.groups[].checks[] | select(.id == $id) | .remedy][0]' d >remedy
        PATH=$BIN:$PATH bash ./remedy >remedy.out 2>&1 || cat remedy remedy.out
      }
      text() {
        jq -r --arg id "$1" '[.groups[].checks[] | select(.id == $id) | .text][0] |
          "text " + $id + " " + .' d | sed "s|$PWD|DIR|g"
      }

      """

  /// Runs a script; the sentences that it prints by `text` are compared with those on record.
  private static func play(_ script: String) throws -> (lines: [String], output: Output) {
    let output = try Patchbay.play(
      prelude + script, environment: ["BIN": Plugin.directory, "NETWORK": "plain"])
    var lines: [String] = []
    for line in output.stdout.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 2).map(String.init)
      guard words.first == "text", words.count == 3 else {
        lines.append(String(line))
        continue
      }
      try Messages.expect(words[2], of: "patchbay", on: "doctor: \(words[1])")
    }
    return (lines, output)
  }

  @Test("finds leases that no attachment has, once an ADD must have ended, and gc frees them")
  func leases() throws {
    let (lines, output) = try Self.play(
      """
      ovs-vsctl del-port $(port ns3); ip netns del ns3
      rm $(grep -l /run/netns/ns3 cni/results/*)
      lease=$PWD/leases/plain/192.168.0.4
      until [ -z "$(ask | grep link)" ]; do sleep 0.2; done
      ask; echo young
      touch -d '-2 minutes' $lease $PWD/leases/plain/192.168.0.2
      ask; text stale-lease; mend stale-lease; ask
      [ ! -e $lease ] && [ -e $PWD/leases/plain/192.168.0.2 ] && echo freed
      """)
    #expect(lines == ["young", "stale-lease plain", "freed"], "\(output)")
  }

  @Test("finds a file system that is full: of leases, of results, of locks")
  func room() throws {
    let (lines, output) = try Self.play(
      """
      mkdir full; mount -t tmpfs -o size=4k tmpfs full; head -c 4096 /dev/zero >full/x
      printf '{"cniVersion":"1.0.0","name":"f","plugins":[{"type":"ovs-bridge","bridge":"OVS-1",%s}]}' \
        '"ipam":{"type":"host-local","dataDir":"'$PWD'/full/l","ranges":[[{"subnet":"10.3.0.0/24"}]]}' \
        >$NETCONFPATH/f.conflist
      CACHE=$PWD/full ask | sed "s|$PWD/||"; text disk-full
      mount -t tmpfs -o size=4k tmpfs /run/patchbay; head -c 4096 /dev/zero >/run/patchbay/x
      ask | sed "s|$PWD/||"
      rm full/x /run/patchbay/x
      CACHE=$PWD/full ask
      umount full /run/patchbay; echo room
      """)
    #expect(
      lines == [
        "disk-full full/results", "disk-full /run/patchbay", "disk-full full/l/f", "room",
      ], "\(output)")
  }

  @Test("finds a plugin that cannot be run, and the command mends it")
  func plugin() throws {
    let (lines, output) = try Self.play(
      """
      mkdir 'a b'; cp $BIN/host-local 'a b'; chmod 644 'a b'/host-local
      export CNI_PATH="$PWD/a b:$BIN"
      ask | sort -u; text plugin-not-executable; mend plugin-not-executable; ask
      """)
    #expect(
      lines
        == ["dual", "guarded", "isolated", "plain", "routed", "six", "ten"].map {
          "plugin-not-executable \($0)"
        },
      "\(output)")
  }

  @Test("finds what ovs-vswitchd has dropped for a fault of its flows")
  func drops() throws {
    let (lines, output) = try Self.play(
      """
      ask
      ovs-ofctl add-flow OVS-1 'priority=100,udp,actions=resubmit(,0)'
      patchbay trace ns1 ns2 9/udp --json | jq -r '[.checks[] | select(.status == "fault") | .id][0]'
      for i in {1..60}; do
        in_ns ns1 bash -c "echo >/dev/udp/$b/9"; ask >found; [ ! -s found ] || break; sleep 0.5
      done
      cat found; sed -i "s/[0-9]* packets\\{0,1\\} w[a-z]*/N packets were/" d; text drops
      """)
    #expect(lines == ["flow-drop", "drops datapath"], "\(output)")
  }

  @Test("does not say that all is well of what it cannot look into, and trace neither")
  func unreadable() throws {
    let (lines, output) = try Self.play(
      """
      ln -s loop /run/netns/loop
      ovs-vsctl set Port $(port ns2) external_ids:sandbox=/run/netns/loop
      patchbay doctor --cache-dir $PWD/cni | grep -e Attachments -e loop -e problem |
        sed 's/cannot be looked.*/cannot be looked/'
      patchbay trace ns1 loop >trace 2>error; echo $?; wc -c <trace; wc -l <error
      patchbay trace ns1 loop --json | jq -r .verdict
      """)
    #expect(
      lines == [
        "- Attachments", "  - loop cannot be looked",
        "no problems, no warnings, 1 check could not be made", "1", "0", "1", "doubt",
      ], "\(output)")
  }

  @Test("ends where files are no files, in whatever directory, and says so")
  func pipes() throws {
    let (lines, output) = try Self.play(
      """
      mkfifo $NETCONFPATH/00.conflist cni/results/pipe leases/plain/192.168.0.9
      ask | sed "s|$PWD/||"; rm $NETCONFPATH/00.conflist
      mv leases/plain aside; : >leases/plain; ask; text leases; rm leases/plain; mv aside leases/plain
      mv cni/results aside; : >cni/results; ask | sed "s|$PWD/||"; text results; rm cni/results
      mv aside cni/results
      mv /run/openvswitch/ovs-vswitchd.pid pid; mkfifo /run/openvswitch/ovs-vswitchd.pid
      ask; rm /run/openvswitch/ovs-vswitchd.pid; mv pid /run/openvswitch/ovs-vswitchd.pid
      ask; echo end
      """)
    #expect(
      lines == [
        "configuration net.d/00.conflist", "leases plain", "results cni/results",
        "vswitchd-dead Open vSwitch", "end",
      ], "\(output)")
  }

  @Test("says within seconds that ovsdb-server has been stopped, whatever plugins may take")
  func stopped() throws {
    let (lines, output) = try Self.play(
      """
      kill -STOP $(cat /run/openvswitch/ovsdb-server.pid)
      SECONDS=0
      ask
      [ $SECONDS -lt 30 ] && echo soon
      kill -CONT $(cat /run/openvswitch/ovsdb-server.pid)
      """)
    #expect(lines == ["ovsdb-dead ovsdb-server", "soon"], "\(output)")
  }
}
