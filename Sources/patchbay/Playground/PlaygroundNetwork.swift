import Linux

/// The example networks of a playground; the one without OVN is `conf/10-ovs-1.conflist`.
enum PlaygroundNetwork {
  static let directory = "/etc/cni/net.d"
  static let file = "10-ovs-1.conflist"

  /// Where the central of `--ovn` listens, on the network that joins the hosts.
  static let central = "172.31.0.10"
  /// The members of its databases, for hosts: `tcp:IP:PORT`.
  static let northbound = "tcp:\(central):6641"
  static let addresses = "tcp:\(central):6650"

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

  /// A network of one logical switch of the same name, on all hosts of `--ovn`.
  struct Logical {
    let name: String
    let subnet: String
    var file: String { "20-\(name).conflist" }
    var text: String {
      """
      {
        "cniVersion": "1.0.0",
        "cniVersions": ["1.0.0", "1.1.0"],
        "name": "\(name)",
        "disableGC": true,
        "plugins": [
          {
            "type": "ovn",
            "switch": "\(name)",
            "nb": "\(PlaygroundNetwork.northbound)",
            "ipam": {
              "type": "cluster",
              "database": "\(PlaygroundNetwork.addresses)",
              "ranges": [[{ "subnet": "\(subnet)" }]]
            }
          }
        ]
      }

      """
    }
  }
  static let logical = [
    Logical(name: "net1", subnet: "10.244.1.0/24"), Logical(name: "net2", subnet: "10.244.2.0/24"),
  ]

  /// Puts them where runtimes look for networks.
  static func write(withOVN: Bool) throws {
    try write(text, to: file)
    if withOVN { for network in logical { try write(network.text, to: network.file) } }
  }

  private static func write(_ text: String, to file: String) throws {
    do {
      try FileDescriptor.open(
        "\(directory)/\(file)", [.writeOnly, .create, .truncate], mode: 0o644
      ).write(Array(text.utf8))
    } catch { throw Failure("cannot write an example network: \(error)") }
  }
}
