internal import JSON
package import OVSDB
internal import PluginCore

/// Where the logical ports of this host are, as rows of Open vSwitch remember it for DEL and GC.
package struct NorthboundPlace: Hashable, Sendable {
  /// The members of the database, or a relay to them.
  package let remotes: [Endpoint]
  /// The name of this host, which is part of the holder.
  package let host: String

  package init(_ remotes: [Endpoint], host: String) {
    self.remotes = remotes
    self.host = host
  }

  /// As JSON in one line.
  var text: String {
    let json = JSONValue.object([
      ("host", .string(host)), ("nb", .array(remotes.map { .string($0.description) })),
    ])
    return String(decoding: json.encoded(), as: UTF8.self)
  }

  /// What rows have whose port was made beforehand, and is not touched.
  static let presetText = #"{"preset":true}"#

  /// Reads what a row says. Nil if it is no place: others can write there.
  package init?(text: String) {
    guard text.utf8.count <= 4096, let json = try? JSONValue(parsing: Array(text.utf8)),
      let host = json["host"]?.text, let list = json["nb"]?.array, !list.isEmpty
    else { return nil }
    let remotes = list.compactMap { $0.text.flatMap { try? Endpoint($0) } }
    guard remotes.count == list.count else { return nil }
    self.init(remotes, host: host)
  }

  /// The name of the port of an attachment of this host.
  func portName(_ key: AttachmentKey) -> String { "\(host)/\(key)" }

  /// The pairs of `external_ids` that the ports of an attachment of this host include, and those of
  /// no other host's.
  func externalIDs(_ key: AttachmentKey) -> [String: String] {
    key.externalIDs.adding([Self.hostKey: host])
  }

  /// The same of all attachments to a network.
  func externalIDs(network: String) -> [String: String] {
    AttachmentRecord.mark(of: network).adding([Self.hostKey: host])
  }

  private static let hostKey = "host"
}
