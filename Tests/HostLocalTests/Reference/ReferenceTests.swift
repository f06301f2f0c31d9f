import Foundation
import Glibc
import TestSupport
import Testing

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
