// The tables of the database `CNI_IPAM`; `conf/cluster/cni_ipam.ovsschema` has them in full.
public import OVSDB

/// `CNI_IPAM`: the leases of all hosts.
public enum LeaseSchema: DatabaseSchema {
  /// `CNI_IPAM`
  public static let name = "CNI_IPAM"

  /// `Lease`: who has which address. An index allows one row for a pool and an address, and one for
  /// a holder and a slot.
  public struct LeaseTable: Table {
    /// `CNI_IPAM`
    public typealias Schema = LeaseSchema
    /// `Lease`
    public let name = "Lease"
  }
  /// `Host`: which machine has which name.
  public struct HostTable: Table {
    /// `CNI_IPAM`
    public typealias Schema = LeaseSchema
    /// `Host`
    public let name = "Host"
  }
  /// `Memory`: which address a subject had last.
  public struct MemoryTable: Table {
    /// `CNI_IPAM`
    public typealias Schema = LeaseSchema
    /// `Memory`
    public let name = "Memory"
  }
}

extension Table where Self == LeaseSchema.LeaseTable {
  /// `Lease`
  public static var lease: Self { Self() }
}
extension Table where Self == LeaseSchema.HostTable {
  /// `Host`
  public static var host: Self { Self() }
}
extension Table where Self == LeaseSchema.MemoryTable {
  /// `Memory`
  public static var memory: Self { Self() }
}

extension Column where T == LeaseSchema.LeaseTable, Content == String {
  /// `pool`: the network's name.
  public static var pool: Self { Self("pool") }
  /// `address`: as text.
  public static var address: Self { Self("address") }
  /// `holder`: host, network, container ID and interface name.
  public static var holder: Self { Self("holder") }
  /// `slot`: which of the holder's addresses it is, a number from 0 on.
  public static var slot: Self { Self("slot") }
  /// `host`: its name.
  public static var host: Self { Self("host") }
  /// `network`: its name.
  public static var network: Self { Self("network") }
  /// `container`: its ID.
  public static var container: Self { Self("container") }
  /// `interface`: its name.
  public static var interface: Self { Self("interface") }
  /// `boot`: the ID of the host's boot in which the lease was made.
  public static var boot: Self { Self("boot") }
}
extension Column where T == LeaseSchema.LeaseTable, Content == Int64 {
  /// `created`: seconds since 1970-01-01T00:00:00Z, by the host's clock.
  public static var created: Self { Self("created") }
}
extension Column where T == LeaseSchema.HostTable, Content == String {
  /// `name`: unique.
  public static var name: Self { Self("name") }
  /// `machine`: the machine ID; see machine-id(5).
  public static var machine: Self { Self("machine") }
}
extension Column where T == LeaseSchema.MemoryTable, Content == String {
  /// `pool`: the network's name.
  public static var pool: Self { Self("pool") }
  /// `subject`: what comes back for its address.
  public static var subject: Self { Self("subject") }
  /// `address`: as text.
  public static var address: Self { Self("address") }
}
