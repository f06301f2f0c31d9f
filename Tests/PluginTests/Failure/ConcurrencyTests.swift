import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("Many attachments at once", .privateHost) struct ConcurrencyTests {
  /// A host with one network whose addresses are those of one range, and containers for it.
  private struct Crowd {
    let network: Network
    let configuration: Document
    let before: HostSnapshot

    init() throws {
      network = try Network()
      before = try network.host.snapshot()
      // A machine that does much else is slow, and this is not about time.
      configuration = network.addressed("10.1.0.0/24", members: ["timeout": 60])
    }

    func add(_ container: Container) throws -> Document {
      try network.plugin.add(
        configuration, containerID: container.id, sandbox: container.sandbox,
        timeout: .seconds(120)
      ).checked()
    }
    func del(_ container: Container) throws {
      try network.plugin.del(
        configuration, containerID: container.id, sandbox: container.sandbox,
        timeout: .seconds(120)
      ).checked()
    }
    func gc(valid: [Container]) throws {
      try network.plugin.gc(
        configuration, valid: valid.map { ($0.id, "eth0") }, timeout: .seconds(120)
      ).checked()
    }

    /// The containers that have a port on the bridge, each as often as it has one.
    func attached() throws -> [String] {
      try network.host.openVSwitch.rows("Port")
        .compactMap { $0["external_ids"]["containerID"].text }.sorted()
    }
    /// The addresses that are leased.
    func leases() throws -> [String] {
      let directory = "\(network.host.directory.path)/leases/\(network.name)"
      return try FileManager.default.contentsOfDirectory(atPath: directory)
        .filter { $0.hasPrefix("10.1.0.") }.sorted()
    }
    /// What is on the host beyond what was, and beyond what `host-local` keeps without leases.
    func leftovers() throws -> [String] {
      try network.host.snapshot().difference(from: before).split(separator: "\n").map(String.init)
        .filter { !$0.hasPrefix("+ file:") || $0.contains("/10.1.0.") }
    }
  }

  private struct Container: Sendable {
    let id: String
    let sandbox: Sandbox

    static func make(_ count: Int, _ prefix: String) throws -> [Container] {
      try (0..<count).map { Container(id: "\(prefix)\($0)", sandbox: try Sandbox()) }
    }
  }

  private func addresses(_ results: [Document]) -> [String] {
    results.compactMap { $0["ips"][0]["address"].text }
  }

  @Test("64 ADDs at once succeed with an address each, and 64 DELs leave nothing")
  func addsAndDels() throws {
    let crowd = try Crowd()
    let containers = try Container.make(64, "c")
    let results = try atOnce(containers) { try crowd.add($0) }
    #expect(Set(addresses(results)).count == 64)
    #expect(try crowd.attached() == containers.map(\.id).sorted())
    for (container, result) in zip(containers, results) {
      #expect(try container.sandbox.addresses() == addresses([result]))
    }
    try atOnce(containers) { try crowd.del($0) }
    #expect(try crowd.leftovers() == [])
  }

  @Test("ADDs mixed with DELs and GC each have the effect they have alone")
  func mixed() throws {
    let crowd = try Crowd()
    let kept = try Container.make(8, "kept")
    let leaving = try Container.make(16, "leaving")
    let coming = try Container.make(16, "coming")
    let results = try atOnce(kept) { try crowd.add($0) }
    try atOnce(leaving) { _ = try crowd.add($0) }

    let more = Mutex<[Document]>([])
    let work: [@Sendable () throws -> Void] =
      zip(coming, leaving).flatMap { coming, leaving -> [@Sendable () throws -> Void] in
        [
          {
            let result = try crowd.add(coming)
            more.withLock { $0.append(result) }
          },
          { try crowd.del(leaving) },
        ]
      }
    // What leaves is not valid any more: GC and DEL both take it away, in either order.
    let collect: @Sendable () throws -> Void = { try crowd.gc(valid: kept + coming) }
    try atOnce(work + Array(repeating: collect, count: 4)) { try $0() }

    let all = results + more.withLock { $0 }
    #expect(try crowd.attached() == (kept + coming).map(\.id).sorted())
    let leased = addresses(all).map { String($0.prefix { $0 != "/" }) }
    #expect(try crowd.leases() == leased.sorted())
    #expect(Set(leased).count == kept.count + coming.count)
    for (container, result) in zip(kept, results) {
      try crowd.network.plugin.check(
        crowd.configuration, previous: result, containerID: container.id,
        sandbox: container.sandbox, timeout: .seconds(120)
      ).checked()
    }
    try crowd.gc(valid: [])
    #expect(try crowd.leftovers() == [])
  }

  @Test("the same attachment, added and deleted at once, leaves all or nothing of it")
  func sameAttachment() throws {
    let crowd = try Crowd()
    let containers = try Container.make(4, "c")
    let work = (containers + containers).enumerated().map {
      (index: $0.offset, container: $0.element)
    }
    // Which of them are told "no" is a matter of who comes first; what is left is not.
    try atOnce(work) { item in
      if item.index < containers.count {
        _ = try? crowd.add(item.container)
      } else {
        try? crowd.del(item.container)
      }
    }
    try atOnce(containers) { try crowd.del($0) }
    #expect(try crowd.leftovers() == [])
  }
}

/// Calls `body` with all of them, each on a thread of its own, and answers what it answered, in
/// order; throws the first error.
@discardableResult
func atOnce<Item: Sendable, Answer: Sendable>(
  _ items: [Item], _ body: @escaping @Sendable (Item) throws -> Answer
) throws -> [Answer] {
  let answers = Answers<Answer>(count: items.count)
  for (index, item) in items.enumerated() {
    Thread(block: { answers.put(Result { try body(item) }, at: index) }).start()
  }
  return try answers.all()
}

private final class Answers<Answer: Sendable>: Sendable {
  private let results: Mutex<[Result<Answer, any Error>?]>
  private let done = DispatchSemaphore(value: 0)

  init(count: Int) { results = Mutex(Array(repeating: nil, count: count)) }

  func put(_ result: Result<Answer, any Error>, at index: Int) {
    results.withLock { $0[index] = result }
    done.signal()
  }

  func all() throws -> [Answer] {
    for _ in 0..<results.withLock(\.count) { done.wait() }
    return try results.withLock { $0 }.compactMap { try $0?.get() }
  }
}
