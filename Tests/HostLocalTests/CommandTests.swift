import Foundation
import Glibc
import TestSupport
import Testing

@Suite("DEL of host-local") struct ReleaseTests {
  @Test("releases all that an attachment has, twice, and of no other")
  func twice() throws {
    let network = try Network(
      ["ranges": [[["subnet": "10.1.0.0/24"]], [["subnet": "fd00::/64"]]]])
    _ = try network.add("a")
    _ = try network.add("a", ifname: "eth1")
    _ = try network.add("b")
    try network.del("a")
    let left = [
      "10.1.0.3": "a\r\neth1", "fd00::3": "a\r\neth1", "10.1.0.4": "b\r\neth0",
      "fd00::4": "b\r\neth0",
    ]
    #expect(network.leases == left)
    try network.del("a")
    #expect(network.leases == left)
  }

  @Test("needs neither ranges nor a directory, and makes none")
  func bare() throws {
    let network = try Network(["subnet": "10.1.0.0/24"])
    try network.del("a")
    #expect(!FileManager.default.fileExists(atPath: network.path))
    #expect(!FileManager.default.fileExists(atPath: network.temporary.path + "/.patchbay"))
    _ = try network.add("a")
    try network.withIPAM(["subnet": "nonsense", "ranges": 7, "routes": "x"]).del("a")
    #expect(network.leases == [:])
  }

  @Test("releases what early versions of the reference plugin wrote")
  func legacy() throws {
    let network = try Network(["subnet": "10.1.0.0/24"])
    try network.write("10.1.0.5", "a")
    try network.write("10.1.0.6", "a\r\neth1")
    try network.del("a")
    #expect(network.leases == ["10.1.0.6": "a\r\neth1"])
  }
}

@Suite("CHECK of host-local") struct CheckTests {
  private func previous(_ addresses: [String]) -> [String: Document] {
    let ips = addresses.map { Document.object(["address": .string($0)]) }
    return ["prevResult": ["cniVersion": "1.0.0", "ips": .array(ips)]]
  }

  @Test("compares the leases with prevResult, and changes nothing")
  func compares() throws {
    let network = try Network(
      ["ranges": [[["subnet": "10.1.0.0/24"]], [["subnet": "fd00::/64"]]]])
    _ = try network.add("a")
    _ = try network.add("b")
    func check(_ id: String, _ addresses: [String]) throws -> PluginResult {
      let before = network.temporary.files()
      let result = try network.call("CHECK", id, with: previous(addresses))
      #expect(network.temporary.files() == before)
      return result
    }
    func expectRefusal(_ id: String, _ addresses: [String], _ occasion: String) throws {
      let result = try check(id, addresses)
      #expect(result.status == 1)
      try Messages.expect(
        result.message, of: "host-local", on: "CHECK, \(occasion)",
        hiding: ["DIRECTORY": network.temporary.path])
    }
    try check("a", ["10.1.0.2/24", "fd00::2/64"]).checked()
    // Other plugins of the chain may have added addresses of other subnets.
    try check("a", ["10.1.0.2/24", "fd00::2/64", "192.168.0.1/24"]).checked()
    try expectRefusal("a", ["10.1.0.3/24", "fd00::2/64"], "prevResult has another address")
    try expectRefusal("a", ["10.1.0.2/24"], "prevResult has one address of two")
    try expectRefusal("c", ["10.1.0.2/24"], "no lease")
    try FileManager.default.removeItem(atPath: network.path + "/fd00::2")
    try expectRefusal("a", ["10.1.0.2/24", "fd00::2/64"], "a lease is lost")
  }
}

@Suite("GC of host-local") struct CollectionTests {
  private func valid(_ attachments: [(String, String)]) -> [String: Document] {
    let list = attachments.map {
      ["containerID": .string($0.0), "ifname": .string($0.1)] as Document
    }
    return ["cni.dev/valid-attachments": .array(list)]
  }

  @Test("frees what is not valid, and nothing when the runtime does not tell what is")
  func frees() throws {
    let network = try Network(["subnet": "10.1.0.0/24"])
    for (id, name) in [("a", "eth0"), ("a", "eth1"), ("b", "eth0"), ("c", "eth0")] {
      _ = try network.add(id, ifname: name)
    }
    let other = try Network(["subnet": "10.1.0.0/24"], name: "other", in: network.temporary)
    _ = try other.add("x")
    try network.write("10.1.0.50", "c")
    try network.write("10.1.0.51", "gone")
    let all = network.leases
    for members: [String: Document] in [[:], ["cni.dev/valid-attachments": .null]] {
      try network.call("GC", "", with: members).checked()
      #expect(network.leases == all)
    }
    try network.call("GC", "", with: valid([("a", "eth1"), ("c", "eth0")])).checked()
    #expect(network.leases.keys.sorted() == ["10.1.0.3", "10.1.0.5", "10.1.0.50"])
    try network.call(
      "GC", "", with: ["cni.dev/attachments": [["containerID": "a", "ifname": "eth1"]]]
    ).checked()
    #expect(network.leases.keys.sorted() == ["10.1.0.3"])
    try network.call("GC", "", with: valid([])).checked()
    #expect(network.leases == [:])
    #expect(network.files == ["last_reserved_ip.0": "10.1.0.5"])
    #expect(other.leases.count == 1)
    let none = try Network(["subnet": "10.1.0.0/24"], name: "none", in: network.temporary)
    try none.call("GC", "", with: valid([])).checked()
    #expect(!FileManager.default.fileExists(atPath: none.path))
  }
}

