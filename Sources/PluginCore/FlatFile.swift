public import CNI
public import JSON
internal import Linux

/// The file of defaults that the reference OVS plugins read beside their configurations.
public enum FlatFile {
  /// Members of a plugin configuration.
  public enum Member: String, JSONMember {
    case path = "configuration_path"
  }

  /// Where it is looked for where `configuration_path` names no file that is there.
  private static let places = [
    "/etc/kubernetes/cni/net.d/ovs.d/ovs.conf", "/etc/cni/net.d/ovs.d/ovs.conf",
  ]

  /// `json` with the members of the first such file that it lacks, or has as `0`, `""` or `null`.
  ///
  /// DEL and GC do without a file that is of no use: it keeps nothing that there is to release.
  public static func merged(into json: JSONCursor, for command: Command) throws(CNIError)
    -> JSONCursor
  {
    do { return try merged(into: json) } catch {
      if command.isReleasing { return json }
      throw error
    }
  }

  private static func merged(into json: JSONCursor) throws(CNIError) -> JSONCursor {
    let named: String?
    do { named = try json[Member.path].decodeIfPresent() } catch {
      throw CNIError(error)
    }
    for path in (named.map { [$0] } ?? []) + places where !path.isEmpty {
      guard let text = try read(path) else { continue }
      let defaults: JSONValue
      do { defaults = try JSONValue(parsing: text) } catch {
        throw CNIError(.decodingFailure, "\(path) is not JSON", details: error.description)
      }
      guard case .object(let members) = defaults, case .object(var configuration)? = json.value
      else {
        throw CNIError(.invalidConfiguration, "\(path): the file must hold one object")
      }
      for member in members.members where isUnset(json[member.name].value) {
        configuration[member.name] = member.value
      }
      return JSONCursor(.object(configuration))
    }
    return json
  }

  private static func isUnset(_ value: JSONValue?) -> Bool {
    switch value {
    case nil, .null?, .integer(0)?, .string("")?, .bool(false)?: true
    default: false
    }
  }

  /// The content of the file; nil if there is none.
  private static func read(_ path: String) throws(CNIError) -> [UInt8]? {
    do {
      return try FileDescriptor.open(path, [.readOnly, .nonBlocking]).readToEnd(limit: 1 << 20)
    } catch {
      if error.errno == .noSuchFileOrDirectory || error.errno == .notADirectory { return nil }
      throw CNIError(.ioFailure, "cannot read the configuration", details: error.description)
    }
  }
}
