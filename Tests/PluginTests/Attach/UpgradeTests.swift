import TestSupport
import Testing

/// Containers that executables of an earlier release have attached go on under those of today.
@Suite(
  "An upgrade", .privateHost,
  .enabled(if: Plugin.earlierDirectory != nil, "needs earlier executables: make test-upgrade"))
struct UpgradeTests {
  private struct Form: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let subnets: [String]
    let members: [String: Document]
  }

  private static let forms = [
    Form(testDescription: "an access port", subnets: ["10.1.0.0/24"], members: ["vlan": 7]),
    Form(
      testDescription: "a gateway, rates and masquerading", subnets: ["10.1.0.0/24"],
      members: [
        "isDefaultGateway": true, "ipMasq": true, "portIsolation": false,
        "bandwidth": [
          "ingressRate": 100_000_000, "ingressBurst": 8_000_000, "egressRate": 100_000_000,
          "egressBurst": 8_000_000,
        ],
      ]),
    Form(
      testDescription: "IPv6 with a gateway on a VLAN", subnets: ["fd00:1::/64"],
      members: ["isGateway": true, "vlan": 9]),
  ]

  @Test("keeps every container, row and lease", arguments: forms)
  private func keeps(_ form: Form) throws {
    let network = try Network()
    let sandboxes = try [Sandbox(), Sandbox(), Sandbox()]
    let earlier = network.plugin.of(try #require(Plugin.earlierDirectory))
    let configuration = network.addressed(form.subnets[0], members: form.members)
    let results = try (0..<2).map {
      try earlier.add(configuration, containerID: "c\($0)", sandbox: sandboxes[$0]).checked()
    }
    func rows() throws -> [Document] {
      try results.flatMap { try [network.port($0), network.interface($0)] }.map {
        ["name": $0["name"], "external_ids": $0["external_ids"], "tag": $0["tag"]]
      }
    }
    func leases() -> [String: String] {
      network.host.directory.files().filter { $0.key.hasPrefix("leases/net1/") }
    }
    let (rowsBefore, leasesBefore) = (try rows(), leases())

    try network.plugin.status(configuration).checked()
    let repeated = try network.plugin.add(
      configuration, containerID: "c0", sandbox: sandboxes[0])
    #expect(repeated.code == 100, "\(repeated)")
    try network.plugin.gc(configuration, valid: [("c0", "eth0"), ("c1", "eth0")]).checked()
    #expect(try rows() == rowsBefore)
    #expect(leases() == leasesBefore)
    #expect(try sandboxes[0].reaches(results[1].firstAddress))

    let third = try network.plugin.add(configuration, containerID: "c2", sandbox: sandboxes[2])
      .checked()
    for (result, sandbox) in zip(results, sandboxes) {
      #expect(try sandbox.reaches(third.firstAddress))
      #expect(try sandboxes[2].reaches(result.firstAddress))
    }
    for (number, result) in results.enumerated() {
      try network.plugin.check(
        configuration, previous: result, containerID: "c\(number)", sandbox: sandboxes[number]
      ).checked()
    }
    #expect(try rows() == rowsBefore)

    try network.plugin.del(configuration, containerID: "c0", sandbox: sandboxes[0]).checked()
    try network.plugin.gc(configuration, valid: []).checked()
    let names = results.map { $0["interfaces"][0]["name"].text ?? "" }
    #expect(try network.host.openVSwitch.ports(of: "br1").filter { names.contains($0) }.isEmpty)
    #expect(
      leases().keys.filter { $0.contains("10.1.0.") || $0.contains("fd00") }.isEmpty)
    for sandbox in sandboxes { #expect(try sandbox.ip("link").array.count == 1) }
  }
}
