import TestSupport

/// A container of LXC, made from its template for busybox.
struct LXCContainer {
  let host: RuntimeHost
  let name: String

  /// - Parameter lines: What its configuration has besides that of the template.
  init(_ host: RuntimeHost, _ name: String, _ lines: String...) throws {
    self.host = host
    self.name = name
    try host.call("lxc-create", "--name", name, "--template", "busybox", "--config", "/dev/null")
    // The template's containers ask a DHCP server, and give up the addresses they have for that.
    try host.sh("sed -i /udhcpc/d /var/lib/lxc/\(name)/rootfs/etc/init.d/rcS")
    try configure(["lxc.apparmor.profile = unconfined"] + lines)
  }

  func configure(_ lines: [String]) throws {
    try host.run(
      ["sh", "-c", "cat >>/var/lib/lxc/\(name)/config"],
      input: lines.map { $0 + "\n" }.joined()
    ).checked()
  }

  func start(_ options: String...) throws -> Output {
    try host.run(["lxc-start", "--name", name] + options)
  }
  func kill() throws { try host.call("lxc-stop", "--name", name, "--kill") }
  func destroy() throws { try host.call("lxc-destroy", "--name", name, "--force") }

  @discardableResult
  func exec(_ command: String...) throws -> String {
    try host.run(["lxc-attach", "--name", name, "--"] + command).checked().stdout
  }
}

extension RuntimeHost {
  /// Installs the hook, and the two example networks.
  func installHook() throws {
    for name in ["hook", "patchbay.conf", "example.conf"] {
      try install("conf/lxc/\(name)", as: "/etc/lxc/patchbay/\(name)")
    }
    for name in ["10-ovs-1.conflist", "20-vlan-10.conflist"] {
      try install("conf/\(name)", as: "/etc/cni/net.d/\(name)")
    }
  }

  /// Interfaces and addresses of a container, as `ovs-1/eth0 192.168.0.1/24`, in order.
  func attachments(of containerID: String) throws -> [String] {
    try attachments().filter { $0["containerID"] == .string(containerID) }.map { attachment in
      let addresses = attachment["addresses"].array.compactMap(\.text).joined(separator: " ")
      return "\(attachment["network"].text ?? "")/\(attachment["interface"].text ?? "")"
        + " \(addresses)"
    }.sorted()
  }
}
