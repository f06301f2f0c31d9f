internal import Linux

extension ClusterHost {
  /// This host: by `name`, else by that of Open vSwitch, which OVN uses too, else by the machine
  /// ID.
  public static func this(named name: String?) -> ClusterHost {
    let machine = firstLine(of: "/etc/machine-id") ?? "unknown"
    return ClusterHost(
      name: name ?? firstLine(of: "/etc/openvswitch/system-id.conf") ?? machine, machine: machine,
      boot: firstLine(of: "/proc/sys/kernel/random/boot_id") ?? "unknown")
  }

  /// Nil where the file cannot be read, or says nothing.
  private static func firstLine(of path: String) -> String? {
    guard let bytes = try? FileDescriptor.open(path, [.readOnly, .nonBlocking]).read(limit: 256)
    else { return nil }
    let line = bytes.prefix { $0 > 0x20 && $0 < 0x7f }
    return line.isEmpty ? nil : String(decoding: line, as: UTF8.self)
  }
}
