import Foundation
import JSON
import OVSDB
import OpenVSwitch
import TestSupport
import Testing

/// The schema that Open vSwitch brings.
private let path = "/usr/share/openvswitch/vswitch.ovsschema"

@Suite("The schema", .enabled(if: FileManager.default.fileExists(atPath: path)))
struct SchemaTests {
  /// The type of a column, as the schema has it.
  static func type(_ column: JSONValue) -> String {
    func base(_ json: JSONValue?) -> String {
      switch json?.text ?? json?["type"]?.text {
      case "string": "String"
      case "integer": "Int64"
      case "real": "Double"
      case "boolean": "Bool"
      case "uuid": "Reference"
      default: "?"
      }
    }
    guard let type = column["type"], type.text == nil else { return base(column["type"]) }
    let key = base(type["key"])
    if let value = type["value"] { return "Dictionary<\(key), \(base(value))>" }
    switch (type["min"]?.integer ?? 1, type["max"]?.integer ?? (type["max"] == nil ? 1 : 2)) {
    case (1, 1): return key
    case (0, 1): return "Optional<\(key)>"
    default: return "Array<\(key)>"
    }
  }

  struct Known { let table: String, column: String, type: String }

  static func known<T: Table, each Content>(
    _ table: T, _ columns: repeat Column<T, each Content>
  ) -> [Known] {
    var known: [Known] = []
    func add<C>(_ column: Column<T, C>) {
      known.append(Known(table: table.name, column: column.name, type: "\(C.self)"))
    }
    repeat add(each columns)
    return known
  }

  @Test("every column that is declared is in the schema, with the type it is declared with")
  func columns() throws {
    let data = try #require(FileManager.default.contents(atPath: path))
    let tables = try #require(try JSONValue(parsing: Array(data))["tables"])
    var known = Self.known(
      .openVSwitch, .bridges, .nextConfiguration, .currentConfiguration, .version,
      .otherConfiguration, .externalIDs)
    known += Self.known(
      .bridge, .name, .ports, .datapathType, .mirrors, .controllers, .failMode,
      .hasSpanningTree, .hasRapidSpanningTree, .otherConfiguration, .externalIDs)
    known += Self.known(
      .port, .name, .interfaces, .tag, .trunks, .customerVLANs, .vlanMode, .qos, .isProtected,
      .isFakeBridge, .status, .rapidSpanningTreeStatus, .otherConfiguration, .externalIDs)
    known += Self.known(.controller, .target, .isConnected)
    known += Self.known(
      .interface, .name, .type, .ofport, .ofportRequest, .error, .ifindex, .mac, .mtu,
      .mtuRequest, .options, .otherConfiguration, .status, .ingressPolicingRate,
      .ingressPolicingBurst, .externalIDs)
    known += Self.known(
      .mirror, .name, .selectsAll, .sourcePorts, .destinationPorts, .selectedVLANs, .outputPort,
      .outputVLAN, .externalIDs)
    known += Self.known(.qos, .type, .queues, .otherConfiguration, .externalIDs)
    known += Self.known(.queue, .otherConfiguration, .externalIDs)
    for known in known {
      let column = tables[known.table]?["columns"]?[known.column]
      #expect(column.map(Self.type) == known.type, "\(known.table).\(known.column)")
    }
    // One declaration that the list above forgets would not be checked.
    let declared =
      try Project.text("Sources/OpenVSwitch/Columns.swift")
      .components(separatedBy: "public static var ").count - 1
    // `external_ids` is declared once for seven tables.
    #expect(declared == known.count - 7 + 1)
  }
}
