import CLinux
import Foundation
import TestSupport
import Testing

/// Delegates that are shell scripts, so that each can be as bad as it likes.
@Suite("An IPAM plugin that does not answer as it should", .privateHost, .serialized)
struct DelegateTests {
  /// What the delegate does on ADD, and what code follows.
  static let faults: [(script: String, code: Int)] = [
    ("sleep 100", 11),
    ("exec sleep 100", 11),
    ("trap '' TERM HUP INT; while :; do :; done", 11),
    ("kill -SEGV $$", 999),
    ("kill -KILL $$", 999),
    ("exit 3", 999),
    (":", 999),
    ("echo null", 999),
    ("echo hello; exit 1", 999),
    ("head -c 4096 /dev/urandom", 6),
    ("echo '{\"cniVersion\":\"1.1.0\",'", 6),
    ("echo '{}'; echo '{}'", 6),
    ("echo '[]'", 6),
    ("echo '{\"cniVersion\":\"1.1.0\",\"ips\":[]}'", 999),
    ("echo '{\"cniVersion\":\"1.1.0\",\"ips\":[{\"address\":\"10.1.2.3/33\"}]}'", 6),
    ("echo '{\"cniVersion\":\"9.9.9\",\"ips\":[]}'", 6),
    ("head -c 1048576 /dev/zero | tr '\\0' x", 6),
    ("yes", 999),
    ("exec >&-; sleep 100", 11),
    ("(sleep 100 &) ; kill -SEGV $$", 999),
    ("echo '{\"code\":103,\"msg\":\"no\",\"details\":\"more\"}'; exit 1", 103),
    ("echo '{\"code\":\"x\"}'; exit 1", 999),
  ]

  @Test("ADD says so in time, leaves nothing, and lets the delegate release", arguments: faults)
  func add(script: String, code: Int) throws {
    let faults = try FaultHost()
    let calls = "\(faults.host.directory.path)/calls"
    let directory = "\(faults.host.directory.path)/bin"
    try faults.host.directory.write(
      """
      #!/bin/sh
      echo $CNI_COMMAND >>\(calls)
      [ $CNI_COMMAND = ADD ] || exit 0
      \(script)
      """, to: "bin/bad", mode: 0o755)
    let sandbox = try Sandbox()
    let configuration = faults.configuration(["ipam": ["type": "bad"], "timeout": 2])
    let before = try faults.traces([sandbox])
    let began = ContinuousClock.now
    let result = try faults.plugin.add(
      configuration, containerID: "c1", sandbox: sandbox, path: directory)
    #expect(ContinuousClock.now - began < .seconds(8 * slowness))
    #expect(result.code == code, "\(result)")
    // Of random bytes each run has others.
    if !script.contains("random") {
      try Messages.expect(
        result, code: code, of: "ovs-bridge", on: "ADD, an IPAM plugin does: \(script)")
    }
    #expect(try faults.traces([sandbox]).difference(from: before) == "")
    let log = FileManager.default.contents(atPath: calls).map {
      String(decoding: $0, as: UTF8.self)
    }
    #expect(log == "ADD\nDEL\n")
  }

  @Test("a megabyte of an answer is an answer")
  func long() throws {
    let faults = try FaultHost()
    try faults.host.directory.write(
      """
      #!/bin/sh
      [ $CNI_COMMAND = ADD ] || exit 0
      printf '{"cniVersion":"1.1.0","ips":[{"address":"10.1.2.3/24"}],"x":"'
      head -c 1048576 /dev/zero | tr '\\0' x
      printf '"}'
      """, to: "bin/bad", mode: 0o755)
    let sandbox = try Sandbox()
    let result = try faults.plugin.add(
      faults.configuration(["ipam": ["type": "bad"]]), containerID: "c1", sandbox: sandbox,
      path: "\(faults.host.directory.path)/bin"
    ).checked()
    #expect(result["ips"][0]["address"] == "10.1.2.3/24")
  }

  @Test("one that is at work when ADD is killed does not go on")
  func orphan() throws {
    let faults = try FaultHost()
    let directory = faults.host.directory.path
    try faults.host.directory.write(
      """
      #!/bin/sh
      [ $CNI_COMMAND = ADD ] || exec \(Plugin.directory)/host-local
      echo >\(directory)/begun
      sleep \(slowness)
      echo >\(directory)/gone-on
      exec \(Plugin.directory)/host-local
      """, to: "bin/slow", mode: 0o755)
    let sandbox = try Sandbox()
    let configuration = faults.configuration([
      "ipam": [
        "type": "slow", "dataDir": .string(faults.leaseDirectory),
        "ranges": [[["subnet": "10.7.0.0/16"]]],
      ]
    ])
    let before = try faults.traces([sandbox])
    let variables = [
      "CNI_COMMAND": "ADD", "CNI_PATH": "\(directory)/bin", "CNI_CONTAINERID": "c1",
      "CNI_NETNS": sandbox.path, "CNI_IFNAME": "eth0",
    ]
    // timeout(1) kills the plugin alone.
    let result = try faults.host.namespace.exec(
      "timeout", ["--foreground", "-s", "KILL", "\(0.5 * Double(slowness))", faults.plugin.path],
      environment: ProcessInfo.processInfo.environment.merging(variables) { $1 },
      input: configuration.encoded)
    #expect(result.status != 0)
    #expect(FileManager.default.fileExists(atPath: "\(directory)/begun"))
    try faults.plugin.del(
      configuration, containerID: "c1", sandbox: sandbox, path: "\(directory)/bin"
    ).checked()
    usleep(useconds_t(1_500_000 * slowness))
    #expect(!FileManager.default.fileExists(atPath: "\(directory)/gone-on"))
    #expect(try faults.traces([sandbox]).difference(from: before) == "")
  }
}

