import CNI
import CNIRuntime
import JSON

/// Finds all faults of a network configuration.
struct Validator {
  /// Whether it is a list, as files of the name `.conflist` are; else the configuration of one
  /// plugin.
  let isList: Bool

  private static let versions = SpecificationVersion.allCases.map(\.rawValue)

  func faults(of json: JSONValue) -> [Fault] {
    let root = JSONCursor(json)
    guard let object = json.object else {
      return [Fault(.error, root.expected("an object").description)]
    }
    var faults = identity(root, object)
    guard isList else {
      if object[NetworkList.Member.plugins] != nil {
        faults.append(
          Fault(
            .error, "plugins: a list of plugins is read from a file whose name ends in .conflist"))
      }
      return faults + plugin(root, in: root, nil)
    }
    faults += members(root, object)
    guard let plugins = object[NetworkList.Member.plugins] else {
      if object[PluginMember.type] != nil {
        faults.append(
          Fault(
            .error,
            "type: this is the configuration of one plugin: name the file .conf, or put "
              + "it into \"plugins\""))
      } else if object[NetworkList.Member.loadOnlyInlinedPlugins] == true {
        faults.append(
          Fault(.error, "`loadOnlyInlinedPlugins` is true, and no 'plugins' key"))
      } else {
        faults.append(
          Fault(
            .warning,
            "plugins: missing; then plugins come from the *.conf of a directory that is "
              + "named as the network"))
      }
      return faults
    }
    guard let items = plugins.array else {
      return faults + [
        Fault(.error, root[NetworkList.Member.plugins].expected("an array").description)
      ]
    }
    if items.isEmpty { faults.append(Fault(.error, "plugins: no plugins in list")) }
    for (index, cursor) in ((try? root[NetworkList.Member.plugins].elements) ?? []).enumerated() {
      faults += plugin(cursor, in: root, index)
    }
    return faults + secondMainPlugins(root)
  }

  /// Plugins that make the interface that the runtime names; a list has one of them.
  private static let mainTypes: Set<String> = [
    "ovs-bridge", "ovn", "ovs", "bridge", "macvlan", "ipvlan", "ptp", "host-device", "vlan",
    "dummy",
    "tap", "sriov",
  ]

  private func secondMainPlugins(_ root: JSONCursor) -> [Fault] {
    let types = ((try? root[NetworkList.Member.plugins].elements) ?? []).map {
      $0[PluginMember.type]
    }
    let mains = types.filter { Self.mainTypes.contains($0.value?.text ?? "") }
    guard let first = mains.first else { return [] }
    return mains.dropFirst().map { type in
      Fault(
        .error,
        type.error(
          "\"\(type.value?.text ?? "")\" makes the same interface as \(first.path) "
            + "\"\(first.value?.text ?? "")\"; a list has one main plugin, another network has "
            + "another"
        ).description)
    }
  }

  /// Name and version.
  private func identity(_ root: JSONCursor, _ object: JSONObject) -> [Fault] {
    var faults: [Fault] = []
    switch object[NetworkList.Member.name] {
    case nil: faults.append(Fault(.error, "name: missing; the network's name is required"))
    case .string(let name)?:
      do { try Names.checkNetworkName(name) } catch {
        faults.append(
          Fault(
            .error,
            "name: \"\(name)\" is not a network name: letters, digits, \"_\", \".\" and "
              + "\"-\" are legal, the first a letter or digit"))
      }
    default:
      faults.append(Fault(.error, root[NetworkList.Member.name].expected("a string").description))
    }
    switch object[NetworkList.Member.cniVersion] {
    case nil where object[NetworkList.Member.cniVersions] == nil:
      faults.append(
        Fault(
          .warning,
          "cniVersion: missing, which means 0.1.0; write 1.1.0 to have CHECK, GC and "
            + "STATUS"))
    case nil: break
    case .string(let text)?:
      if !Self.versions.contains(text) {
        let legal = Self.versions.joined(separator: ", ")
        faults.append(Fault(.error, "cniVersion: \"\(text)\" is not one of \(legal)"))
      }
    default:
      faults.append(
        Fault(.error, root[NetworkList.Member.cniVersion].expected("a string").description))
    }
    return faults
  }

