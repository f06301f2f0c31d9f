package import CNI
package import JSON
internal import OVSDB
internal import PluginConfigurations
package import PluginCore

/// What DEL and GC need to know of an attachment: what else it has, its rows and links tell.
package struct Detachment {
  /// Network, container ID and interface name; of GC the network alone.
  package let key: AttachmentKey
  /// Where ovsdb-server listens.
  let endpoint: Endpoint
  /// The configuration, for features whose traces are in no row. Its members may be anything.
  let json: JSONCursor
  /// The host end.
  var hostLink: HostLink { HostLink(of: key.attachment) }

  init(key: AttachmentKey, endpoint: Endpoint, json: JSONCursor) {
    self.key = key
    self.endpoint = endpoint
    self.json = json
  }

  /// Decodes `socket_file` alone: no mistake in another member may keep a container alive, or what
  /// others left.
  package init(_ request: Request) throws(JSONDecodingError) {
    json = request.network.json
    key = AttachmentKey(request)
    endpoint = try OVSBridgeConfiguration.endpoint(
      json[OVSBridgeConfiguration.PortMember.socketFile])
  }
}
