internal import CNI
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

  /// What the rows of Open vSwitch have for it.
  package var externalIDs: [String: String] {
    let memory = preset == nil ? place.text : NorthboundPlace.presetText
    var pairs = [ExternalIDKey.logicalPort.rawValue: memory]
    if preset == nil { pairs["iface-id-ver"] = key.attachment.containerID }
    return pairs
  }
}
