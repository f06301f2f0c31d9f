internal import Linux
internal import PluginCore

/// What can be seen of ovn-controller on this host.
enum OVNController {
  /// Throws where it is not at work on `bridge`.
  ///
  /// It installs flows over a socket at which ovs-vswitchd listens for the bridge, `BRIDGE.mgmt`
  /// or another in that directory that begins with the bridge's name, and keeps that connection:
  /// see ovs-ofctl(8). A file with its process ID proves nothing, may be anywhere, and outlives it.
  /// Where ovs-vswitchd listens in another network namespace this host's sockets say nothing.
  static func require(on bridge: String) throws(AttachmentError) {
    guard let sockets = try? UnixSocketTable.current(),
      let socket = sockets.listening.first(where: { $0.hasSuffix("/\(bridge).mgmt") })
    else { return }
    let isConnected = sockets.connected.contains { path in
      path.split(separator: "/").last?.hasPrefix("\(bridge).") ?? false
    }
    if isConnected { return }
    throw AttachmentError(
      .unavailable, "ovn-controller is not at work on bridge \"\(bridge)\"",
      details: "nothing is connected to \(socket); is ovn-controller running on this host?")
  }
}
