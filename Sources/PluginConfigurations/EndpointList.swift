internal import JSON
internal import OVSDB

/// A member that says where the members of a database listen: one text, or several.
enum EndpointList {
  /// The endpoints; empty where the member is absent. `ssl:` is refused: a relay on this host
  /// speaks TLS.
  ///
  /// - Parameters:
  ///   - directory: Where an example of the relay is.
  ///   - socket: That of the relay.
  static func decode(_ json: JSONCursor, relay directory: String, at socket: Endpoint)
    throws(JSONDecodingError) -> [Endpoint]
  {
    if json.isAbsent { return [] }
    var endpoints: [Endpoint] = []
    let elements = json.value?.text == nil ? try json.elements(atMost: 16) : [json]
    for element in elements {
      let text: String = try element.decode()
      guard !text.hasPrefix("ssl:") else {
        throw element.error(
          "\"\(text)\": TLS is the work of a relay on this host, \(directory) has one; write its "
            + "socket here: \(socket)")
      }
      do throws(OVSDBError) { endpoints.append(try Endpoint(text)) } catch {
        throw json.error(error.description)
      }
    }
    return endpoints
  }
}

/// A name of this host, which no other has.
enum HostName {
  /// Nil where the member is absent or empty.
  static func decode(_ json: JSONCursor) throws(JSONDecodingError) -> String? {
    guard let name: String = try json.decodeIfPresent(), !name.isEmpty else { return nil }
    let isLegal = name.utf8.count <= 255 && name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f }
    guard isLegal else { throw json.error("\"\(name)\" has white space or control characters") }
    return name
  }
}
