internal import JSON
public import OVSDB

/// A database that all hosts share, to whose members a relay on each host may lead.
public enum SharedDatabase: Hashable, Sendable {
  /// `CNI_IPAM`: the leases of the IPAM plugin `cluster`.
  case addresses
  /// `OVN_Northbound`
  case northbound

  /// Where the relay on this host listens.
  public var relay: Endpoint {
    switch self {
    case .addresses: .unix("/run/patchbay/ipam.sock")
    case .northbound: .unix("/run/patchbay/ovnnb.sock")
    }
  }

  /// Where an example of the relay is.
  private var example: String {
    switch self {
    case .addresses: "conf/cluster"
    case .northbound: "conf/ovn"
    }
  }

  /// Parses where a member, or the relay, listens. `ssl:` is refused: the relay speaks TLS.
  public func endpoint(_ text: String) throws(OVSDBError) -> Endpoint {
    guard !text.hasPrefix("ssl:") else {
      throw .unusableEndpoint(
        text,
        "TLS is the work of a relay on this host, \(example) has one; write its socket here: "
          + "\(relay)")
    }
    return try Endpoint(text)
  }

  /// The endpoints that a member of a configuration has, one text or several; empty where it is
  /// absent.
  func endpoints(_ json: JSONCursor) throws(JSONDecodingError) -> [Endpoint] {
    if json.isAbsent { return [] }
    var endpoints: [Endpoint] = []
    let elements = json.value?.text == nil ? try json.elements(atMost: 16) : [json]
    for element in elements {
      let text: String = try element.decode()
      do throws(OVSDBError) { endpoints.append(try endpoint(text)) } catch {
        throw element.error(error.description)
      }
    }
    return endpoints
  }
}

/// A name of this host, which no other has.
enum HostName {
  /// Bytes.
  private static let lengthLimit = 255

  /// Nil where the member is absent or empty.
  static func decode(_ json: JSONCursor) throws(JSONDecodingError) -> String? {
    guard let name: String = try json.decodeIfPresent(), !name.isEmpty else { return nil }
    guard name.utf8.count <= lengthLimit else {
      throw json.error("\(name.utf8.count) bytes are too many; at most \(lengthLimit) are legal")
    }
    guard name.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
      throw json.error("\"\(name)\" has white space or control characters")
    }
    return name
  }
}
