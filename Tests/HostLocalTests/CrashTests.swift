import Addresses
import Foundation
import Glibc
import Linux
import TestSupport
import Testing

@testable import LeaseFiles

/// A network in which plugins are killed, and what must be so whatever happens.
private struct Wreckage {
  let network: Network
  /// What plugins that ended as they should have leased, and not released.
  var live: [String: [String]] = [:]

  static let ipam: Document = [
    "ranges": [[["subnet": "10.1.0.0/26"]], [["subnet": "fd00::/64", "rangeEnd": "fd00::40"]]],
    "sticky": "name",
  ]
  static let arguments = "K8S_POD_NAMESPACE=a;K8S_POD_NAME=pod"
  /// A plugin that is stopped before one of these leaves what it leaves before the next that is
  /// none.
  static let harmless: Set = [
    "read", "pread64", "newfstatat", "brk", "mmap", "munmap", "mprotect", "gettid", "poll",
    "rt_sigaction", "sched_getaffinity", "getrandom", "getdents64", "lseek",
  ]

  init() throws {
    network = try Network(Self.ipam)
    for id in ["x", "y", "z"] { live[id] = try network.add(id) }
    _ = try network.add("w", args: Self.arguments)
    try network.del("w")
  }

  /// Every lease is whole; those that are live are there, and no others but those of `open`.
  func checkFiles(_ open: Set<String>, _ what: String) {
    var expected: [String: String] = [:]
    for (id, addresses) in live where !open.contains(id) {
      for address in addresses { expected[address] = "\(id)\r\neth0" }
    }
    let possible = Set(open.map { "\($0)\r\neth0" })
    #expect(network.leases.filter { !possible.contains($0.value) } == expected, "\(what)")
  }

  /// What the index says, which one who only reads trusts where it matches, is what the files say.
  func checkIndex(_ what: String) throws {
    let location = LeaseLocation(dataDirectory: network.temporary.path, network: "net")
    guard
      var store = try LeaseDirectory.open(
        location, for: .reading, reclaims: true, until: .after(.seconds(5)))
    else {
      Issue.record("\(what): there are no leases")
      return
    }
    for (id, addresses) in live {
      let holder = LeaseHolder(containerID: id, interfaceName: "eth0")
      let held = try store.addresses(of: holder).map { $0.description }
      #expect(Set(held) == Set(addresses) && held.count == addresses.count, "\(what): \(id)")
    }
    let leases = network.leases
    for number in 1..<63 {
      for text in ["10.1.0.\(number)", "fd00::\(String(number, radix: 16))"] {
        let address = try #require(IPAddress(text))
        let isFree = try store.isFree(address)
        #expect(isFree == (leases[text] == nil), "\(what): \(text)")
      }
    }
  }

  /// After an ADD or DEL of `id` was killed, the same again succeeds and leaves nothing over.
  mutating func recover(_ command: String, _ id: String, _ what: String) throws {
    checkFiles([id], what)
    if command == "ADD" {
      live[id] = try network.add(id)
      #expect(live[id]?.count == 2, "\(what)")
    } else {
      try network.del(id)
      live[id] = nil
    }
    checkFiles([], what)
    try checkIndex(what)
  }
}

/// What becomes of a plugin at one of its system calls; see Tests/Steps/main.c.
private enum Fault {
  case kill
  /// The call is not made, and answers this error number.
  case fail(CInt)
}

@Suite("A plugin that is stopped", .privateHost) struct CrashTests {
  private static let steps = "\(Plugin.debugDirectory)/steps"

