package import CNI
package import JSON
internal import OVSDB
package import PluginConfigurations
internal import PluginCore

/// What an attachment's port is to be to which mirrors.
package struct MirrorPlan {
  /// The members of the configuration.
  let configuration: MirrorConfiguration
  /// What the port is to the mirrors.
  let role: MirrorConfiguration.Role
  /// The network's name, container ID and interface name; the last two empty for GC and STATUS.
  let key: AttachmentKey
  /// The network's name.
  var network: String { key.network }
  /// Container ID and interface name.
  var attachment: Attachment { key.attachment }
  /// The links that earlier plugins of the chain made, in their order.
  let interfaces: [String]
  /// Where ovsdb-server listens.
  let endpoint: Endpoint

  /// Decodes what the command of `request` needs.
  package init(_ request: Request, _ role: MirrorConfiguration.Role) throws(JSONDecodingError) {
    let json = request.network.json
    let command = request.invocation.command
    configuration =
      command.isReleasing
      ? try MirrorConfiguration(forReleasing: json)
      : try MirrorConfiguration(json, for: role, mayLackMembers: command == .status)
    self.role = role
    key = AttachmentKey(request)
    interfaces = request.network.previousResult?.interfaces.map { $0.name } ?? []
    endpoint = configuration.endpoint
  }
}
