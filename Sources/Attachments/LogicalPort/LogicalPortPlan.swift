internal import CNI
internal import JSON
package import OVSDB
package import PluginConfigurations
package import PluginCore

/// What an attachment is to have in OVN's northbound database.
package struct LogicalPortPlan {
  /// The members of the configuration.
  package let configuration: OVNConfiguration
  /// This host as a chassis.
  package let chassis: Chassis
  /// Network, container ID and interface name.
  let key: AttachmentKey
  /// Where the northbound database is.
  let place: NorthboundPlace
  /// The port that was made beforehand, by its name; nil where this attachment makes its own.
  let preset: String?
  /// When this command began, by which the rows of two ADDs differ.
  let began: Int64

  /// - Parameter plan: What else the attachment has.
  package init(
    _ plan: Plan, _ configuration: OVNConfiguration, on chassis: Chassis, _ context: Context
  ) {
    self.configuration = configuration
    self.chassis = chassis
    key = plan.key
    preset = plan.logicalPort
    began = context.began
    place = NorthboundPlace(
      configuration.northbound, host: configuration.host ?? chassis.name)
  }

  /// The logical port's name, which is unique in the whole database, and by which the interface is
  /// bound to it.
  var name: String { preset ?? place.portName(key) }

  /// The pairs of `external_ids` of the row that this ADD makes, and of no other.
  var ownExternalIDs: [String: String] {
    place.externalIDs(key).adding([AttachmentRecord.Key.began: "\(began)"])
  }

  /// The plan of the attachment with the logical port in it.
  package func completing(_ plan: Plan) -> Plan {
    var plan = plan
    plan.logicalPort = name
    return plan
  }

  /// The same for CHECK, which knows the MAC address of a port that was made beforehand from the
  /// port.
  package func completing(_ plan: Plan, _ context: Context) throws(AttachmentError) -> Plan {
    guard preset != nil else { return completing(plan) }
    return try LogicalPortSurvey(self, plan, context).completing(plan)
  }

  /// What the rows of Open vSwitch have for it.
  package var externalIDs: [String: String] {
    var pairs = [LogicalPort.key.rawValue: preset == nil ? place.text : NorthboundPlace.presetText]
    if preset == nil { pairs["iface-id-ver"] = key.attachment.containerID }
    return pairs
  }
}

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
