public import Addresses
public import CNI
public import JSON

/// The members of a configuration with `"ipam": {"type": "host-local"}`, all legal. Those of the
/// reference plugin mean the same.
public struct HostLocalConfiguration: Hashable, Sendable, JSONDecodable {
  /// By what an address is found again.
  public enum Sticky: String, Hashable, Sendable, CaseIterable {
    /// Namespace and name of the pod.
    case name
    /// The hardware address.
    case mac
  }

  /// Members of `ipam`, beside those of one range without arrays.
  public enum Member: String, JSONMember {
    case ranges, dataDir, resolvConf, reclaimAfterReboot, reservations, sticky
  }

  /// Where the leases of all networks are.
  public let dataDirectory: String
  /// Whether leases of an earlier boot are free.
  public let reclaimsAfterReboot: Bool
  /// In the order of the result: those of the runtime, the one without arrays, those of `ranges`.
  /// Empty only where the configuration was decoded for releasing, or may lack them.
  public let sets: [RangeSet]
  /// Handed on in the result.
  public let routes: [Route]
  /// A file of resolv.conf(5) that the result's `dns` is made from; nil: none.
  public let resolverFile: String?
  /// Addresses that are kept for one container each.
  public let reservations: [Reservation]
  /// Nil: no attachment gets its last address again.
  public let sticky: Sticky?
  /// The addresses that are asked for, of `runtimeConfig` and of `args.cni`; the first come first.
  public let requests: [AddressRequest]
  /// The hardware address that the attachment will have, where that is known.
  public let mac: MACAddress?

  /// The default of `dataDir`, which is the reference plugin's.
  public static let defaultDataDirectory = "/var/lib/cni/networks"

  /// Decodes all members that ADD needs.
  public init(_ json: JSONCursor) throws(JSONDecodingError) { try self.init(json, for: .add) }

  /// Decodes all members.
  ///
  /// - Parameter command: STATUS may lack the ranges: a runtime may have left them out. CHECK asks
  ///   for no address, so that none has to be left.
  public init(_ json: JSONCursor, for command: Command) throws(JSONDecodingError) {
    let ipam = json[PluginMember.ipam]
    guard !ipam.isAbsent || command == .status else {
      throw ipam.error(
        "missing; an object with \"ranges\" is required", message: missingIPAMMessage)
    }
    try ipam.checkObject()
    dataDirectory = try Self.directory(ipam[Member.dataDir])
    reclaimsAfterReboot = try ipam[Member.reclaimAfterReboot].decodeIfPresent() ?? true
    let whole = try Self.sets(json, mayBeNone: command == .status)
    var sets = whole
    let reservations =
      sets.isEmpty ? [] : try Self.reservations(ipam[Member.reservations], sets)
    for set in sets.indices {
      for range in sets[set].ranges.indices {
        sets[set].ranges[range].open = sets[set].ranges[range].open.without(
          reservations.compactMap { IPRange($0.address, $0.address) })
      }
    }
    self.sets = sets
    self.reservations = reservations
    routes = try ipam[IPAMMember.routes].decodeIfPresent() ?? []
    let file: String? = try ipam[Member.resolvConf].decodeIfPresent()
    resolverFile = file?.isEmpty == true ? nil : file
    sticky = try Self.sticky(ipam[Member.sticky])
    requests =
      try AddressRequest.list(json[PluginMember.runtimeConfig][Capability.ips])
      + AddressRequest.list(json.requests[Capability.ips])
    mac = try Self.mac(json)
    // The reference plugin sees that only when all else is well.
    guard command != .check else { return }
    for (number, set) in whole.enumerated() { try set.requireAddress(number: number) }
  }

  /// Decodes what releasing needs, and takes the defaults where that is illegal: no mistake may
  /// keep addresses from others.
  public init(forReleasing json: JSONCursor) {
    dataDirectory =
      (try? Self.directory(json[PluginMember.ipam][Member.dataDir])) ?? Self.defaultDataDirectory
    reclaimsAfterReboot =
      (try? json[PluginMember.ipam][Member.reclaimAfterReboot].decodeIfPresent()) ?? true
    sets = []
    routes = []
    resolverFile = nil
    reservations = []
    sticky = nil
    requests = []
    mac = nil
  }

  private static func directory(_ json: JSONCursor) throws(JSONDecodingError) -> String {
    let directory: String = try json.decodeIfPresent() ?? ""
    guard directory.utf8.allSatisfy({ $0 != 0 }) else {
      throw json.error("the path has a character NUL in it")
    }
    return directory.isEmpty ? defaultDataDirectory : directory
  }

