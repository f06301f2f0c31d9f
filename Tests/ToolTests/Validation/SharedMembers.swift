@testable import patchbay

/// Of the plugins whose state all hosts share: the members that others have too, and their own.
extension WrongMember {
  /// A configuration of `host-local` with one word changed, but for `dataDir`.
  static let cluster =
    hostLocal.filter { !$0.message.hasPrefix("ipam.dataDir") }.map {
      WrongMember("cluster", $0.members, $0.message)
    }
    + [
      (#""database": 5"#, "ipam.database: 5 is not an array"),
      (
        #""database": ["ssl:192.0.2.1:6650"]"#,
        #"ipam.database[0]: "ssl:192.0.2.1:6650": TLS is the work of a relay on this host, "#
          + "conf/cluster has one; write its socket here: unix:/run/patchbay/ipam.sock"
      ),
      (#""host": "a b""#, #"ipam.host: "a b" has white space or control characters"#),
    ].map { WrongMember("cluster", #""ranges": [[{"subnet": "10.1.0.0/24"}]], \#($0)"#, $1) }

  /// What a port of the integration bridge can have as one of another bridge.
  static let ovn =
    ovsBridge.filter { row in
      MemberNames.ovn.contains { row.member.split { " .".contains($0) }[1] == $0 }
    }.map {
      WrongMember(
        "ovn", $0.members.replacing(#""bridge": "b""#, with: #""switch": "s""#), $0.message)
    }
    + [
      (#""switch": 5"#, "switch: 5 is not a string"),
      (
        #""nb": "ssl:192.0.2.1:6641""#,
        #"nb: "ssl:192.0.2.1:6641": TLS is the work of a relay on this host, conf/ovn has one; "#
          + "write its socket here: unix:/run/patchbay/ovnnb.sock"
      ),
      (
        #""integrationBridge": "a/b""#,
        #"integrationBridge: "a/b" is not a bridge name: 1…15 bytes, without "/", ":" and "#
          + #"white space, not "." or "..""#
      ),
      (#""portSecurity": "yes""#, #"portSecurity: "yes" is not true or false"#),
      (#""portGroups": [5]"#, "portGroups[0]: 5 is not a string"),
      (#""host": "a b""#, #"host: "a b" has white space or control characters"#),
    ].map { WrongMember("ovn", $0, $1) }
}
