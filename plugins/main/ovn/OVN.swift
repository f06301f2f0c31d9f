import AttachmentPlugin
import Attachments
import CNI
import JSON
import Linux
import PluginConfigurations
import PluginCore

/// What a command works with.
struct OVNPlan {
  /// The veth pair, the port of the integration bridge, and all else that `ovs-bridge` has too.
  let port: Plan
  let configuration: OVNConfiguration
}

/// `ovn`: one veth pair per attachment, its container end in the sandbox, its host end a port of
/// OVN's integration bridge, bound to a port of a logical switch.
///
/// The phases of a command are in the file named after it.
@main enum OVN: Plugin {
  static let name = "ovn"

  static func configuration(_ request: Request) throws(JSONDecodingError) -> OVNPlan {
    let json = request.network.json
    let configuration = try OVNConfiguration(json)
    let plan = OVNPlan(port: try Plan(request, configuration.port), configuration: configuration)
    guard let port = plan.port.logicalPort else {
      // A runtime may leave members out in STATUS that it does not know.
      guard !configuration.needsPreset || request.invocation.command == .status else {
        throw json[OVNConfiguration.Member.switch].expected("the name of a logical switch")
      }
      return plan
    }
    if plan.port.hasIPAM {
      throw json[PluginMember.ipam].error(
        "OvnPort names a port that has addresses of its own; leave ipam out")
    }
    // Without them its rules would be avoided.
    if !configuration.portGroups.isEmpty {
      throw json[OVNConfiguration.Member.portGroups].error(
        "OvnPort names port \"\(port)\", whose groups are those that it was made with; leave "
          + "portGroups out, and put the port into them (ovn-nbctl pg-set-ports)")
    }
    return plan
  }

  static func detachment(_ request: Request) throws(JSONDecodingError) -> Detachment {
    try Detachment(request)
  }

  static func refuseUnsupported(_ request: Request) throws(CNIError) {
    try request.requireExpressibleResult()
  }

  /// With the time that OVN may take, where the configuration says nothing of it.
  static func patient(_ request: Request, _ context: Context) -> Context {
    guard request.network.json[NetworkConfiguration.Member.timeout].isAbsent else { return context }
    let more = OVNConfiguration.defaultTimeout - NetworkConfiguration.defaultTimeout
    return Context(
      deadline: context.deadline.advanced(by: .seconds(more)), log: context.log,
      began: context.began)
  }
}
