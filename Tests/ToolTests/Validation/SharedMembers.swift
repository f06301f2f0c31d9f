@testable import patchbay

/// Of the plugins whose state all hosts share: the members that others have too, and their own.
extension WrongMember {
  /// A configuration of `host-local` with one word changed, but for `dataDir`.
  static let cluster =
    hostLocal.filter { !$0.path.hasPrefix("ipam.dataDir") }.map {
      WrongMember("cluster", $0.members, $0.path)
    }
    + [
      (#""database": 5"#, "ipam.database"),
      (#""database": ["ssl:192.0.2.1:6650"]"#, "ipam.database[0]"),
      (#""host": "a b""#, "ipam.host"),
    ].map { WrongMember("cluster", #""ranges": [[{"subnet": "10.1.0.0/24"}]], \#($0)"#, $1) }

  private static let ovnMembers = PluginDecoder.ovn.members.first { $0.path.isEmpty }?.names ?? []

  /// What a port of the integration bridge can have as one of another bridge.
  static let ovn =
    ovsBridge.filter { row in
      !row.members.contains("isGateway")
        && ovnMembers.contains { row.member.split { " .".contains($0) }[1] == $0 }
    }.map {
      WrongMember(
        "ovn", $0.members.replacing(#""bridge": "b""#, with: #""switch": "s""#), $0.path)
    }
    + [
      (#""switch": 5"#, "switch"),
      (#""switch": """#, "switch"),
      (#""nb": [5]"#, "nb[0]"),
      (#""nb": "ssl:192.0.2.1:6641""#, "nb"),
      (#""integrationBridge": "a/b""#, "integrationBridge"),
      (#""portSecurity": "yes""#, "portSecurity"),
      (#""portGroups": [5]"#, "portGroups[0]"),
      (#""host": "a b""#, "host"),
    ].map { WrongMember("ovn", $0, $1) }
}
