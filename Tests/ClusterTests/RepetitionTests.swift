import TestSupport
import Testing

/// An ADD that is repeated gives what `host-local` gives, whatever was asked for before.
@Suite("cluster, by an ADD that is repeated", .privateHost) struct RepetitionTests {
  /// What each of these in turn gives to one attachment, and the leases that are there in the end.
  private func sequence(
    _ steps: [(ranges: Document, request: String?)], _ type: String,
    _ ipam: [String: Document], leases: () throws -> [String]
  ) throws -> [[String]] {
    var given: [[String]] = []
    for (ranges, request) in steps {
      let configuration: Document = [
        "cniVersion": "1.1.0", "name": "net", "type": "x",
        "ipam": Document.object(["type": .string(type), "ranges": ranges]).with(ipam),
        "runtimeConfig": request.map { ["ips": [.string($0)]] } ?? .absent,
      ]
      let result = try Plugin(type).call(
        "ADD", configuration, containerID: "a", sandbox: "/nowhere", ifname: "eth0"
      ).checked()
      given.append(
        result["ips"].array.map { String(($0["address"].text ?? "").prefix { $0 != "/" }) })
      #expect(try leases().sorted() == given.last?.sorted(), "\(type), step \(given.count)")
    }
    return given
  }

  @Test("gives the same as host-local, and leaves no other lease")
  func same() throws {
    let one: Document = [[["subnet": "10.1.0.0/24"]]]
    let two: Document = [[["subnet": "10.1.0.0/25"]], [["subnet": "10.1.0.128/25"]]]
    let turned: Document = [[["subnet": "10.1.0.128/25"]], [["subnet": "10.1.0.0/25"]]]
    for steps: [(Document, String?)] in [
      [(one, "10.1.0.50"), (one, "10.1.0.51"), (one, nil), (one, "10.1.0.50"), (one, nil)],
      [(two, "10.1.0.50"), (two, "10.1.0.150"), (two, "10.1.0.51"), (two, nil), (turned, nil)],
      // The attachment keeps the second of its addresses only, and then asks for another.
      [(two, "10.1.0.150"), (one, "10.1.0.150"), (one, nil), (one, "10.1.0.9"), (one, nil)],
    ] {
      let files = try TemporaryDirectory()
      let database = try AddressDatabase()
      let expected = try sequence(
        steps, "host-local", ["dataDir": .string(files.path)],
        leases: {
          files.files().keys.filter { $0.hasPrefix("net/") }.map { String($0.dropFirst(4)) }
            .filter { $0.contains(".") && !$0.hasPrefix("last") }
        })
      let pool = Pool(database: database)
      let found = try sequence(
        steps, "cluster", ["database": .array(database.endpoints), "host": "h1"],
        leases: { try database.rows().keys.map { $0 } })
      for (step, (found, expected)) in zip(found, expected).enumerated() {
        // What no one asked for is the plugin's choice the first time.
        guard steps[step].1 != nil else { continue }
        #expect(found.contains(steps[step].1 ?? "") && expected.contains(steps[step].1 ?? ""))
      }
      if steps[0].0 == one { #expect(found == expected) }
      try pool.call("DEL", "a").checked()
      #expect(try database.rows() == [:])
    }
  }
}
