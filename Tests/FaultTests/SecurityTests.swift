import CLinux
import Foundation
import TestSupport
import Testing

/// The README, section Security, line by line.
@Suite("What input could reach", .privateHost, .serialized) struct SecurityTests {
  /// Names that would be elsewhere as a part of a path, or another word of a command.
  static let names = [
    "..", ".", "/etc", "../x", "a/b", "a/../../b", "", "a\nb", "a b", "-a", ".a", "a\u{0}b", "ä",
    "$(touch x)", "a;b", "`x`", "a%2fb",
  ]

  @Test("no network name, container ID, interface name or plugin type leaves its directory")
  func names() throws {
    let faults = try FaultHost()
    let sandbox = try Sandbox()
    let good = faults.configuration()
    try faults.plugin.add(good, containerID: "first", sandbox: sandbox).checked()
    try faults.plugin.del(good, containerID: "first", sandbox: sandbox).checked()
    let before = try faults.traces([sandbox])
    let files = Set(faults.host.directory.files().keys)
    for name in Self.names {
      for command in ["ADD", "CHECK", "DEL", "GC", "STATUS"] {
        let network = try faults.plugin.call(
          command, good.with(["name": .string(name)]), containerID: "c1", sandbox: sandbox.path,
          ifname: "eth0")
        #expect([6, 7].contains(network.code), "\(command) \(name.debugDescription): \(network)")
        let type = try faults.plugin.call(
          command, good.with(["ipam": ["type": .string(name)]]), containerID: "c1",
          sandbox: sandbox.path, ifname: "eth0")
        // Without a type there is no IPAM plugin to be asked.
        if !name.isEmpty, command != "GC" || type.status != 0 {
          #expect(type.status == 1, "\(command) \(name.debugDescription): \(type)")
        }
        if command == "GC" || command == "STATUS" || name.contains("\u{0}") { continue }
        let container = try faults.plugin.call(
          command, good, containerID: name, sandbox: sandbox.path, ifname: "eth0")
        #expect(container.code == 4, "\(command) \(name.debugDescription): \(container)")
        // What the kernel takes as a name of a link is one.
        let isLink = ["-a", ".a", "ä", "$(touch", "a;b", "`x`", "a%2fb"].contains(name)
        let interface = try faults.plugin.call(
          command, good, containerID: "c1", sandbox: sandbox.path, ifname: name)
        if isLink {
          try faults.plugin.del(good, containerID: "c1", sandbox: sandbox, ifname: name).checked()
        } else {
          #expect(interface.code == 4, "\(command) \(name.debugDescription): \(interface)")
        }
      }
    }
    #expect(try faults.traces([sandbox]).difference(from: before) == "")
    // Nothing but leases and what is kept beside them.
    let new = Set(faults.host.directory.files().keys).subtracting(files)
    #expect(new.filter { !$0.hasPrefix("leases/") } == [], "\(new)")
    #expect(!FileManager.default.fileExists(atPath: "x"))
  }

  @Test("directories and files have the modes that root's state deserves, whatever the umask")
  func modes() throws {
    let faults = try FaultHost()
    let sandbox = try Sandbox()
    let log = "\(faults.host.directory.path)/log"
    let old = umask(0)
    defer { umask(old) }
    try faults.plugin.add(
      faults.configuration(["logFile": .string(log), "logLevel": "debug"]), containerID: "c1",
      sandbox: sandbox
    ).checked()
    func mode(_ path: String) throws -> Int {
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      return (attributes[.posixPermissions] as? Int ?? -1) & 0o7777
    }
    let leases = faults.leaseDirectory
    #expect(try mode(log) == 0o640)
    #expect(try mode("\(leases)/net1") == 0o755)
    #expect(try mode("\(leases)/.patchbay") == 0o700)
    #expect(try mode("\(leases)/.patchbay/net1") == 0o700)
    for name in try FileManager.default.contentsOfDirectory(atPath: "\(leases)/net1") {
      #expect(try mode("\(leases)/net1/\(name)") == (name == "lock" ? 0o750 : 0o600), "\(name)")
    }
    for name in try FileManager.default.contentsOfDirectory(atPath: "\(leases)/.patchbay/net1") {
      #expect(try mode("\(leases)/.patchbay/net1/\(name)") == 0o600, "\(name)")
    }
  }