  /// The members that only a list has.
  private func members(_ root: JSONCursor, _ object: JSONObject) -> [Fault] {
    var faults: [Fault] = []
    for name in [NetworkList.Member.disableCheck, .disableGC, .loadOnlyInlinedPlugins] {
      switch object[name] {
      case nil, .bool: break
      case .string(let text)? where ["true", "false"].contains(text.lowercased()): break
      default:
        let legal = "true, false, \"true\" or \"false\""
        faults.append(Fault(.error, root[name].expected(legal).description))
      }
    }
    if object[NetworkList.Member.disableGC] == nil, Self.mayHaveGC(object) {
      faults.append(
        Fault(
          .warning,
          "disableGC: missing; write true if several runtimes use the list, since GC by one frees "
            + "what the others attached, else false"))
    }
    if let versions = object[NetworkList.Member.cniVersions] {
      if versions.array == nil {
        faults.append(
          Fault(.error, root[NetworkList.Member.cniVersions].expected("an array").description))
      }
      for cursor in (try? root[NetworkList.Member.cniVersions].elements) ?? [] {
        let text = cursor.value?.text
        if text == nil || !Self.isVersion(text ?? "") {
          faults.append(Fault(.error, cursor.expected("a version such as \"1.1.0\"").description))
        }
      }
    }
    // Those of one plugin are reported with another sentence.
    if object[NetworkList.Member.plugins] == nil, object[PluginMember.type] != nil { return faults }
    return faults + UnknownMembers.faults(in: object, of: NetworkList.Member.names, at: JSONPath())
  }

  /// Whether a runtime may run the plugins with a version that has GC.
  private static func mayHaveGC(_ object: JSONObject) -> Bool {
    let versions =
      [object[NetworkList.Member.cniVersion]]
      + (object[NetworkList.Member.cniVersions]?.array ?? [])
    return versions.contains { $0 == .string(SpecificationVersion.v1_1_0.rawValue) }
  }

  private static func isVersion(_ text: String) -> Bool {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    return (1...3).contains(parts.count) && parts.allSatisfy { UInt32($0) != nil }
  }

  /// One plugin: what a runtime demands, and what its own decoder does.
  private func plugin(_ cursor: JSONCursor, in root: JSONCursor, _ index: Int?) -> [Fault] {
    guard cursor.value?.object != nil else {
      return [Fault(.error, cursor.expected("an object").description)]
    }
    var faults: [Fault] = []
    guard let type = cursor[PluginMember.type].value?.text, !type.isEmpty else {
      faults.append(
        Fault(
          .error,
          cursor[PluginMember.type].expected("the name of the plugin's executable").description))
      return faults
    }
    if type.contains("/") || type == "." || type == ".." {
      faults.append(
        Fault(
          .error,
          cursor[PluginMember.type].error("\"\(type)\" is not a name of an executable").description)
      )
    }
    // A runtime writes its own in their place, but reads them first.
    for name in [PluginMember.name, .cniVersion] where index != nil && !cursor[name].isAbsent {
      if cursor[name].value?.text == nil {
        faults.append(Fault(.error, cursor[name].expected("a string").description))
      }
    }
    var texts: Set<String> = []
    for decoder in PluginDecoder.all where decoder.applies(cursor) {
      let collector = FaultCollector(document: root.value ?? .null, index: index, decoder: decoder)
      for fault in collector.faults() where texts.insert(fault.description).inserted {
        faults.append(Fault(.error, fault.description))
      }
      faults += decoder.others(collector.plugin, root)
      for (path, names) in decoder.members {
        for place in Self.places(path[...], from: cursor) {
          guard let inner = place.value?.object else { continue }
          faults += UnknownMembers.faults(in: inner, of: names, at: place.path)
        }
      }
    }
    return faults
  }

  /// The positions at `path`, in which `*` stands for every element.
  private static func places(_ path: ArraySlice<String>, from cursor: JSONCursor) -> [JSONCursor] {
    guard let step = path.first else { return [cursor] }
    let next = step == "*" ? (try? cursor.elements) ?? [] : [cursor[step]]
    return next.flatMap { places(path.dropFirst(), from: $0) }
  }
}
