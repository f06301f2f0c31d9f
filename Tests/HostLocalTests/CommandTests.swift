import Foundation
import Glibc
import TestSupport
import Testing

@Suite("DEL of host-local") struct ReleaseTests {
  @Test("releases all that an attachment has, twice, and of nobody else")
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
    func expect(_ id: String, _ addresses: [String], _ message: String) throws {
      let before = network.temporary.files()
      let result = try network.call("CHECK", id, with: previous(addresses))
      #expect(result.message == message)
      #expect(result.status == (message.isEmpty ? 0 : 1))
      #expect(network.temporary.files() == before)
    }
    try expect("a", ["10.1.0.2/24", "fd00::2/64"], "")
    // Other plugins of the chain may have added addresses of other subnets.
    try expect("a", ["10.1.0.2/24", "fd00::2/64", "192.168.0.1/24"], "")
    let differ = "host-local: the addresses of prevResult are not those leased to container a; "
    try expect(
      "a", ["10.1.0.3/24", "fd00::2/64"],
      differ + "prevResult has: 10.1.0.3, fd00::2; leased are: 10.1.0.2, fd00::2")
    try expect(
      "a", ["10.1.0.2/24"], differ + "prevResult has: 10.1.0.2; leased are: 10.1.0.2, fd00::2")
    try expect(
      "c", ["10.1.0.2/24"],
      "host-local: Failed to find address added by container c; interface eth0, network net, "
        + "in \(network.temporary.path)")
    try FileManager.default.removeItem(atPath: network.path + "/fd00::2")
    try expect(
      "a", ["10.1.0.2/24", "fd00::2/64"],
      differ + "prevResult has: 10.1.0.2, fd00::2; leased are: 10.1.0.2")
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
    #expect(result.code == 50)
    #expect(
      result.message
        == "no IP addresses available in range set: 10.1.0.1-10.1.0.2; "
        + "ipam.ranges[1]: every address that may be given is leased")
    try network.del("a")
    try network.call("STATUS", "").checked()
  }

  @Test("says that leases cannot be kept where they should")
  func unusable() throws {
    let file = try TemporaryDirectory()
    try file.write("", to: "file")
    let blocked = try Network(["subnet": "10.1.0.0/24", "dataDir": .string(file.path + "/file")])
    let result = try blocked.call("STATUS", "")
    #expect(result.code == 50)
    #expect(
      result.message
        == "cannot keep leases in \(file.path)/file/net; access(\(file.path)/file/net): "
        + "ENOTDIR (Not a directory)")
    #expect(try blocked.call("ADD", "a").code == 5)
  }
}

@Suite("The lock of host-local") struct LockTests {
  @Test("that somebody else has is waited for, until the deadline, and its holder is named")
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
      #expect(result.code == 11, "\(command)")
      #expect(
        result.message.contains("\(network.path)/lock is locked by process \(getpid()) ("),
        "\(result.message)")
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
  @Test("of leases that somebody removes meanwhile is not that of those who come after")
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

@Suite("host-local and the reference plugin") struct AlternationTests {
  @Test("work on one directory by turns, and give no address twice")
  func turns() throws {
    let network = try Network(
      [
        "ranges": [
          [["subnet": "10.1.0.0/27"]], [["subnet": "fd00::/64", "rangeEnd": "fd00::1e"]],
        ]
      ])
    var random = SeededGenerator(5)
    var attached: [String: [String]] = [:]
    for step in 0..<120 {
      let reference = Bool.random(using: &random)
      if Int.random(in: 0..<5, using: &random) < 2,
        let gone = attached.keys.sorted().randomElement(
          using: &random)
      {
        try network.del(gone, reference: reference)
        attached[gone] = nil
      } else {
        let result = try network.call("ADD", "c\(step)", reference: reference)
        if result.status == 0 {
          attached["c\(step)"] = result.json["ips"].array.map {
            String(($0["address"].text ?? "").prefix { $0 != "/" })
          }
        } else {
          #expect(attached.count == 29)
        }
      }
      var expected: [String: String] = [:]
      for (id, addresses) in attached {
        for address in addresses {
          #expect(expected[address] == nil)
          expected[address] = "\(id)\r\neth0"
        }
      }
      #expect(
        network.leases == expected, "step \(step), by \(reference ? "the reference" : "ours")")
    }
  }

  @Test("release what the other has leased", arguments: [false, true])
  func takeover(byReference: Bool) throws {
    let network = try Network(
      ["ranges": [[["subnet": "10.1.0.0/16"]], [["subnet": "fd00::/64"]]]])
    for number in 0..<60 { _ = try network.add("c\(number)", reference: byReference) }
    #expect(network.leases.count == 120)
    for number in 0..<60 { try network.del("c\(number)", reference: !byReference) }
    #expect(network.leases == [:])
  }

  @Test("find what the other has leased in CHECK")
  func check() throws {
    let network = try Network(["subnet": "10.1.0.0/24"])
    for (id, reference) in [("a", true), ("b", false)] {
      let result = try network.call("ADD", id, reference: reference).json
      try network.call("CHECK", id, with: ["prevResult": result], reference: !reference).checked()
    }
  }
}

/// Thousands of leases go from one plugin to the other, as on a host where it is replaced.
@Suite("A directory of leases that the other plugin made", .serialized) struct TakeoverTests {
  /// The reference plugin reads every lease every time, so its time grows with the square of this.
  private static let count = isSoak ? 10_000 : 300

  @Test("is empty after as many DELs", arguments: [true, false])
  func emptied(isOfReference: Bool) throws {
    let network = try Network(["subnet": "10.0.0.0/16"])
    let clock = ContinuousClock()
    var given: Set<String> = []
    let filling = try clock.measure {
      for number in 0..<Self.count {
        given.formUnion(try network.add("c\(number)", reference: isOfReference))
      }
    }
    #expect(given.count == Self.count)
    #expect(Set(network.leases.keys) == given)
    let emptying = try clock.measure {
      for number in 0..<Self.count { try network.del("c\(number)", reference: !isOfReference) }
    }
    // What is no lease stays, as it does where the reference plugin is alone.
    let names = try FileManager.default.contentsOfDirectory(atPath: network.path)
    #expect(names.sorted() == ["last_reserved_ip.0", "lock"])
    #expect(try network.add("next") == ["10.0.\((Self.count + 2) >> 8).\((Self.count + 2) & 255)"])
    func seconds(_ duration: Duration) -> String {
      "\(duration.components.seconds).\(duration.components.attoseconds / 100_000_000_000_000_000) s"
    }
    let (first, second) =
      isOfReference ? ("the reference plugin", "ours") : ("ours", "the reference plugin")
    figures(
      "\(Self.count) ADDs by \(first) in \(seconds(filling)), DELs by \(second) in "
        + "\(seconds(emptying)); leases left: \(names.count - 2)")
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
