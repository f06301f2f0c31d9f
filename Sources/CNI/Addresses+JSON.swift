public import Addresses
public import JSON

extension IPAddress: JSONDecodable {
  /// An address.
  public init(_ json: JSONCursor) throws(JSONDecodingError) {
    let text = try json.decode(String.self)
    guard let address = IPAddress(text) else {
      throw json.error(
        "\"\(text)\" is not an IP address", message: "invalid IP address: \(text)")
    }
    self = address
  }
}

extension IPPrefix: JSONDecodable {
  /// An address with its prefix length.
  public init(_ json: JSONCursor) throws(JSONDecodingError) {
    let text = try json.decode(String.self)
    do { self = try IPPrefix(text) } catch {
      throw json.error(
        "\"\(text)\" is not a CIDR: \(error)", message: "invalid CIDR address: \(text)")
    }
  }
}

extension MACAddress: JSONDecodable {
  /// An address of a single interface.
  public init(_ json: JSONCursor) throws(JSONDecodingError) {
    let text = try json.decode(String.self)
    guard let address = MACAddress(text) else {
      throw json.error("\"\(text)\" is not a MAC address; write it as 02:00:00:00:00:01")
    }
    guard address.isUnicast else {
      throw json.error("\"\(text)\" is not a unicast MAC address; its first byte must be even")
    }
    self = address
  }
}

extension JSONCursor {
  /// The address here; nil where the value is absent, null or empty, as Go's `net.IP` reads it.
  public func decodeAddressIfPresent() throws(JSONDecodingError) -> IPAddress? {
    value == .string("") ? nil : try decodeIfPresent()
  }
}