@Suite("STATUS of host-local") struct StatusTests {
  @Test("says that a range set is exhausted, and again that it is not")
  func exhausted() throws {
    let network = try Network(
      ["ranges": [[["subnet": "fd00::/64"]], [["subnet": "10.1.0.0/30"]]]])
    try network.call("STATUS", "").checked()
    #expect(!FileManager.default.fileExists(atPath: network.path))
    _ = try network.add("a")
    let result = try network.call("STATUS", "")
    try Messages.expect(result, code: 50, of: "host-local", on: "STATUS, all addresses are leased")
    try network.del("a")
    try network.call("STATUS", "").checked()
  }

  @Test("says that leases cannot be kept where they should")
  func unusable() throws {
    let file = try TemporaryDirectory()
    try file.write("", to: "file")
    let blocked = try Network(["subnet": "10.1.0.0/24", "dataDir": .string(file.path + "/file")])
    let result = try blocked.call("STATUS", "")
    try Messages.expect(result, code: 50, of: "host-local", on: "STATUS, dataDir is in a file")
    #expect(try blocked.call("ADD", "a").code == 5)
  }
}

@Suite("The lock of host-local") struct LockTests {
  @Test("that another process has is waited for, until the deadline, and its holder is named")
  func held() throws {
    let network = try Network(["subnet": "10.1.0.0/24"], with: ["timeout": 1])
    _ = try network.add("a")
    let lock = open(network.path + "/lock", O_RDWR | O_CLOEXEC)
    #expect(flock(lock, LOCK_EX) == 0)
    let clock = ContinuousClock()
    for command in ["ADD", "DEL", "STATUS"] {
      let started = clock.now
      let result = try network.call(command, "b")
      let waited = started.duration(to: clock.now)
      let name = try String(contentsOfFile: "/proc/\(getpid())/comm", encoding: .utf8)
      let holder = ["process PID (NAME)": "process \(getpid()) (\(name.dropLast()))"]
      #expect(result.message.contains("\(getpid())"), "\(result.message)")
      try Messages.expect(
        result, code: 11, of: "host-local", on: "\(command), the lock is held", hiding: holder)
      #expect(waited > .milliseconds(900) && waited < .seconds(10))
    }
    close(lock)
    #expect(try network.add("b") == ["10.1.0.3"])
  }

  @Test("that is let go in time is had")
  func released() throws {
    let network = try Network(["subnet": "10.1.0.0/24"])
    _ = try network.add("a")
    let lock = open(network.path + "/lock", O_RDWR | O_CLOEXEC)
    #expect(flock(lock, LOCK_EX) == 0)
    let waiting = try RunningPlugin("ADD", "b", network)
    usleep(100_000)
    #expect(network.leases.count == 1)
    close(lock)
    #expect(try waiting.wait().status == 0)
    #expect(network.leases.count == 2)
  }
}

extension LockTests {
  @Test("of leases that are removed meanwhile is not that of those who come after")
  func removed() throws {
    let network = try Network(["subnet": "10.1.0.0/24"])
    _ = try network.add("a")
    for isWhole in [true, false] {
      let lock = open(network.path + "/lock", O_RDWR | O_CLOEXEC)
      #expect(flock(lock, LOCK_EX) == 0)
      let adding = try RunningPlugin("ADD", "b", network)
      let releasing = try RunningPlugin("DEL", "a", network)
      usleep(200_000)
      if isWhole {
        try FileManager.default.removeItem(atPath: network.path)
      } else {
        for name in try FileManager.default.contentsOfDirectory(atPath: network.path) {
          unlink("\(network.path)/\(name)")
        }
      }
      close(lock)
      let (status, result) = try adding.wait()
      #expect(status == 0, "\(result)")
      #expect(try releasing.wait().status == 0)
      #expect(network.leases == ["10.1.0.2": "b\r\neth0"])
    }
  }
}

@Suite("Many at once") struct ConcurrencyTests {
  @Test("64 ADDs at once all succeed, no address twice; and so do 64 DELs", arguments: [0, 3])
  func sixtyFour(everyNthIsReference: Int) throws {
    let network = try Network(
      ["ranges": [[["subnet": "10.1.0.0/24"]], [["subnet": "fd00::/64"]]]])
    for command in ["ADD", "DEL"] {
      let running = try (0..<64).map { number in
        let reference = everyNthIsReference != 0 && number % everyNthIsReference == 0
        return try RunningPlugin(command, "c\(number)", network, reference: reference)
      }
      var given: Set<String> = []
      for plugin in running {
        let (status, json) = try plugin.wait()
        #expect(status == 0, "\(json)")
        for ip in json["ips"].array { given.insert(ip["address"].text ?? "") }
      }
      #expect(given.count == (command == "ADD" ? 128 : 0))
      #expect(network.leases.count == given.count)
    }
  }
}
