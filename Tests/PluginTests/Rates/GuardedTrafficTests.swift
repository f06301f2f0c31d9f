import TestSupport
import Testing

@Suite("What a guard costs", .privateHost) struct GuardedTrafficTests {
  /// Under emulation, whose clock goes by what is executed, the ratio is that of instructions.
  @Test(
    "a transfer on the kernel's datapath is as fast as without it, to a twentieth",
    .only(on: .kernel))
  func rate() throws {
    let network = try Network()
    let (server, guarded, plain) = (try Sandbox(), try Sandbox(), try Sandbox())
    let configuration = network.addressed("10.1.0.0/24")
    let result = try network.plugin.add(configuration, containerID: "server", sandbox: server)
      .checked()
    try network.plugin.add(
      configuration.with(["guard": true]), containerID: "guarded", sandbox: guarded
    ).checked()
    try network.plugin.add(configuration, containerID: "plain", sandbox: plain).checked()
    func rate(from client: Sandbox) throws -> Double {
      try Throughput(from: client, to: result.firstAddress, of: server, "-n", "150M").rate
    }
    var rates: [(with: Double, without: Double)] = []
    for turn in 0..<6 {
      // The first of two may have to pay for what both need.
      let first = try rate(from: turn % 2 == 0 ? guarded : plain)
      let second = try rate(from: turn % 2 == 0 ? plain : guarded)
      rates.append(turn % 2 == 0 ? (first, second) : (second, first))
    }
    func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
    let ratio = median(rates.map { $0.with }) / median(rates.map { $0.without })
    figures("a transfer with a guard by nftables: \((ratio * 1000).rounded() / 1000) of without")
    #expect(ratio >= 0.95, "\(rates)")
  }
}
