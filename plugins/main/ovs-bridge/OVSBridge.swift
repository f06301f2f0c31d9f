import AttachmentPlugin
import Attachments
import CNI
import JSON
import PluginConfigurations
import PluginCore

/// `ovs-bridge`: one veth pair per attachment, its container end in the sandbox, its host end a
/// port of an Open vSwitch bridge.
///
/// The phases of a command are in the file named after it.
@main enum OVSBridge: Plugin {
  static let name = "ovs-bridge"

  static func completed(_ json: JSONCursor, for command: Command) throws(CNIError)
    -> JSONCursor
  {
    try FlatFile.merged(into: json, for: command)
  }

  static func configuration(_ request: Request) throws(JSONDecodingError) -> Plan {
    try Plan(request, OVSBridgeConfiguration(request.network.json))
  }

  static func detachment(_ request: Request) throws(JSONDecodingError) -> Detachment {
    try Detachment(request)
  }

  static func refuseUnsupported(_ request: Request) throws(CNIError) {
    if let member = UnsupportedMember.all(in: request.network.json).first {
      throw CNIError(.unsupportedField, member.fault.description, details: member.reason)
    }
    try request.requireExpressibleResult()
  }
}
