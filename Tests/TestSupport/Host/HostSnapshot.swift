/// What a plugin could have left behind: links, addresses, routes, firewall, rows of Open vSwitch,
/// files. Without what changes by itself: counters, lifetimes, indices.
public struct HostSnapshot: Hashable, Sendable {
  /// Each line says one thing of one part.
  public let lines: Set<String>

  /// Of a namespace that this test has for itself.
  public init(
    in sandbox: Sandbox, _ openVSwitch: OpenVSwitch? = nil, directories: [String] = []
  ) throws {
    var lines: Set<String> = []
    func add(_ part: String, _ items: [String]) {
      for item in items { lines.insert("\(part): \(item)") }
    }
    for link in try ip(in: sandbox, ["-d", "address"]).array {
      let kept = ["ifname", "mtu", "flags", "operstate", "linkinfo", "address", "link", "master"]
      add("link", [link.only(kept).description])
      let name = link["ifname"].text ?? ""
      for address in link["addr_info"].array {
        add("address", ["\(name) \(address.only(["local", "prefixlen", "scope"]))"])
      }
    }
    for family in ["-4", "-6"] {
      let routes = try ip(in: sandbox, [family, "route", "show", "table", "all"]).array
      add("route", routes.map { "\(family) \($0.with(["expires": .absent]))" })
      let rules = try ip(in: sandbox, [family, "rule"]).array
      add("rule", rules.map { "\(family) \($0)" })
    }
    add("nft", [try sandbox.rules()].filter { !$0.isEmpty })

    if let openVSwitch {
      let tables = ["Bridge", "Port", "Interface", "Mirror", "QoS", "Queue"]
      for (table, rows) in try openVSwitch.rows(of: tables) {
        add(table, rows.map { $0.with(Self.changing).description })
      }
    }
    for directory in directories {
      for (name, content) in contents(of: directory) {
        add("file", ["\(directory)/\(name): \(content.debugDescription)"])
      }
    }
    self.lines = lines
  }

  /// Columns that ovs-vswitchd writes as time passes.
  private static let changing: [String: Document] = [
    "statistics": .absent, "link_resets": .absent, "status": .absent, "rstp_statistics": .absent,
    "rstp_status": .absent, "bond_active_slave": .absent, "lacp_current": .absent,
  ]

  /// What is there now and was not before (`+`), and the reverse (`-`); empty when all is as
  /// before.
  public func difference(from before: HostSnapshot) -> String {
    let more = lines.subtracting(before.lines).map { "+ \($0)" }
    let less = before.lines.subtracting(lines).map { "- \($0)" }
    return (less + more).sorted { $0.dropFirst(2) < $1.dropFirst(2) }.joined(separator: "\n")
  }
}

extension Sandbox {
  /// The firewall's rules, but for what changes by itself, and for the rule that closes host ends
  /// to the host, which comes with the first ADD and stays.
  public func rules() throws -> String {
    let ruleset = try exec("nft", ["-s", "list", "ruleset"]).stdout
    var kept: [Substring] = []
    var isPassedOver = false
    for line in ruleset.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("table ") { isPassedOver = line.contains(" patchbay_host_ends {") }
      if !isPassedOver { kept.append(line) }
      if line == "}" { isPassedOver = false }
    }
    return kept.filter { !$0.isEmpty }.joined(separator: "\n")
  }
}

extension Document {
  /// This object with only these members.
  fileprivate func only(_ names: [String]) -> Document {
    .object(members.filter { names.contains($0.key) })
  }
}
