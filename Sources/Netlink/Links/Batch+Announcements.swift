public import Addresses
internal import CLinux

extension Batch {
  /// Lets the kernel announce the IPv4 addresses of the link with `index`, by a gratuitous ARP
  /// request (RFC 5227 §2.3) for each, whenever it comes up and when `announceAddresses` asks for
  /// it.
  ///
  /// This is `arp_notify` of the kernel's ip-sysctl documentation. Its sister for IPv6 has no
  /// netlink request: `announcementSetting(of:)`.
  public mutating func enableAnnouncements(on index: Int32) {
    add(.enableAnnouncements(on: index), RTM_SETLINK, LinkHeader(index: index).bytes) {
      (writer: inout AttributeWriter<LinkSpace>) in
      writer.nest(.families) {
        $0.nest(.ipv4) { $0.nest(.settings) { $0.put(.announcesByARP, 1) } }
      }
    }
  }

  /// The setting below `/proc/sys/net` that lets the kernel announce the IPv6 addresses of a link,
  /// too, by an unsolicited neighbour advertisement (RFC 4861 §7.2.6) for each: of those in doubt
  /// when duplicate address detection has ended. For `NetworkNamespace.writeSettings`.
  public static func announcementSetting(of name: String) -> (path: String, value: String) {
    ("ipv6/conf/\(name)/ndisc_notify", "1")
  }

  /// Has the kernel announce all addresses of the link with `index` now, if it was let to, by
  /// giving it the MAC address that it has. The link must be up.
  ///
  /// To send the frames oneself takes some 10 ms more: the kernel lets a socket of packet(7) go
  /// only after all processors have passed a quiet moment (synchronize_net).
  public mutating func announceAddresses(of index: Int32, mac: MACAddress) {
    add(.announceAddresses(of: index), RTM_SETLINK, LinkHeader(index: index).bytes) {
      (writer: inout AttributeWriter<LinkSpace>) in
      writer.put(.mac, mac)
    }
  }
}
