import Addresses
import Foundation
import Linux
import Netlink
import TestSupport
import Testing

/// Suites that share one network namespace, one test at a time.
@Suite(.serialized, .privateHost)
struct KernelNetlink {}

extension Deadline {
  static var soon: Deadline { .after(.seconds(10)) }
}

/// A veth pair from here into a sandbox of its own.
final class TestPair {
  let sandbox: Sandbox
  let namespace: NetworkNamespace
  let outside: RouteSocket
  let inside: RouteSocket
  /// The host end, which is up, and the container end, named `eth0`, which is not.
  let host: Link
  let container: Int32

  init(_ name: String, mtu: UInt32? = nil, mac: MACAddress? = nil) throws {
    let sandbox = try Sandbox()
    let namespace = try NetworkNamespace(path: sandbox.path)
    let outside = try RouteSocket()
    let links = try outside.request(until: .soon) {
      $0.addVeth(
        VethEnd(name, mtu: mtu, group: 7), peer: VethEnd("eth0", mtu: mtu, mac: mac),
        in: namespace.fileDescriptor, isUp: true)
    }
    inside = try RouteSocket(in: namespace)
    host = try #require(links.first)
    container = try #require(host.peerIndex)
    self.sandbox = sandbox
    self.namespace = namespace
    self.outside = outside
  }

  deinit { _ = try? outside.request(until: .soon) { $0.deleteLink(.index(host.index)) } }

  /// What `ip -d -j link show` says about the host end.
  func seen() throws -> Document { try ip("-d", "link", "show", host.name)[0] }
}

extension KernelNetlink {
  @Suite struct Links {
    @Test("a veth pair is made by one message, its other end in the sandbox")
    func addVeth() throws {
      let mac = try #require(MACAddress("0a:58:0a:01:00:02"))
      let pair = try TestPair("nl-veth", mtu: 1400, mac: mac)
      #expect(pair.host.name == "nl-veth")
      #expect(pair.host.mtu == 1400)
      #expect(pair.host.kind == "veth")
      #expect(pair.host.group == 7)
      #expect(pair.host.isUp)
      #expect(!pair.host.hasCarrier)
      #expect(pair.host.peerNamespaceID != nil)
      #expect(pair.host.alias == nil)

      let peer = try pair.inside.link(.index(pair.container), until: .soon)
      #expect(peer.name == "eth0")
      #expect(peer.mac == mac)
      #expect(peer.mtu == 1400)
      #expect(!peer.isUp)
      #expect(peer.operationalState == .down)
      #expect(peer.peerIndex == pair.host.index)

      let seen = try pair.sandbox.ip("link", "show", "eth0")[0]
      #expect(seen["address"] == "0a:58:0a:01:00:02")
      #expect(seen["mtu"] == 1400)
      #expect(seen["ifindex"].integer == Int(pair.container))

      try pair.inside.request(until: .soon) { $0.setLink(.index(pair.container), isUp: true) }
      let host = try pair.outside.link(.named("nl-veth"), until: .soon)
      #expect(host.hasCarrier)
      #expect(host.operationalState == .up)
      #expect(host.index == pair.host.index)
      #expect(host.mac == pair.host.mac)
    }

    @Test("both ends can be in one namespace, with as many queues as are asked for")
    func addVethHere() throws {
      let outside = try RouteSocket()
      let links = try outside.request(until: .soon) {
        $0.addVeth(VethEnd("nl-a", queues: 1), peer: VethEnd("nl-b", queues: 1), in: nil)
      }
      defer { _ = try? outside.request(until: .soon) { $0.deleteLink(.named("nl-a")) } }
      let end = try #require(links.first)
      #expect(end.peerNamespaceID == nil)
      #expect(!end.isUp)
      #expect(try outside.link(.named("nl-b"), until: .soon).index == end.peerIndex)
      #expect(try ip("-d", "link", "show", "nl-a")[0]["num_tx_queues"] == 1)
    }

