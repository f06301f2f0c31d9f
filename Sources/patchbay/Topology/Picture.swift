import Addresses
import CNI
import Linux
import Netlink
import OpenVSwitch
import PluginCore

/// What is plugged where: the database of Open vSwitch, the links of this namespace and those in
/// the sandboxes, put together.
struct Picture {
  /// Where ovsdb-server listens.
  let endpoint: String
  /// What Open vSwitch says it is; nil where it does not tell.
  let version: String?
  /// In the order of their names.
  var bridges: [Bridge]
  /// What is wrong with the whole.
  var problems: [String]
  /// What is not shown, and why.
  var notes: [String] = []

  struct Bridge {
    let name: String
    /// `system`: the kernel's. `netdev`: userspace.
    let datapath: DatapathType
    /// Its local port first, then in the order of their names.
    var ports: [Port]
    /// What it has beside the defaults, for people: `fail_mode secure`, controllers.
    var settings: [String] = []
    /// `standalone` or `secure`; nil where it is not set.
    var failMode: String?
    /// The OpenFlow controllers, each with whether it is connected.
    var controllers: [(target: String, isConnected: Bool)] = []
    /// Whether it takes part in a spanning tree, of either protocol.
    var hasSpanningTree = false
    /// In the order of their names.
    var mirrors: [DatabaseReading.Mirror] = []
    /// What is wrong with the whole of it.
    var problems: [String] = []
  }

  struct Port {
    let name: String
    let vlans: VLANs
    /// One; several are a bond.
    let interfaces: [Interface]
    /// Whose attachment it is; nil where the plugins did not make it.
    let record: AttachmentRecord?
    /// `external_ids:owner`, or nil.
    let owner: String?
    /// The container end; nil where it is none of ours, or cannot be read.
    var container: ContainerEnd?
    /// What polices what its container sends; nil where its row names nothing.
    var guarding: Guard?
    /// What it is to OVN; nil where it is no logical port, or where that is not known.
    var logicalPort: LogicalPort?
    /// Where the other end of a veth pair is that was made by hand: `eth0 in /run/netns/ns1`.
    var peer: String?
    /// Whether it reaches no other isolated port.
    var isIsolated = false
    /// What mirrors have to do with it: `output of mirror m`.
    var mirrorRoles: [String] = []
    /// Its limits in both directions; nil without any.
    var rates: Rates?
    /// Bytes, where they are others than those of the bridge's own port.
    var unusualMTU: UInt32?
    /// How it reaches what is outside of its network; nil where the host is not its gateway.
    var gateway: Gateway?
    /// The addresses that networks need on it as their gateway, by its row.
    var gatewayAddresses: [IPPrefix] = []
    /// The addresses that its link has here, where it is a gateway.
    var hostAddresses: [IPPrefix] = []
    /// What is wrong with it.
    var problems: [String] = []
  }

  struct Interface {
    let name: String
    /// `system` where it is a link of the kernel, `internal`, `patch`, `vxlan`…
    let type: String
    /// The OpenFlow port number; nil where it has none.
    let openFlowPort: Int64?
    /// The OpenFlow port number that was requested; nil where none was.
    var requestedPort: Int64?
    /// The link of that name in this namespace; nil if there is none.
    let link: Link?
    /// The other end of a tunnel or of a patch port.
    var target: String?
  }

  /// The other end of a port's veth pair, in the sandbox.
  struct ContainerEnd {
    let link: Link
    let addresses: [IPPrefix]
  }
}

extension Picture {
  /// Everything that is wrong, with where.
  var allProblems: [String] {
    problems
      + bridges.flatMap { bridge in
        bridge.problems.map { "bridge \(bridge.name): \($0)" }
          + bridge.ports.flatMap { port in
            port.problems.map { "bridge \(bridge.name), port \(port.name): \($0)" }
          }
      }
  }
}

extension AttachmentRecord {
  /// `web`, or `web (4f5e6d7c8b9a…)` where the container ID says something else than the name.
  ///
  /// - Parameter isWhole: The ID is not cut.
  func displayName(isWhole: Bool) -> String {
    let containerID = attachment.containerID
    guard let containerName, containerName != containerID else {
      return isWhole || containerID.utf8.count <= 32 ? containerID : containerID.shortIdentifier
    }
    return "\(containerName) (\(isWhole ? containerID : containerID.shortIdentifier))"
  }
}