  /// Each gives one address, which is enough for every attachment.
  private static let setLimit = 255

  private static func sets(_ json: JSONCursor, mayBeNone: Bool) throws(JSONDecodingError)
    -> [RangeSet]
  {
    let ipam = json[PluginMember.ipam]
    var sets: [RangeSet] = []
    let wanted = json[PluginMember.runtimeConfig][Capability.ipRanges]
    if !wanted.isAbsent {
      for element in try wanted.elements(atMost: setLimit) {
        sets.append(try .decode(element, number: sets.count))
      }
    }
    if !ipam[AddressRange.Member.subnet].isAbsent {
      sets.append(try .decode(ipam, number: sets.count, isSingle: true))
    }
    if !ipam[Member.ranges].isAbsent {
      for element in try ipam[Member.ranges].elements(atMost: setLimit) {
        sets.append(try .decode(element, number: sets.count))
      }
    }
    guard !sets.isEmpty || mayBeNone else {
      throw ipam[Member.ranges].error(
        "no IP ranges specified; write them as [[{\"subnet\": \"10.1.0.0/16\"}]]",
        message: "no IP ranges specified")
    }
    try check(sets, json)
    return sets
  }

  private static func check(_ sets: [RangeSet], _ json: JSONCursor) throws(JSONDecodingError) {
    let version: String = try json[PluginMember.cniVersion].decodeIfPresent() ?? ""
    let old: Set = ["", SpecificationVersion.v0_1_0.rawValue, SpecificationVersion.v0_2_0.rawValue]
    let counts = [IPAddress.Family.v4, .v6].map { family in
      sets.count { $0.family == family }
    }
    if old.contains(version), counts.contains(where: { $0 > 1 }) {
      throw json[PluginMember.ipam][Member.ranges].tooManyAddresses(version)
    }
    let count = sets.reduce(0) { $0 + $1.ranges.count }
    guard count <= AddressRange.limit else {
      throw json[PluginMember.ipam][Member.ranges].error(
        "\(count) ranges are too many; at most \(AddressRange.limit) are legal")
    }
    for (position, set) in sets.enumerated() {
      for (other, earlier) in sets[..<position].enumerated() {
        let overlaps = set.ranges.contains { range in
          earlier.ranges.contains { $0.range.overlaps(range.range) }
        }
        guard overlaps else { continue }
        throw JSONDecodingError(
          path: set.path,
          reason:
            "range set \(other) overlaps with \(position): \(earlier.text) and \(set.text); "
            + "an address belongs to one range set",
          message: "range set \(other) overlaps with \(position)")
      }
    }
  }

  private static func reservations(_ json: JSONCursor, _ sets: [RangeSet])
    throws(JSONDecodingError) -> [Reservation]
  {
    guard !json.isAbsent else { return [] }
    var reservations: [Reservation] = []
    for element in try json.elements(atMost: 4096) {
      let next = try Reservation(element, sets)
      if let other = reservations.first(where: { $0.address == next.address }) {
        throw element[Reservation.Member.ip].error(
          "\(next.address) is reserved by \(other.path) already")
      }
      reservations.append(next)
    }
    return reservations
  }

  private static func sticky(_ json: JSONCursor) throws(JSONDecodingError) -> Sticky? {
    guard let text: String = try json.decodeIfPresent(), !text.isEmpty else { return nil }
    guard let sticky = Sticky(rawValue: text) else {
      throw json.error("\"\(text)\" is neither \"name\" nor \"mac\"")
    }
    return sticky
  }

  /// The runtime's request before that of `args`, and the configuration's own last. What is wrong
  /// with it is for the plugin to say that sets it.
  private static func mac(_ json: JSONCursor) throws(JSONDecodingError) -> MACAddress? {
    for cursor in [json[PluginMember.runtimeConfig][Capability.mac], json.requests[Capability.mac]]
    {
      if let text = cursor.value?.text, let mac = MACAddress(text) { return mac }
    }
    return nil
  }
}

/// What the reference IPAM plugins say where `ipam` is missing.
let missingIPAMMessage = "IPAM config missing 'ipam' key"

extension JSONCursor {
  /// An error about more addresses than a result of this version can have.
  func tooManyAddresses(_ version: String) -> JSONDecodingError {
    let message = "CNI version \(version) does not support more than 1 address per family"
    return error("\(message); 0.3.0 and later do", message: message)
  }
}
