internal import JSON
internal import Netlink
internal import Nftables
internal import PluginConfigurations

// The second way to carry out commands: as messages to the kernel. nft(8) takes longer to start
// than the kernel for the change, and reads the names of all chains of the host first. What is here
// are the commands by which attachments come and go; all others are left to nft(8).

extension FilterChange {
  /// The sets and maps that commands put elements into or take them out of; nil if there is a
  /// command that is none of these.
  static func sets(in commands: [FirewallCommand]) -> Set<String>? {
    var names: Set<String> = []
    for command in commands {
      guard let parts = command.parts else { return nil }
      switch parts.kind {
      case "chain", "rule": break
      case "element": if let name = parts.object["name"]?.text { names.insert(name) }
      default: return nil
      }
    }
    return names
  }

  /// The same change as a command, which nft(8) would tell the kernel likewise; nil for one that is
  /// none of these, or of another table.
  ///
  /// - Parameter sets: Those whose elements are changed, as the kernel has them, by their names.
  init?(_ command: FirewallCommand, of table: FirewallTable, _ sets: [String: FilterSet]) {
    guard let parts = command.parts else { return nil }
    let object = parts.object
    guard object["family"]?.text == table.family.rawValue, object["table"]?.text == table.name
    else { return nil }
    // A member that is not known might mean another change.
    func has(only names: String...) -> Bool {
      let known = ["family", "table"] + names
      return object.members.allSatisfy { known.contains($0.name) }
    }
    switch parts.kind {
    case "chain":
      guard let name = object["name"]?.text, has(only: "name") else { return nil }
      switch parts.verb {
      case "add": self = .addChain(name, isNew: false)
      case "create": self = .addChain(name, isNew: true)
      case "flush": self = .emptyChain(name)
      case "delete": self = .deleteChain(name)
      default: return nil
      }
    case "rule":
      guard let chain = object["chain"]?.text else { return nil }
      if parts.verb == "delete", has(only: "chain", "handle"),
        let handle = object["handle"]?.integer.flatMap({ UInt64(exactly: $0) })
      {
        self = .deleteRule(handle: handle, chain: chain)
      } else if parts.verb == "add", has(only: "chain", "comment", "expr"),
        let rule = FilterRule(object)
      {
        self = .appendRule(rule, chain: chain)
      } else {
        return nil
      }
    case "element":
      guard has(only: "name", "elem"), let name = object["name"]?.text, let set = sets[name],
        let elements = Self.elements(object["elem"], of: set)
      else { return nil }
      switch parts.verb {
      case "add": self = .addElements(elements, set: name, isNew: false)
      case "create": self = .addElements(elements, set: name, isNew: true)
      case "delete": self = .deleteElements(elements, set: name)
      default: return nil
      }
    default: return nil
    }
  }

  private static func elements(_ list: JSONValue?, of set: FilterSet) -> [FilterElement]? {
    guard let list = list?.array else { return nil }
    var elements: [FilterElement] = []
    for item in list {
      if let pair = item.array {
        guard pair.count == 2, let key = set.key(pair[0]), let chain = pair[1]["goto"]?["target"],
          let name = chain.text
        else { return nil }
        elements.append(FilterElement(key, .goTo(name)))
      } else {
        guard let key = set.key(item) else { return nil }
        elements.append(FilterElement(key))
      }
    }
    return elements
  }
}

extension FirewallCommand {
  /// What is done, to what kind of thing, and what is said of that.
  fileprivate var parts: (verb: String, kind: String, object: JSONObject)? {
    guard let command = json.object?.members.first, let named = command.value.object?.members.first,
      let object = named.value.object
    else { return nil }
    return (command.name, named.name, object)
  }
}

extension FilterSet {
  /// The key that `FirewallKey` has in this form.
  fileprivate func key(_ json: JSONValue) -> [UInt8]? {
    let parts = json["concat"]?.array ?? [json]
    guard parts.count == fields.count else { return nil }
    var values: [Value] = []
    for (field, part) in zip(fields, parts) {
      guard let value = Self.value(part, of: field) else { return nil }
      values.append(value)
    }
    return key(values)
  }

  private static func value(_ json: JSONValue, of field: Field) -> Value? {
    switch field {
    case .ipv4Address, .ipv6Address: json.address.map { .address($0) }
    case .transport, .port:
      // nft(8) lists protocols by name where it can.
      if let transport = json.text.flatMap({ PublishedPort.Transport(rawValue: $0) }) {
        field == .transport ? .number(UInt16(transport.number)) : nil
      } else {
        json.integer.flatMap { UInt16(exactly: $0) }.map { .number($0) }
      }
    // A name with an asterisk stands for all that begin so.
    case .linkName: json.text.flatMap { $0.utf8.contains(0x2a) ? nil : .name($0) }
    }
  }
}