    @Test("a link keeps what is not said and gets what is")
    func setLink() throws {
      let pair = try TestPair("nl-set")
      let mac = try #require(MACAddress("02:00:00:00:00:07"))
      let alias = String(repeating: "ä", count: 127) + "z"
      try pair.outside.request(until: .soon) {
        $0.setLink(.index(pair.host.index), mtu: 9000, mac: mac)
        $0.setLink(.named("nl-set"), alias: alias)
        $0.setLink(.named("nl-set"), isUp: false)
      }
      var link = try pair.outside.link(.named("nl-set"), until: .soon)
      #expect(link.mtu == 9000)
      #expect(link.mac == mac)
      #expect(link.alias == alias)
      #expect(!link.isUp)
      #expect(link.group == 7)
      let seen = try pair.seen()
      #expect(seen["mtu"] == 9000)
      #expect(seen["address"] == "02:00:00:00:00:07")
      #expect(seen["ifalias"].text == alias)

      try pair.outside.request(until: .soon) {
        $0.setLink(.named("nl-set"), alias: "")
        $0.renameLink(pair.host.index, to: "nl-fifteen-octe")
      }
      link = try pair.outside.link(.named("nl-fifteen-octe"), until: .soon)
      #expect(link.alias == nil)
      #expect(link.mtu == 9000)
      #expect(link.index == pair.host.index)
    }

    @Test("a silent link makes itself no IPv6 address and answers no ARP")
    func silence() throws {
      let pair = try TestPair("nl-silent")
      // It is up, and has no carrier.
      try pair.outside.silence(.named("nl-silent"), alias: "quiet", until: .soon)
      #expect(try pair.outside.link(.named("nl-silent"), until: .soon).alias == "quiet")
      try pair.inside.request(until: .soon) { $0.setLink(.index(pair.container), isUp: true) }
      let up = Deadline.soon
      while try !pair.outside.link(.named("nl-silent"), until: .soon).hasCarrier, !up.hasPassed {}
      #expect(try pair.seen()["inet6_addr_gen_mode"] == "none")
      let namespace = try NetworkNamespace.current()
      #expect(try namespace.readSetting("ipv4/conf/nl-silent/arp_ignore") == "8")
      usleep(200_000)
      #expect(try pair.outside.addresses(of: pair.host.index, until: .soon) == [])
      // The container end was not silenced, and has made itself one by now.
      #expect(try pair.inside.addresses(of: pair.container, until: .soon).count == 1)
    }

