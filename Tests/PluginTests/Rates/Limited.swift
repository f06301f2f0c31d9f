import TestSupport

/// A container whose rates are limited, and one on the same bridge whose rates are not.
struct Limited {
  let network: Network
  let configuration: Document
  let limited: Sandbox
  let other: Sandbox
  let result: Document
  let otherAddress: String
  var address: String { result.firstAddress }
  var port: String { result["interfaces"][0]["name"].text ?? "" }

  init(_ bandwidth: Document) throws {
    network = try Network()
    (limited, other) = (try Sandbox(), try Sandbox())
    configuration = network.addressed("10.1.0.0/24", members: ["bandwidth": bandwidth])
    result = try network.plugin.add(configuration, containerID: "c1", sandbox: limited).checked()
    otherAddress = try network.plugin.add(
      network.addressed("10.1.0.0/24"), containerID: "c2", sandbox: other
    ).checked().firstAddress
  }

  /// Sends towards the limited container.
  func ingress(_ amount: String = "-t3") throws -> Double {
    try Throughput(from: other, to: address, of: limited, amount, "-O1").rate
  }
  /// Sends from the limited container.
  func egress(_ amount: String = "-t3") throws -> Double {
    try Throughput(from: limited, to: otherAddress, of: other, amount, "-O1").rate
  }
  func check() throws -> PluginResult {
    try network.plugin.check(configuration, previous: result, containerID: "c1", sandbox: limited)
  }
  func delete() throws -> PluginResult {
    try network.plugin.del(configuration, containerID: "c1", sandbox: limited)
  }
}
