import Foundation
import TestSupport
import Testing

/// A host whose podman has networks of our drivers: the texts are those that podman 5 and netavark
/// send, and no other program takes part.
struct PodmanHost {
  let host: TestHost
  let bridge = "br1"
  /// Apart from the host's files, which tests read.
  private let drivers: TemporaryDirectory

  init() throws {
    host = try TestHost()
    drivers = try TemporaryDirectory()
    try host.openVSwitch.addBridge(bridge)
    // netavark finds a driver by the name of its file.
    for name in ["ovs", "cni"] {
      try FileManager.default.createSymbolicLink(
        atPath: "\(drivers.path)/\(name)",
        withDestinationPath: "\(Plugin.directory)/netavark-driver")
    }
  }

  /// Where a driver and the tool find what they need.
  var environment: [String: String] {
    var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("CNI_") }
    environment["CNI_PATH"] = "\(host.directory.path)/bin:\(Plugin.directory):\(Plugin.references)"
    environment["NETCONFPATH"] = "\(host.directory.path)/net.d"
    environment["PATCHBAY_CACHE"] = "\(host.directory.path)/cache"
    return environment
  }

  /// The file of a driver.
  func driver(_ name: String) -> String { "\(drivers.path)/\(name)" }

  /// Runs a driver with a sub-command.
  func call(
    _ driver: String, _ words: [String], _ input: Document = .absent,
    _ variables: [String: String] = [:]
  ) throws -> PluginResult {
    PluginResult(
      try host.namespace.exec(
        self.driver(driver), words, environment: environment.merging(variables) { $1 },
        input: input.isAbsent ? [] : input.encoded))
  }

  /// `setup` that must succeed; returns the status.
  @discardableResult
  func setup(_ sandbox: Sandbox, _ container: Document) throws -> Document {
    let driver = container["network"]["driver"].text ?? ""
    return try call(driver, ["setup", sandbox.path], container).checked()
  }

  /// `teardown` that must succeed, and prints nothing.
  func teardown(_ path: String, _ container: Document) throws {
    let driver = container["network"]["driver"].text ?? ""
    let output = try call(driver, ["teardown", path], container).output.checked()
    guard output.bytes.isEmpty else {
      throw Printed(output: output)
    }
  }

  /// Runs the tool on this host.
  func patchbay(_ words: String...) throws -> Output {
    try host.namespace.exec(
      "\(Plugin.directory)/patchbay", words + ["--cache-dir", "\(host.directory.path)/cache"],
      environment: environment)
  }

  /// Writes a configuration list of this host: layer 2 and addresses, and these plugins after it.
  func writeList(_ name: String, _ others: [Document] = []) throws {
    let port: Document = [
      "type": "ovs-bridge", "bridge": .string(bridge),
      "socket_file": .string(host.openVSwitch.endpoint), "capabilities": ["ips": true],
      "ipam": [
        "type": "host-local", "ranges": [[["subnet": "10.1.0.0/24"]]],
        "dataDir": .string("\(host.directory.path)/leases"),
      ],
    ]
    let list: Document = [
      "cniVersion": "1.1.0", "name": .string(name), "plugins": .array([port] + others),
    ]
    try host.directory.write(
      String(decoding: list.encoded, as: UTF8.self), to: "net.d/\(name).conflist")
  }

  /// A network as podman gives it to `create`, with these members in place of its own.
  func network(
    _ driver: String, _ options: [String: Document] = [:], _ members: [String: Document] = [:]
  ) -> Document {
    var options = options
    if driver == "ovs" {
      options["socket"] = .string(host.openVSwitch.endpoint)
      options["bridge"] = options["bridge"] ?? .string(bridge)
    }
    let network: Document = [
      "name": "n1", "id": .string(String(repeating: "1f", count: 32)), "driver": .string(driver),
      "created": "0001-01-01T00:00:00Z", "ipv6_enabled": false, "internal": false,
      "dns_enabled": true, "labels": ["a": "b"], "options": .object(options),
    ]
    return network.with(members)
  }

  /// A network as podman stores it after `create`: subnets have their gateways.
  func routed(_ options: [String: Document] = [:], _ members: [String: Document] = [:]) -> Document
  {
    network("ovs", options, ["subnets": [["subnet": "10.7.0.0/24", "gateway": "10.7.0.1"]]])
      .with(members)
  }

  /// A container as netavark gives it to `setup` and `teardown`.
  func container(_ id: String, _ network: Document, _ options: [String: Document] = [:])
    -> Document
  {
    let given: Document = [
      "aliases": [.string(id)], "interface_name": "eth0", "static_ips": .null, "static_mac": .null,
      "options": .null,
    ]
    let own = ["port_mappings", "container_name"]
    return [
      "container_id": .string(id),
      "container_name": options["container_name"] ?? .string("name-of-\(id)"),
      "port_mappings": options["port_mappings"] ?? .null, "network": network,
      "network_options": given.with(options.filter { !own.contains($0.key) }),
    ]
  }

  /// Expects a refusal in one sentence, as `Tests/Golden/netavark-driver.txt` has it.
  ///
  /// - Parameter hiding: What is another in each run, by the word that stands for it there.
  func expectRefusal(
    _ result: PluginResult, on occasion: String, hiding: [String: String] = [:],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let refusal = try #require(result.refusal, "\(result)", sourceLocation: sourceLocation)
    #expect(!refusal.contains("\n"), "\(result)", sourceLocation: sourceLocation)
    let places = [
      "PLUGINS": Plugin.directory, "DRIVERS": drivers.path, "HOST": host.directory.path,
    ]
    try Messages.expect(
      refusal, of: "netavark-driver", on: occasion, hiding: places.merging(hiding) { $1 },
      sourceLocation: sourceLocation)
  }

  /// What is left of containers: ports, links, leases, kept results, rules.
  func traces() throws -> [String] {
    let ports = try host.openVSwitch.vsctl(
      "--bare", "--columns=name", "find", "Port", "external_ids:owner=patchbay"
    ).filter { $0.hasPrefix("veth") }
    let links = try host.ip("link").array.compactMap { $0["ifname"].text }
      .filter { $0.hasPrefix("veth") }
    let files = host.directory.files().keys.filter {
      $0.contains("/results/") || $0.contains("/10.")
    }
    let rules = try host.namespace.exec("nft", ["list", "ruleset"]).stdout
    let addresses = rules.split(separator: "\n").filter { $0.contains("10.7.0.") }
    return ports + links + files + addresses.map { String($0) }
  }

  /// The `external_ids` of the ports of attachments.
  func records() throws -> [Document] {
    try host.openVSwitch.rows("Port").map { $0["external_ids"] }.filter {
      $0["containerID"].text != nil
    }
  }
}

/// What a command printed that prints nothing.
struct Printed: Error {
  let output: Output
}

extension PluginResult {
  /// The sentence of a refusal, which is all that it has; nil where there is none.
  var refusal: String? {
    guard status == 1, json.members.keys.sorted() == ["error"] else { return nil }
    return json["error"].text
  }
}

extension Sandbox {
  /// Whether one ping to `address` is answered.
  func reaches(_ address: String) throws -> Bool {
    try exec("ping", ["-n", "-c", "1", "-W", "\(slowness)", address]).status == 0
  }
}
