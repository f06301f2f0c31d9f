package import Addresses
package import JSON
internal import PluginConfigurations

/// What the configuration of an IPAM plugin says of subnets.
package enum ConfiguredSubnets {
  /// Those that `ipam` names, as `host-local` and `static` do; empty where it names none.
  package static func all(of ipam: JSONValue?) -> [IPPrefix] {
    let ranges = (ipam?[HostLocalConfiguration.Member.ranges]?.array ?? []).flatMap {
      $0.array ?? []
    }
    let subnets = ([ipam].compactMap { $0 } + ranges).map { $0[AddressRange.Member.subnet]?.text }
    let addresses = (ipam?[StaticConfiguration.Member.addresses]?.array ?? []).map {
      $0[StaticConfiguration.AddressMember.address]?.text
    }
    return (subnets + addresses).compactMap { text in text.flatMap { try? IPPrefix($0) } }
  }
}