  @Test("symbolic links in directories of state are not followed")
  func links() throws {
    let faults = try FaultHost()
    let sandbox = try Sandbox()
    let configuration = faults.configuration()
    try faults.plugin.add(configuration, containerID: "first", sandbox: sandbox).checked()
    try faults.plugin.del(configuration, containerID: "first", sandbox: sandbox).checked()
    let victim = try faults.host.directory.write("precious", to: "victim")
    let state = "\(faults.leaseDirectory)/net1"
    let beside = "\(faults.leaseDirectory)/.patchbay/net1"
    let places =
      ["lock", "last_reserved_ip.0", "10.7.0.3"].map { "\(state)/\($0)" }
      + ["index", "draft", "boot", "memory"].map { "\(beside)/\($0)" }
    for place in places {
      unlink(place)
      try FileManager.default.createSymbolicLink(atPath: place, withDestinationPath: victim)
      for command in ["ADD", "DEL", "GC"] {
        _ = try faults.plugin.call(
          command,
          configuration.with(["cni.dev/valid-attachments": [], "timeout": 2]),
          containerID: "c1", sandbox: sandbox.path, ifname: "eth0")
        #expect(faults.host.directory.read("victim") == "precious", "\(command) by \(place)")
      }
      unlink(place)
      try faults.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
    }
    let log = "\(faults.host.directory.path)/log"
    try FileManager.default.createSymbolicLink(atPath: log, withDestinationPath: victim)
    let logging = faults.configuration(["logFile": .string(log), "logLevel": "debug"])
    try faults.plugin.add(logging, containerID: "c1", sandbox: sandbox).checked()
    try faults.plugin.del(logging, containerID: "c1", sandbox: sandbox).checked()
    #expect(faults.host.directory.read("victim") == "precious")
  }

