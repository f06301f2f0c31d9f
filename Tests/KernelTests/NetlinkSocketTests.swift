import Foundation
import Linux
import TestSupport
import Testing

@testable import Netlink

extension KernelNetlink {
  @Suite struct Sockets {
    /// The port that the kernel gave the socket; see netlink(7).
    private func port(of descriptor: CInt) throws -> UInt32 {
      var address = [UInt32](repeating: 0, count: 3)
      var size = socklen_t(12)
      let result = address.withUnsafeMutableBytes { bytes in
        getsockname(
          descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), &size)
      }
      try #require(result == 0)
      return address[1]
    }

    @Test("what another program writes to the socket is no answer")
    func strangers() throws {
      let route = try RouteSocket()
      _ = try route.link(.named("lo"), until: .soon)
      let port = try port(of: route.socket.descriptor.rawValue)

      // An acknowledgement of success, with the number of the next request.
      var lie: [UInt8] = []
      for word in [36, 2, 2, 0, 0, 0, 0, 0, 0] as [UInt32] {
        lie.append(native: word)
      }
      let stranger = try FileDescriptor.socket(AF_NETLINK, CInt(SOCK_RAW.rawValue), 0)
      let address: [UInt32] = [UInt32(AF_NETLINK), port, 0]
      let sent = address.withUnsafeBytes { bytes in
        sendto(
          stranger.rawValue, lie, lie.count, 0,
          bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), 12)
      }
      try #require(sent == lie.count)

      #expect {
        try route.request(until: .soon) { $0.deleteLink(.named("nl-missing")) }
      } throws: {
        ($0 as? RouteError)?.errno == .noSuchDevice
      }
    }

    @Test("an answer that does not come is waited for until the deadline, and no longer")
    func deadline() throws {
      let route = try RouteSocket()
      let start = ContinuousClock.now
      #expect(throws: RouteError.timedOut(.listLinks)) {
        try route.receive(for: .listLinks, until: .after(.milliseconds(30)))
      }
      #expect((.milliseconds(30) ..< .seconds(5)).contains(ContinuousClock.now - start))
    }

    @Test("an answer that came too late is not taken for that to the next request")
    func late() throws {
      let route = try RouteSocket()
      let sequence = route.socket.takeSequence(1)
      try route.socket.send(
        NetlinkSocket.message(
          18, flags: 1, sequence: sequence,
          LinkHeader(index: 1).bytes))
      #expect {
        try route.link(.named("nl-missing"), until: .soon)
      } throws: {
        ($0 as? RouteError)?.errno == .noSuchDevice
      }
    }

    @Test("a late list of families is not taken for the next one")
    func lateFamily() throws {
      let generic = try GenericSocket()
      let sequence = generic.socket.takeSequence(1)
      try generic.socket.send(GenericSocket.listing(sequence: sequence))
      #expect(try generic.families(until: .soon).contains("nlctrl"))
      #expect(try generic.families(until: .soon).contains("nlctrl"))
    }

    @Test("answers that are there already are read even past the deadline")
    func passed() throws {
      #expect(try RouteSocket().link(.index(1), until: .after(.zero)).name == "lo")
    }
  }
}
