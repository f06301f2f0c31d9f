public import JSON

/// One container on one network: what the specification's section 2 "GC" lists.
public struct Attachment: Hashable, Sendable, JSONDecodable {
  /// `CNI_CONTAINERID`
  public let containerID: String
  /// `CNI_IFNAME`
  public let interfaceName: String

  /// The attachment of `containerID` by `interfaceName`.
  public init(containerID: String, interfaceName: String) {
    self.containerID = containerID
    self.interfaceName = interfaceName
  }

  /// `{"containerID": …, "ifname": …}`
  public init(_ json: JSONCursor) throws(JSONDecodingError) {
    containerID = try json["containerID"].decode()
    interfaceName = try json["ifname"].decode()
  }

  /// `{"containerID": …, "ifname": …}`
  public var json: JSONValue {
    ["containerID": .string(containerID), "ifname": .string(interfaceName)]
  }
}
