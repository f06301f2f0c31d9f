import Foundation
import TestSupport

/// Plugins in the order of a network configuration list, each with its members.
struct Chain {
  let network: Network
  private let plugins: [(plugin: Plugin, configuration: Document)]

  /// `version` is one that the installed reference plugins speak too.
  init(
    _ network: Network, version: String = "1.0.0",
    _ links: [(plugin: Plugin, members: [String: Document])]
  ) {
    self.network = network
    plugins = links.map { plugin, members in
      (
        plugin,
        Document.object([
          "cniVersion": .string(version), "name": "net1", "type": .string(plugin.name),
        ]).with(members)
      )
    }
  }

  /// Each plugin gets what the one before has answered. Answers what each of them has.
  func add(_ containerID: String, _ sandbox: Sandbox) throws -> [Document] {
    var results: [Document] = []
    for (plugin, configuration) in plugins {
      let configuration = configuration.with(["prevResult": results.last ?? .absent])
      results.append(
        try plugin.add(configuration, containerID: containerID, sandbox: sandbox).checked())
    }
    return results
  }

  /// In the same order, each with the last result.
  ///
  /// Where the reference portmap finds ip6tables it looks for the rules of IPv4 there as well, and
  /// fails (https://github.com/containernetworking/plugins/issues/819): here it finds none.
  func check(
    _ containerID: String, _ sandbox: Sandbox, _ result: Document, but skipped: [String] = []
  ) throws {
    for (plugin, configuration) in plugins where !skipped.contains(plugin.name) {
      let path = plugin.name == "portmap" ? try iptablesAlone() : nil
      try check(plugin, configuration, containerID, sandbox, result, path: path).checked()
    }
  }

  /// What the plugins called `name` answer, with `PATH` as it is.
  func check(
    only name: String, _ containerID: String, _ sandbox: Sandbox, _ result: Document
  ) throws -> [PluginResult] {
    try plugins.filter { $0.plugin.name == name }.map {
      try check($0.plugin, $0.configuration, containerID, sandbox, result, path: nil)
    }
  }

  private func check(
    _ plugin: Plugin, _ configuration: Document, _ containerID: String, _ sandbox: Sandbox,
    _ result: Document, path: String?
  ) throws -> PluginResult {
    var variables = [
      "CNI_COMMAND": "CHECK", "CNI_PATH": plugin.searchPath, "CNI_CONTAINERID": containerID,
      "CNI_NETNS": sandbox.path, "CNI_IFNAME": "eth0",
    ]
    variables["PATH"] = path
    return try plugin.call(variables, input: configuration.with(["prevResult": result]).encoded)
  }

  /// A directory with iptables and nothing else.
  private func iptablesAlone() throws -> String {
    let directory = "\(network.host.directory.path)/iptables"
    if !FileManager.default.fileExists(atPath: directory) {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: false)
      try FileManager.default.createSymbolicLink(
        atPath: "\(directory)/iptables", withDestinationPath: executable("iptables"))
    }
    return directory
  }

  /// In reverse.
  func delete(_ containerID: String, _ sandbox: Sandbox, _ result: Document) throws {
    for (plugin, configuration) in plugins.reversed() {
      try plugin.del(
        configuration.with(["prevResult": result]), containerID: containerID, sandbox: sandbox
      ).checked()
    }
  }
}
