public import Addresses
internal import CNI
public import JSON

/// An address of `host-local` that only one may have.
public struct Reservation: Hashable, Sendable {
  /// For whom it is.
  public enum Subject: Hashable, Sendable, CustomStringConvertible {
    /// `NAMESPACE/NAME` of a pod, or `NAME` alone in any namespace.
    case name(String)
    /// A hardware address.
    case mac(MACAddress)
    /// A container ID.
    case containerID(String)

    /// `name "default/web-0"`
    public var description: String {
      switch self {
      case .name(let name): "name \"\(name)\""
      case .mac(let mac): "mac \"\(mac)\""
      case .containerID(let id): "containerID \"\(id)\""
      }
    }
  }
  /// The members.
  public enum Member: String, JSONMember {
    case name, mac, containerID, ip
  }
  /// For whom.
  public let subject: Subject
  /// In a subnet of one of the ranges; need not be between `rangeStart` and `rangeEnd`.
  public let address: IPAddress
  /// Where it stands.
  public let path: JSONPath

  /// `{"name" or "mac" or "containerID": …, "ip": …}`
  init(_ json: JSONCursor, _ sets: [RangeSet]) throws(JSONDecodingError) {
    path = json.path
    guard json.value?.object != nil else { throw json.expected("an object") }
    let name: String? = try json[Member.name].decodeIfPresent()
    let mac: MACAddress? = try json[Member.mac].decodeIfPresent()
    let container: String? = try json[Member.containerID].decodeIfPresent()
    let subjects = [
      name.map { Subject.name($0) }, mac.map { .mac($0) }, container.map { .containerID($0) },
    ].compactMap { $0 }
    guard subjects.count == 1, let subject = subjects.first else {
      throw json.error("it has exactly one of \"name\", \"mac\" and \"containerID\"")
    }
    self.subject = subject
    address = try json[Member.ip].decode(IPAddress.self).unmapped
    let address = address
    let ranges = sets.flatMap { $0.ranges }
    guard let range = ranges.first(where: { $0.subnet.contains(address) }) else {
      let subnets = ranges.map { $0.subnet.description }.joined(separator: ", ")
      throw json[Member.ip].error("\(address) is in no subnet of the ranges: \(subnets)")
    }
    let isTiny = range.subnet.length + 2 > range.subnet.address.family.bits
    let isBroadcast = !address.isIPv6 && address == range.subnet.last
    let isOfNetwork = address == range.subnet.network || isBroadcast
    guard address != range.gateway, isTiny || !isOfNetwork else {
      throw json[Member.ip].error("\(address) is the gateway, the network or the broadcast address")
    }
  }
}

/// A requested address.
public struct AddressRequest: Hashable, Sendable {
  /// The address. A prefix length that came with it is passed over: the range has one.
  public let address: IPAddress
  /// Who asks, in the words of the configuration: `runtimeConfig.ips`.
  public let source: String

  /// `address`, asked for by `source`.
  public init(_ address: IPAddress, source: String) {
    self.address = address
    self.source = source
  }

  /// The addresses of the array `json`, if there is one.
  static func list(_ json: JSONCursor) throws(JSONDecodingError) -> [AddressRequest] {
    guard !json.isAbsent else { return [] }
    var requests: [AddressRequest] = []
    for element in try json.elements(atMost: 255) {
      let text: String = try element.decode()
      guard let address = parse(text) else {
        throw element.error(
          "cannot understand ip: \"\(text)\"; write it as ADDRESS or ADDRESS/LENGTH",
          message: text.isEmpty
            ? "cannot understand ip: IP <nil> not v4 nor v6" : "invalid IP address \(text)")
      }
      requests.append(AddressRequest(address, source: json.path.description))
    }
    return requests
  }

  /// The address of `ADDRESS` or `ADDRESS/LENGTH`.
  public static func parse(_ text: String) -> IPAddress? {
    text.utf8.contains(UInt8(ascii: "/"))
      ? (try? IPPrefix(text))?.address.unmapped : IPAddress(text)?.unmapped
  }
}