@Suite("What may happen around an ADD", .privateHost, .serialized)
struct SurroundingsTests {
  @Test("a lock that is held for ever: code 11 in time, with the holder, and nothing is left")
  func lock() throws {
    let faults = try FaultHost()
    let sandbox = try Sandbox()
    let configuration = faults.configuration(["timeout": 2])
    try faults.plugin.add(configuration, containerID: "first", sandbox: sandbox).checked()
    try faults.plugin.del(configuration, containerID: "first", sandbox: sandbox).checked()
    let before = try faults.traces([sandbox])
    let held = open("\(faults.leaseDirectory)/\(faults.name)/lock", O_RDWR | O_CLOEXEC)
    #expect(held >= 0)
    #expect(flock(held, LOCK_EX) == 0)
    let name = try String(contentsOfFile: "/proc/\(getpid())/comm", encoding: .utf8).dropLast()
    let holder = ["process PID (NAME)": "process \(getpid()) (\(name))"]
    for (command, bound) in [("ADD", 9), ("DEL", 4), ("GC", 4)] {
      let began = ContinuousClock.now
      let result = try faults.plugin.call(
        command, configuration.with(["cni.dev/valid-attachments": []]), containerID: "c1",
        sandbox: sandbox.path, ifname: "eth0")
      #expect(ContinuousClock.now - began < .seconds(bound * slowness), "\(command)")
      #expect(result.code == 11, "\(command): \(result)")
      // GC goes on, and what it has no time left for is another thing in each run.
      let part = result.message.components(separatedBy: "; ").first { $0.contains("host-local") }
      try Messages.expect(
        command == "GC" ? part ?? "" : result.message, of: "ovs-bridge",
        on: "\(command), the lock of the leases is held", hiding: holder)
      #expect(try faults.traces([sandbox]).difference(from: before) == "", "\(command)")
    }
    close(held)
    try faults.plugin.add(configuration, containerID: "c1", sandbox: sandbox).checked()
    try faults.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
    #expect(try faults.traces([sandbox]).difference(from: before) == "")
  }

  /// A sandbox that has lost its name and its processes lives on as long as ADD holds it open.
  @Test("a sandbox that vanishes at any step of ADD leaves nothing that DEL does not remove")
  func vanishing() throws {
    let faults = try FaultHost()
    let configuration = faults.configuration()
    let before = try {
      let sandbox = try Sandbox()
      try faults.plugin.add(configuration, containerID: "first", sandbox: sandbox).checked()
      try faults.plugin.del(configuration, containerID: "first", sandbox: sandbox).checked()
      return try faults.traces([])
    }()
    let violations = Violations()
    var count = 0
    var step = 1
    while true {
      let sandbox = try Sandbox()
      let stepped = try faults.step(
        .run("ip netns delete \(sandbox.name)"), at: step, "ADD", configuration, "c1", sandbox)
      guard let call = stepped.call else { break }
      count += 1
      let place = "sandbox gone at call \(step), \(call)"
      violations.expect([0, 1].contains(stepped.result.status), "\(place): \(stepped.result)")
      violations.expect(!stepped.result.json.isAbsent, "\(place): \(stepped.result)")
      if stepped.result.status == 1 {
        violations.expectNothing(try faults.traces([]).difference(from: before), place)
      }
      try faults.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
      violations.expectNothing(
        try faults.traces([]).difference(from: before), "\(place), then DEL")
      step += isSoak ? 1 : 5
    }
    #expect(count > 15)
    figures(
      "ADD whose sandbox vanished at \(count) steps; violations: \(violations.count)")
  }

  @Test("a runtime that is gone when ADD answers: the attachment is taken back")
  func deafRuntime() throws {
    let faults = try FaultHost()
    let sandbox = try Sandbox()
    let configuration = faults.configuration()
    try faults.plugin.add(configuration, containerID: "first", sandbox: sandbox).checked()
    try faults.plugin.del(configuration, containerID: "first", sandbox: sandbox).checked()
    let before = try faults.traces([sandbox])
    try faults.host.directory.write(configuration.description, to: "in.json")
    let variables = [
      "CNI_COMMAND": "ADD", "CNI_PATH": faults.plugin.searchPath, "CNI_CONTAINERID": "c1",
      "CNI_NETNS": sandbox.path, "CNI_IFNAME": "eth0",
    ]
    for output in ["/dev/full", "| :"] {
      let redirection = output.hasPrefix("|") ? output : ">\(output)"
      _ = try faults.host.namespace.exec(
        "bash",
        [
          "-c",
          "set -o pipefail; \(faults.plugin.path) <\(faults.host.directory.path)/in.json \(redirection)",
        ], environment: ProcessInfo.processInfo.environment.merging(variables) { $1 })
      #expect(try faults.traces([sandbox]).difference(from: before) == "", "\(output)")
    }
  }
}