    @Test("deleting one end deletes both, and again says that there is none")
    func delete() throws {
      let pair = try TestPair("nl-del")
      try pair.outside.request(until: .soon) { $0.deleteLink(.named("nl-del")) }
      #expect(
        throws: RouteError.refused(.deleteLink(.named("nl-del")), .noSuchDevice, words: nil)
      ) {
        try pair.outside.request(until: .soon) { $0.deleteLink(.named("nl-del")) }
      }
      do {
        _ = try pair.inside.link(.index(pair.container), until: .soon)
        Issue.record("the container end is still there")
      } catch {
        #expect(error.errno == .noSuchDevice)
        #expect(
          error.description
            == "read the link: ENODEV (No such device); "
            + "there is no such link in the namespace")
      }
    }

    @Test("of a batch the first request that is refused is named, and those after it are done")
    func batchOrder() throws {
      let pair = try TestPair("nl-batch")
      do {
        try pair.outside.request(until: .soon) {
          $0.setLink(.named("nl-batch"), alias: "before")
          $0.addVeth(VethEnd("nl-batch"), peer: VethEnd("nl-other"), in: nil)
          $0.setLink(.named("nl-missing"), mtu: 1400)
          $0.setLink(.named("nl-batch"), mtu: 1300)
        }
        Issue.record("the kernel made a link that was there already")
      } catch {
        #expect(error.request == .addVeth("nl-batch", peer: "nl-other"))
        #expect(
          error.description
            == "add veth link \"nl-batch\": EEXIST (File exists); there is a link \"nl-batch\" "
            + "here, or a link \"nl-other\" where the other end goes")
      }
      let link = try pair.outside.link(.named("nl-batch"), until: .soon)
      #expect(link.alias == "before")
      #expect(link.mtu == 1300)
    }

    @Test("a batch answers the links it made and read, in the order of its requests")
    func batchAnswers() throws {
      let pair = try TestPair("nl-read")
      var batch = pair.outside.batch(until: .soon)
      #expect(batch.isEmpty)
      #expect(try batch.run() == [])
      batch.readLink(.named("lo"))
      batch.addVeth(VethEnd("nl-c"), peer: VethEnd("nl-d"), in: nil)
      batch.setLink(.named("nl-read"), alias: "read")
      batch.readLink(.index(pair.host.index))
      defer { _ = try? pair.outside.request(until: .soon) { $0.deleteLink(.named("nl-c")) } }
      let links = try batch.run()
      #expect(links.map(\.name) == ["lo", "nl-c", "nl-read"])
      #expect(links.first?.isLoopback == true)
      #expect(links.last?.alias == "read")
      #expect(batch.isEmpty)
    }

    @Test("a refusal names what the kernel did not like")
    func refusals() throws {
      let pair = try TestPair("nl-bad")
      func message(_ build: (inout Batch) -> Void) -> String {
        do {
          try pair.outside.request(until: .soon, build)
          return "granted"
        } catch { return error.description }
      }
      let limits = "a link's name has 1…15 bytes, an alias at most 255"
      #expect(
        message { $0.readLink(.named("sixteen-octets-x")) }
          == "read link \"sixteen-octets-x\": ERANGE (Numerical result out of range); "
          + "Attribute failed policy validation (IFLA_IFNAME); \(limits)")
      #expect(
        message { $0.setLink(.named("nl-bad"), alias: String(repeating: "x", count: 256)) }
          == "set link \"nl-bad\": ERANGE (Numerical result out of range); "
          + "Attribute failed policy validation (IFLA_IFALIAS); \(limits)")
      #expect(
        message { $0.setLink(.named("nl-bad"), mtu: 67) }.hasPrefix(
          "set link \"nl-bad\": EINVAL (Invalid argument); mtu less than device minimum"))
      #expect(
        message { $0.setLink(.named("nl-bad"), mac: .broadcast) }.hasPrefix(
          "set link \"nl-bad\": EADDRNOTAVAIL (Cannot assign requested address); "))
      #expect(
        message { $0.addVeth(VethEnd("a/b"), peer: VethEnd("nl-x"), in: nil) }.hasPrefix(
          "add veth link \"a/b\": EINVAL (Invalid argument); "))
      // No text is too long to be sent, and refused.
      #expect(
        message { $0.setLink(.named("nl-bad"), alias: String(repeating: "y", count: 200_000)) }
          .hasPrefix("set link \"nl-bad\": ERANGE"))
    }

    @Test("a list that fills many datagrams is read to its end, while links come and go")
    func list() throws {
      let sandbox = try Sandbox()
      let inside = try RouteSocket(in: NetworkNamespace(path: sandbox.path))
      var batch = inside.batch(until: .soon)
      for number in 0..<100 {
        batch.addVeth(
          VethEnd("a\(number)", queues: 1), peer: VethEnd("b\(number)", queues: 1), in: nil)
      }
      #expect(try batch.run().count == 100)
      let links = try inside.links(until: .soon)
      let seen = try sandbox.ip("link", "show").array
      #expect(links.count == 201)
      #expect(links.map(\.name) == seen.compactMap { $0["ifname"].text })
      #expect(links.map { Int($0.index) } == seen.compactMap { $0["ifindex"].integer })

      let changes = try Daemon(
        "sh", ["-c", "for i in $(seq 30); do ip -n \(sandbox.name) link add t$i type dummy; done"],
        environment: ProcessInfo.processInfo.environment, log: "/dev/null")
      while !changes.hasEnded {
        let found = try inside.links(until: .soon).filter { $0.kind == "veth" }
        #expect(Set(found.map(\.index)).count == 200)
        #expect(found.count == 200)
      }
    }

    @Test("a socket stays in its namespace, and this thread in its own")
    func namespaces() throws {
      let before = try FileManager.default.destinationOfSymbolicLink(
        atPath: "/proc/thread-self/ns/net")
      let sandbox = try Sandbox()
      let inside = try RouteSocket(in: NetworkNamespace(path: sandbox.path))
      #expect(try inside.links(until: .soon).map(\.name) == ["lo"])
      let after = try FileManager.default.destinationOfSymbolicLink(
        atPath: "/proc/thread-self/ns/net")
      #expect(before == after)
    }
  }
}
