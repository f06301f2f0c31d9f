import Linux

/// The example network of a playground, which is `conf/10-ovs-1.conflist`.
enum PlaygroundNetwork {
  static let directory = "/etc/cni/net.d"
  static let file = "10-ovs-1.conflist"

  static let text = """
    {
      "cniVersion": "1.0.0",
      "cniVersions": ["1.0.0", "1.1.0"],
      "name": "ovs-1",
      "disableGC": true,
      "plugins": [
        {
          "type": "ovs-bridge",
          "bridge": "OVS-1",
          "ipam": {
            "type": "host-local",
            "ranges": [
              [
                {
                  "subnet": "192.168.0.0/24",
                  "gateway": "192.168.0.254"
                }
              ]
            ]
          }
        }
      ]
    }

    """

  /// Puts it where runtimes look for networks.
  static func write() throws {
    do {
      let path = "\(directory)/\(file)"
      try FileDescriptor.open(path, [.writeOnly, .create, .truncate], mode: 0o644)
        .write(Array(text.utf8))
    } catch { throw Failure("cannot write the example network: \(error)") }
  }
}