  @Test(
    "a delegate's environment is the plugin's own, but for the command; no shell sees any of it")
  func environment() throws {
    let faults = try FaultHost()
    let seen = "\(faults.host.directory.path)/seen"
    try faults.host.directory.write(
      "#!/bin/sh\n[ $CNI_COMMAND = ADD ] || exit 0\nenv -0 >\(seen)\necho \"$0 $#\" >\(seen).words\nexit 1\n",
      to: "bin/spy", mode: 0o755)
    let sandbox = try Sandbox()
    let variables = [
      "CNI_COMMAND": "ADD", "CNI_PATH": "\(faults.host.directory.path)/bin",
      "CNI_CONTAINERID": "c1", "CNI_NETNS": sandbox.path, "CNI_IFNAME": "eth0",
      "CNI_ARGS": "IgnoreUnknown=1;X=$(touch \(seen).shell)", "ODD": "a\nb'\"$(id)",
    ]
    _ = try faults.plugin.call(
      variables, input: faults.configuration(["ipam": ["type": "spy"]]).encoded)
    let text = FileManager.default.contents(atPath: seen) ?? Data()
    let lines = text.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    for (name, value) in variables { #expect(lines.contains("\(name)=\(value)")) }
    #expect(lines.filter { $0.hasPrefix("CNI_") }.count == 6)
    #expect(faults.host.directory.read("seen.words")?.hasSuffix("spy 0\n") == true)
    #expect(!FileManager.default.fileExists(atPath: "\(seen).shell"))
  }

  @Test("a line of the log is one line, whatever is in it")
  func log() throws {
    let log = try TemporaryDirectory()
    let result = try Plugin("host-local").call(
      [
        "CNI_COMMAND": "GC", "CNI_PATH": "/", "CNI_CONTAINERID": "a\nforged", "CNI_IFNAME": "b\nc",
      ],
      input: Document.object([
        "cniVersion": "1.1.0", "name": "n", "type": "x\nforged",
        "ipam": ["type": "host-local", "dataDir": "/dev/null/a\nforged"],
        "cni.dev/valid-attachments": [],
        "logFile": .string("\(log.path)/log"), "logLevel": "debug",
      ]).encoded)
    #expect(result.status == 1)
    let lines = (log.read("log") ?? "").split(separator: "\n")
    #expect(!lines.isEmpty)
    #expect(lines.allSatisfy { !$0.hasPrefix("forged") && !$0.hasPrefix("c") }, "\(lines)")
  }

  @Test("a container that renames, re-addresses and aliases its link changes nothing outside")
  func container() throws {
    let faults = try FaultHost()
    let (sandbox, other) = (try Sandbox(), try Sandbox())
    let configuration = faults.configuration()
    try faults.plugin.add(configuration, containerID: "c2", sandbox: other).checked()
    let before = try faults.traces([other])
    let result = try faults.plugin.add(configuration, containerID: "c1", sandbox: sandbox)
      .checked()
    let host = result["interfaces"][0]["name"].text ?? ""
    let victim =
      try faults.host.ip("link").array.compactMap { $0["ifname"].text }
      .first { $0.hasPrefix("veth") && $0 != host } ?? ""
    // Its link gets the name, the address and the alias of another container's host end, and what
    // it makes itself those of its own.
    for words in [
      ["link", "set", "eth0", "down"], ["link", "set", "eth0", "name", victim],
      ["link", "set", victim, "alias", "patchbay:net1/c2/eth0"],
      ["link", "set", victim, "address", "02:00:00:00:00:07"],
      ["link", "add", host, "type", "veth", "peer", "name", "eth0"],
    ] {
      try sandbox.exec("ip", words).checked()
    }
    let check = try faults.plugin.check(
      configuration, previous: result, containerID: "c1", sandbox: sandbox)
    #expect(check.status == 1)
    try faults.plugin.gc(configuration, valid: [("c2", "eth0")]).checked()
    try faults.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
    #expect(try faults.traces([other]).difference(from: before) == "")
    // What it made itself is its own.
    #expect(try sandbox.ip("link").array.count == 3)
  }

  @Test("a sandbox whose path comes to name the host's namespace: nothing is done to the host")
  func swappedSandbox() throws {
    let faults = try FaultHost()
    let configuration = faults.configuration()
    let sandbox = try Sandbox()
    try faults.plugin.add(configuration, containerID: "first", sandbox: sandbox).checked()
    try faults.plugin.del(configuration, containerID: "first", sandbox: sandbox).checked()
    let before = try faults.traces([sandbox])
    let path = "\(faults.host.directory.path)/swapped"
    var refusals = 0
    for step in 1...200 {
      unlink(path)
      try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: sandbox.path)
      let stepped = try faults.step(
        .run("ln -sfn \(faults.host.namespace.path) \(path)"), at: step, "ADD", configuration, "c1",
        sandbox, sandboxPath: path)
      if stepped.result.status == 1 {
        refusals += 1
        #expect(stepped.result.code == 8, "\(step): \(stepped.result)")
        #expect(try faults.traces([sandbox]).difference(from: before) == "", "\(step)")
      }
      if stepped.call == nil || stepped.result.status == 0 { break }
    }
    #expect(refusals > 5)
    try faults.plugin.del(configuration, containerID: "c1", sandbox: nil).checked()
    #expect(try faults.traces([sandbox]).difference(from: before) == "")
  }

  @Test("a sandbox that is the host's, a file, a FIFO, a device or a link to one is refused")
  func sandboxes() throws {
    let faults = try FaultHost()
    let configuration = faults.configuration(["timeout": 2])
    let before = try faults.traces([])
    let directory = faults.host.directory.path
    let fifo = "\(directory)/fifo"
    mkfifo(fifo, 0o600)
    let link = "\(directory)/self"
    try FileManager.default.createSymbolicLink(
      atPath: link, withDestinationPath: "/proc/self/ns/net")
    for path in [
      faults.host.namespace.path, link, "/proc/thread-self/ns/net", fifo, "/dev/zero", "/dev/tty",
      "/etc/passwd", directory, "/proc/self/ns/mnt", "/proc/self/ns/user", "/nowhere", "\n",
      String(repeating: "x", count: 5000),
    ] {
      let began = ContinuousClock.now
      let result = try faults.plugin.call(
        "ADD", configuration, containerID: "c1", sandbox: path, ifname: "eth0")
      #expect(result.code == 8, "\(path.prefix(40)): \(result)")
      #expect(ContinuousClock.now - began < .seconds(2 * slowness))
    }
    #expect(try faults.traces([]).difference(from: before) == "")
  }
}
