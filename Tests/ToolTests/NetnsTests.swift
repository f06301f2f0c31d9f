import Foundation
import TestSupport
import Testing

@Suite("netns", .privateHost)
struct NetnsTests {
  @Test("what one of ip-netns(8) and this adds, the other sees, enters and deletes")
  func interoperation() throws {
    let output = try Patchbay.play(
      """
      set -e
      patchbay netns add ours also-ours
      ip netns add theirs
      ip netns list | sort | sed 's/ .*//'
      patchbay netns list
      ip netns exec ours ip -br address show lo | grep -o '127.0.0.1/8'
      patchbay netns exec theirs ip -br link | grep -o '^lo'
      ip netns delete ours
      patchbay netns del theirs also-ours
      ls /run/netns
      """)
    #expect(output.status == 0, "\(output)")
    #expect(
      output.stdout
        == "also-ours\nours\ntheirs\nalso-ours\nours\ntheirs\n127.0.0.1/8\nlo\n", "\(output)")
  }

  @Test("the JSON list has names and paths")
  func json() throws {
    let output = try Patchbay.play("patchbay netns add b a && patchbay netns list --json").checked()
    #expect(
      try Document(parsing: output.bytes) == [
        ["name": "a", "path": "/run/netns/a"], ["name": "b", "path": "/run/netns/b"],
      ])
  }

  @Test("many adds at once make one mount of /run/netns, and all of the namespaces")
  func concurrency() throws {
    let output = try Patchbay.play(
      """
      # Those outside, which the playground's /run hides.
      before=$(grep -c ' /run/netns ' /proc/self/mountinfo)
      for number in 1 2 3 4 5 6 7 8; do patchbay netns add n$number & done
      wait
      patchbay netns list | wc -l
      echo $(($(grep -c ' /run/netns ' /proc/self/mountinfo) - before))
      """)
    #expect(output.stdout == "8\n1\n", "\(output)")
  }

  @Test(
    "an add is not kept waiting by a process that holds the lock, and may be an ordinary user's")
  func lockedDirectory() throws {
    let output = try Patchbay.play(
      """
      mkdir -p /run/netns
      flock --no-fork /run/netns sleep 60 & holder=$!
      until grep -q sleep /proc/$holder/comm; do sleep 0.05; done
      timeout 20 patchbay netns add a && timeout 1 patchbay netns add b
      echo $?
      patchbay netns list
      kill $holder
      """)
    #expect(output.stdout == "0\na\nb\n", "\(output)")
    try Messages.expect(
      output.stderr, of: "patchbay", on: "patchbay netns add a, /run/netns is locked")
  }

  @Test("exec sees the namespace's links in /sys, and has the exit status of the command")
  func exec() throws {
    let output = try Patchbay.play(
      """
      patchbay netns add a
      ip link add v0 type veth peer name eth7 netns a
      patchbay netns exec a ls /sys/class/net
      ls /sys/class/net
      patchbay netns exec a sh -c 'exit 9'; echo $?
      patchbay netns exec a there-is-no-such-program; echo $?
      """)
    #expect(output.stdout == "eth7\nlo\nlo\nv0\n9\n127\n", "\(output)")
    try Messages.expect(
      output.stderr, of: "patchbay", on: "patchbay netns exec a there-is-no-such-program")
  }

  @Test("a process that is in a namespace keeps it when its name is deleted")
  func use() throws {
    let output = try Patchbay.play(
      """
      patchbay netns add a
      patchbay netns exec a sleep 1000 &
      sleeping=$!
      until [ "$(cat /proc/$sleeping/comm)" = sleep ]; do sleep 0.01; done
      patchbay netns del a; echo $?
      nsenter --net=/proc/$sleeping/ns/net ip -br link | grep -o '^lo'
      """)
    #expect(output.stdout == "0\nlo\n", "\(output)")
  }

  @Test(
    "names that cannot be a file's are refused",
    arguments: ["", ".", "..", "a/b", "/run/netns/a", "a b", String(repeating: "a", count: 256)])
  func names(_ name: String) throws {
    for command in ["add", "del"] {
      let output = try Patchbay.run("netns", command, "--", name)
      #expect(output.status == 1)
      #expect(output.stderr.hasPrefix("\"\(name)\" "))
      try Messages.expect(
        "\"NAME\"" + output.stderr.dropFirst(name.count + 2), of: "patchbay",
        on: "patchbay netns \(command) NAME, which is illegal")
    }
  }

  @Test(
    "an error says what there is, and what to do",
    arguments: [
      ("add a", 1), ("del c", 1), ("exec c true", 1), ("exec torn true", 1),
    ] as [(String, Int32)])
  func errors(_ command: String, _ status: Int32) throws {
    let output = try Patchbay.play(
      "patchbay netns add a b; touch /run/netns/torn; patchbay netns \(command)")
    #expect(output.status == status)
    try Messages.expect(output.stderr, of: "patchbay", on: "patchbay netns \(command)")
  }

  @Test("a file without a namespace, as an interrupted add leaves it, is told and can be deleted")
  func torn() throws {
    let output = try Patchbay.play(
      """
      mkdir /run/netns && touch /run/netns/torn
      patchbay netns list && patchbay netns list --json && patchbay netns del torn && ls /run/netns
      """)
    #expect(output.stdout == "torn (a file without a namespace)\n[]\n", "\(output)")
    #expect(output.status == 0)
  }

  @Test("a command without its arguments is a matter of usage", arguments: ["add", "del", "exec"])
  func usage(_ command: String) throws {
    #expect(try Patchbay.run("netns", command).status == 2)
  }
}
