internal import CNI
public import JSON
public import OVSDB

/// The members of a configuration with `"ipam": {"type": "cluster"}`, all legal: those of
/// `host-local`, but for `dataDir`, and where the database is.
public struct ClusterConfiguration: Hashable, Sendable {
  /// `database`: where the members of the database listen, in the order in which they are tried. Not
  /// empty.
  public let database: [Endpoint]
  /// `host`: this host's name; nil: that of Open vSwitch, else the machine ID.
  public let host: String?
  /// Ranges and all else. Without ranges where it was decoded for releasing.
  public let addresses: HostLocalConfiguration

  /// Where the database of this host, or the relay to it, listens where nothing is said.
  public static let defaultDatabase = Endpoint.unix("/run/patchbay/ipam.sock")

  /// Decodes all members.
  ///
  /// - Parameter mayLackRanges: A runtime may have left them out, as from the configurations of
  ///   STATUS.
  public init(_ json: JSONCursor, mayLackRanges: Bool) throws(JSONDecodingError) {
    addresses = try HostLocalConfiguration(json, mayLackRanges: mayLackRanges)
    let ipam = json["ipam"]
    let list = try Self.endpoints(ipam["database"])
    database = list.isEmpty ? [Self.defaultDatabase] : list
    host = try Self.name(ipam["host"])
    guard addresses.sets.count <= Self.setLimit else {
      throw ipam["ranges"].error(
        "\(addresses.sets.count) range sets are too many; at most \(Self.setLimit) are legal")
    }
  }

  /// Decodes what releasing needs.
  public init(forReleasing json: JSONCursor) throws(JSONDecodingError) {
    addresses = HostLocalConfiguration(forReleasing: json)
    let list = try Self.endpoints(json["ipam"]["database"])
    database = list.isEmpty ? [Self.defaultDatabase] : list
    host = try Self.name(json["ipam"]["host"])
  }

  /// Addresses that one attachment may have: each has a row.
  private static let setLimit = 16

  /// One endpoint, or a list of them.
  private static func endpoints(_ json: JSONCursor) throws(JSONDecodingError) -> [Endpoint] {
    if json.isAbsent { return [] }
    var endpoints: [Endpoint] = []
    let elements = json.value?.text == nil ? try json.elements(atMost: 16) : [json]
    for element in elements {
      let text: String = try element.decode()
      guard !text.hasPrefix("ssl:") else {
        throw element.error(
          "\"\(text)\": TLS is the work of a relay on this host, conf/cluster has one; write its "
            + "socket here: \(defaultDatabase)")
      }
      do throws(OVSDBError) { endpoints.append(try Endpoint(text)) } catch {
        throw json.error(error.description)
      }
    }
    return endpoints
  }

  private static func name(_ json: JSONCursor) throws(JSONDecodingError) -> String? {
    guard let text: String = try json.decodeIfPresent(), !text.isEmpty else { return nil }
    let isLegal = text.utf8.count <= 255 && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f }
    guard isLegal else { throw json.error("\"\(text)\" has white space or control characters") }
    return text
  }
}