  /// Runs the plugin with a fault at its system call number `step`; the status is nil where it made
  /// fewer.
  private func run(
    _ command: String, _ id: String, _ network: Network, _ fault: Fault, at step: Int
  ) throws -> (status: Int32?, call: String) {
    let report = network.temporary.path + "/steps"
    let words =
      switch fault {
      case .kill: ["kill", "\(step)", ""]
      case .fail(let number): ["fail", "\(step)", "\(number)"]
      }
    let output = try TestSupport.run(
      Self.steps,
      [report, "/proc/self/ns/net", "self"] + words + [Plugin("host-local").path],
      environment: [
        "CNI_COMMAND": command, "CNI_CONTAINERID": id, "CNI_IFNAME": "eth0",
        "CNI_NETNS": "/nowhere", "CNI_PATH": "/",
        "CNI_ARGS": Wreckage.arguments,
      ], input: network.configuration.encoded)
    let parts = try String(contentsOfFile: report, encoding: .utf8).split(
      whereSeparator: \.isWhitespace)
    let count = try #require(parts.first.flatMap { Int($0) }, "\(output)")
    guard count >= step else { return (nil, "") }
    return (output.status, parts.count > 1 ? String(parts[1]) : "")
  }

  @Test(
    "before any of its system calls loses no address and gives none twice",
    arguments: ["ADD", "DEL", "ADD after another program", "first ADD"])
  func killed(scenario: String) throws {
    var wreckage = try Wreckage()
    let command = scenario == "DEL" ? "DEL" : "ADD"
    var calls: Set<String> = []
    var (step, past) = (0, 0)
    while true {
      step += 1
      let id = "c\(step)"
      switch scenario {
      case "DEL": wreckage.live[id] = try wreckage.network.add(id)
      case "ADD after another program":
        try wreckage.network.write("10.1.0.60", "other\r\neth0")
        wreckage.live["other"] = ["10.1.0.60"]
      case "first ADD":
        for path in [wreckage.network.path, wreckage.network.temporary.path + "/.patchbay"] {
          try? FileManager.default.removeItem(atPath: path)
        }
        wreckage.live = [:]
      default: break
      }
      let (status, call) = try run(command, id, wreckage.network, .kill, at: step)
      calls.insert(call)
      let what = "\(scenario), call \(step) \(call)"
      if Wreckage.harmless.contains(call) {
        wreckage.checkFiles([id], what)
      } else {
        try wreckage.recover(command, id, what)
      }
      if wreckage.network.leases.values.contains("\(id)\r\neth0") { try wreckage.network.del(id) }
      wreckage.live[id] = nil
      wreckage.checkFiles([], what)
      // Not every run makes as many.
      past = status == nil ? past + 1 : 0
      if past == 5 { break }
    }
    figures("host-local killed at \(step - past) system calls: \(scenario)")
    #expect(calls.isSuperset(of: ["openat", "pwrite64", "unlinkat", "utimensat"]))
    if command == "ADD" { #expect(calls.isSuperset(of: ["linkat", "write"])) }
    let kept = wreckage.network.temporary.path + "/.patchbay/net"
    let names = try FileManager.default.contentsOfDirectory(atPath: kept)
    #expect(Set(names).isSubset(of: ["index", "boot", "memory"]), "\(names)")
  }

  @Test(
    "before any system call of GC keeps every lease that is valid, and the next GC ends the work")
  func killedInGC() throws {
    let wreckage = try Wreckage()
    let valid = wreckage.live.keys.sorted().map {
      ["containerID": .string($0), "ifname": "eth0"] as Document
    }
    let members: [String: Document] = [
      "cniVersion": "1.1.0", "cni.dev/valid-attachments": .array(valid),
    ]
    let collected = try wreckage.network.with(members)
    let gone: Set = ["gone-1", "gone-2", "gone-3"]
    var (step, past) = (0, 0)
    while past < 5 {
      step += 1
      for id in gone.sorted() { _ = try wreckage.network.add(id) }
      let (status, call) = try run("GC", "-", collected, .kill, at: step)
      past = status == nil ? past + 1 : 0
      let what = "call \(step) \(call)"
      wreckage.checkFiles(gone, what)
      if Wreckage.harmless.contains(call) { continue }
      try wreckage.checkIndex(what)
      try wreckage.network.call("GC", "", with: members).checked()
      wreckage.checkFiles([], what)
      try wreckage.checkIndex(what)
    }
    figures("host-local killed at \(step - past) system calls: GC")
    #expect(step > 60)
  }

  @Test(
    "while it removes the leases of the last boot, tears none and gives none of this boot twice")
  func killedAfterReboot() throws {
    let network = try Wreckage().network
    let index = network.temporary.path + "/.patchbay/net/index"
    var (step, past) = (0, 0)
    while true {
      step += 1
      for id in ["x", "y", "z"] where network.leases.count < 6 { _ = try network.add(id) }
      do {
        let file = try FileDescriptor.open(index, .readWrite)
        var index = LeaseIndex(PageFile(file, isWritable: true))
        // The one before may have been killed while it rebuilt the index.
        if index.isReadable() {
          try index.setField(LeaseIndex.Field.boot, UInt64(step))
          try index.pages.write()
        }
      }
      let (status, call) = try run("ADD", "c", network, .kill, at: step)
      if Wreckage.harmless.contains(call) { continue }
      let what = "call \(step) \(call)"
      let whole = ["c", "x", "y", "z"].map { "\($0)\r\neth0" }
      #expect(network.leases.values.allSatisfy { whole.contains($0) }, "\(what)")
      #expect(try network.add("c").count == 2, "\(what)")
      #expect(network.leases.values.count { $0 == "c\r\neth0" } == 2, "\(what)")
      // What was not removed yet is as new as these files are; GC, DEL or the next boot has it.
      try network.call("GC", "", with: ["cni.dev/valid-attachments": []]).checked()
      #expect(network.leases == [:], "\(what)")
      // Not every run makes as many.
      past = status == nil ? past + 1 : 0
      if past == 5 { break }
    }
    #expect(step > 60)
  }

  @Test(
    "by an error at any of its system calls leaves all as it was, or has done its work",
    arguments: [("ADD", EIO), ("ADD", ENOSPC), ("DEL", EIO)])
  func failed(command: String, number: CInt) throws {
    var wreckage = try Wreckage()
    var refusals = 0
    var (step, past) = (0, 0)
    while true {
      step += 1
      let id = "c\(step)"
      if command == "DEL" { wreckage.live[id] = try wreckage.network.add(id) }
      let (status, call) = try run(command, id, wreckage.network, .fail(number), at: step)
      let what = "\(command), call \(step) \(call)"
      let mine = wreckage.network.leases.values.count { $0 == "\(id)\r\neth0" }
      if let status, status != 0 {
        #expect(status == 1, "\(what)")
        refusals += 1
        if command == "ADD" { #expect(mine == 0, "\(what)") }
      } else {
        #expect(mine == (command == "ADD" ? 2 : 0), "\(what)")
      }
      try wreckage.recover(command, id, what)
      if command == "ADD" {
        try wreckage.network.del(id)
        wreckage.live[id] = nil
      }
      // Not every run makes as many.
      past = status == nil ? past + 1 : 0
      if past == 5 { break }
    }
    #expect(refusals > 5 && refusals < step - 5, "\(refusals) of \(step)")
  }

  @Test("at any moment, 100 times, loses no address and gives none twice")
  func anyMoment() throws {
    var wreckage = try Wreckage()
    var random = SeededGenerator(UInt64(getpid()))
    // Microseconds; as long as half of them have ended before.
    var delay = 3000.0
    var kills = 0
    var round = 0
    // A busy machine often wakes us when the plugin has ended.
    while round < 300 || kills < 100 && round < 3000 {
      round += 1
      let command = round % 2 == 0 ? "ADD" : "DEL"
      let id = "c\(round / 2 % 12)"
      let plugin = try RunningPlugin(command, id, wreckage.network)
      usleep(UInt32(delay * Double.random(in: 0.5...1.5, using: &random)))
      plugin.kill()
      let (status, _) = try plugin.wait()
      if status == -SIGKILL {
        kills += 1
        delay = min(delay * 1.05, 100_000)
      } else {
        #expect(status == 0)
        delay = max(delay / 1.05, 100)
      }
      try wreckage.recover(command, id, "round \(round)")
    }
    figures("host-local killed at random moments: \(kills) of \(round) commands")
    #expect(kills >= 100, "\(kills) of \(round) were killed in time")
  }
}
