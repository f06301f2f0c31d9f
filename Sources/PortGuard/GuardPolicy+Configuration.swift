public import Addresses
public import PluginConfigurations

extension GuardPolicy {
  /// What an attachment may send that has `mac` and `addresses`.
  public init(
    _ configuration: GuardConfiguration, mac: MACAddress, addresses: [IPAddress]
  ) {
    let own = addresses.map { IPPrefix(single: $0) }
    func sender(_ mac: MACAddress, _ prefixes: [IPPrefix]) -> Sender {
      let local: IPPrefix =
        switch configuration.linkLocal {
        case .eui64: .linkLocal(of: mac)
        case .any: .linkLocal
        }
      return Sender(mac, prefixes + [local])
    }
    self.init(
      configuration.mode == .mac ? .mac : .full,
      [sender(mac, own)]
        + configuration.allowed.map { sender($0.mac ?? mac, $0.prefixes ?? own) },
      allowsDHCP: configuration.dhcpClient)
  }

  /// What it may send until a DHCP server has given it its addresses: requests to that server.
  public init(untilLeased configuration: GuardConfiguration, mac: MACAddress) {
    let senders =
      [Sender(mac, [])] + configuration.allowed.compactMap { $0.mac }.map { Sender($0, []) }
    self.init(configuration.mode == .mac ? .mac : .full, senders, allowsDHCP: true)
  }

  /// Whether there is an address besides the link-local ones: with none, nothing but neighbour
  /// discovery would pass.
  public var hasAddresses: Bool {
    mode == .mac
      || senders.contains { sender in
        !sender.ipv4.isEmpty || sender.ipv6.contains { !IPPrefix.linkLocal.contains($0.address) }
      }
  }

  /// Whether frames from `mac` may pass.
  public func allows(_ mac: MACAddress) -> Bool { senders.contains { $0.mac == mac } }
}
