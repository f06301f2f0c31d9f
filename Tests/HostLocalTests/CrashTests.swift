import Addresses
import Foundation
import Glibc
import Linux
import TestSupport
import Testing

@testable import Leases

/// A network in which plugins are killed, and what must be so whatever happens.
private struct Wreckage {
  let network: Network
  /// What plugins that ended as they should have leased, and not released.
  var live: [String: [String]] = [:]

  static let ipam: Document = [
    "ranges": [[["subnet": "10.1.0.0/26"]], [["subnet": "fd00::/64", "rangeEnd": "fd00::40"]]],
    "sticky": "name",
  ]

  init() throws {
    network = try Network(Self.ipam)
    for id in ["x", "y", "z"] { live[id] = try network.add(id) }
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
      var store = try LeaseStore.open(
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

@Suite("A plugin that is killed") struct CrashTests {
  /// The system calls that change something, or that somebody else can see.
  static let calls =
    "openat,mkdirat,mkdir,write,pwrite64,linkat,unlinkat,renameat,utimensat,ftruncate,flock,close"

  /// Runs the plugin and kills it as it is about to make its call number `step`; false where it had
  /// ended before.
  private func killed(at step: Int, _ command: String, _ id: String, _ network: Network) throws
    -> Bool
  {
    let plugin = Plugin("host-local")
    let output = try run(
      "strace",
      [
        "-f", "-qq", "-o", "/dev/null", "-e", "trace=\(Self.calls)", "-e",
        "inject=\(Self.calls):signal=KILL:when=\(step)", plugin.path,
      ],
      environment: [
        "CNI_COMMAND": command, "CNI_CONTAINERID": id, "CNI_IFNAME": "eth0",
        "CNI_NETNS": "/nowhere", "CNI_PATH": "/",
        "CNI_ARGS": "K8S_POD_NAMESPACE=a;K8S_POD_NAME=pod",
      ], input: network.configuration.encoded)
    if output.status != 0 { #expect(output.status == -SIGKILL, "\(output)") }
    return output.status != 0
  }

  @Test(
    "before any of its system calls loses no address and gives none twice",
    arguments: [
      "ADD", "DEL", "ADD after somebody else", "ADD after a reboot", "first ADD",
    ])
  func everyCall(scenario: String) throws {
    var wreckage = try Wreckage()
    let command = String(scenario.suffix(3)) == "DEL" ? "DEL" : "ADD"
    let place = LeaseLocation(dataDirectory: wreckage.network.temporary.path, network: "net")
    var step = 0
    var wasKilled = true
    while wasKilled {
      step += 1
      let id = "c\(step)"
      let what = "\(scenario), call \(step)"
      switch scenario {
      case "DEL": wreckage.live[id] = try wreckage.network.add(id)
      case "ADD after somebody else":
        try wreckage.network.write("10.1.0.60", "other\r\neth0")
        wreckage.live["other"] = ["10.1.0.60"]
      case "ADD after a reboot":
        // A file without a holder is what a purge leaves last; those of this boot are not purged.
        let file = try FileDescriptor.open(place.privatePath + "/index", .readWrite)
        var index = LeaseIndex(PageFile(file, isWritable: true))
        try index.setField(LeaseIndex.Field.boot, UInt64(step))
        try index.pages.write()
        wreckage.live = [:]
      case "first ADD":
        try FileManager.default.removeItem(atPath: wreckage.network.path)
        try FileManager.default.removeItem(atPath: wreckage.network.temporary.path + "/.patchbay")
        wreckage.live = [:]
      default: break
      }
      wasKilled = try killed(at: step, command, id, wreckage.network)
      if scenario == "ADD after a reboot" {
        // Who was killed in a purge leaves some for GC, or for the next boot; none is torn.
        let left = wreckage.network.leases
        #expect(left.values.allSatisfy { LeaseHolder(content: Array($0.utf8)) != nil }, "\(what)")
        let result = try wreckage.network.add(id)
        #expect(result.count == 2)
        let leases = wreckage.network.leases
        #expect(leases.count { $0.value == "\(id)\r\neth0" } == 2, "\(what)")
        try wreckage.network.call("GC", "", with: ["cni.dev/valid-attachments": []]).checked()
        #expect(wreckage.network.leases == [:], "\(what)")
        for id in ["x", "y", "z"] { wreckage.live[id] = try wreckage.network.add(id) }
        continue
      }
      try wreckage.recover(command, id, what)
      if command == "ADD" {
        try wreckage.network.del(id)
        wreckage.live[id] = nil
        wreckage.checkFiles([], what)
      }
    }
    // Fewer would mean that the calls were not those that are made.
    #expect(step > 25, "\(scenario) has \(step) calls")
    let names = try FileManager.default.contentsOfDirectory(atPath: place.privatePath)
    #expect(Set(names).isSubset(of: ["index", "boot", "memory"]), "\(names)")
  }

  @Test("at any moment, 300 times, loses no address and gives none twice")
  func anyMoment() throws {
    var wreckage = try Wreckage()
    var random = SeededGenerator(UInt64(getpid()))
    let clock = ContinuousClock()
    let started = clock.now
    for number in 0..<10 { try wreckage.network.del("warm\(number)") }
    let usual = started.duration(to: clock.now) / 10
    var kills = 0
    for round in 0..<300 {
      let command = round % 2 == 0 ? "ADD" : "DEL"
      let id = "c\(round / 2 % 12)"
      let plugin = try RunningPlugin(command, id, wreckage.network)
      // Most of it is the start of the program.
      let share = Double.random(in: 0.2...1.3, using: &random)
      usleep(UInt32((usual / .microseconds(1)) * share))
      plugin.kill()
      let (status, _) = try plugin.wait()
      if status == -SIGKILL { kills += 1 } else { #expect(status == 0) }
      try wreckage.recover(command, id, "round \(round)")
    }
    #expect(kills > 50, "\(kills) of 300 were killed in time")
  }
}
