internal import CNI
internal import Linux
internal import Netlink
internal import OVSDB
internal import OpenVSwitch
internal import PluginCore

/// What earlier ADDs of an attachment left that is not up, and that a new one replaces.
struct Leftovers {
  /// The host end.
  let link: Link?
  /// Rows of ports that have the name of the host end.
  let rows: [RowSurvey.Port]
  /// The addresses that rows of this attachment tell: their leases were there before this ADD.
  let addresses: [String]

  /// Refuses an attachment that is up, and names that are taken, with code 100.
  ///
  /// An attachment is up when its row, its host end and its container end, in the very namespace
  /// that this ADD names, are there, and the ADD that made them came to its end.
  init(
    _ plan: Plan, _ previous: AttachmentResult?, in sandbox: borrowing NetworkNamespace,
    _ links: LinkSurvey, _ found: RowSurvey.Findings
  ) throws(AttachmentError) {
    let name = plan.attachment.interfaceName
    guard Link.mayBeNamed(name) else {
      throw Self.refusal(
        "no link can have the interface name \"\(name)\"",
        "\"all\", \"default\" and \"%\" mean something else to the kernel; choose another")
    }
    let own = found.ports.filter { $0.record?.key == plan.key }
    let earlier = previous?.interfaces ?? []
    // Two plugins of one list cannot make the same interface.
    if earlier.contains(where: { $0.name == name && $0.sandbox == sandbox.path }) {
      throw Self.refusal(
        "interface \"\(name)\" was made by an earlier plugin of this list",
        "one plugin of a list makes the interface; take the others out, or into lists of their own")
    }
    let owner = links.host.map { plan.hostLink.owner(of: $0, network: plan.network) }
    switch owner {
    case .ours:
      if let container = links.container, container.group != HostLink.unfinishedGroup,
        !own.isEmpty
      {
        throw Self.refusal(
          "interface \"\(name)\" of container \"\(plan.attachment.containerID)\" is attached to "
            + "network \"\(plan.network)\" already",
          "it is up, and was left as it is; DEL detaches it")
      }
    case .network(let other):
      throw Self.refusal(
        "interface \"\(name)\" of container \"\(plan.attachment.containerID)\" is attached to "
          + "network \"\(other)\" already",
        "an interface belongs to one network; choose another interface name")
    case .foreign:
      throw Self.refusal(
        "there is a link \"\(plan.hostLink.name)\" already, and it is not of this attachment",
        "this name is the host end's")
    case nil: break
    }
    link = links.host
    if let named = links.named, owner != .ours || named.index != links.container?.index {
      throw Self.refusal(
        "interface \"\(name)\" exists already in the sandbox",
        "choose another interface name, or delete the link")
    }
    // Of another network, without a link that is its own: it is lost.
    if found.ports.contains(where: { $0.record == nil }) {
      throw Self.refusal(
        "there is a port \"\(plan.hostLink.name)\" already, and it is not of this attachment",
        "this name is the host end's")
    }
    rows = found.ports
    addresses = own.flatMap { $0.record?.addresses ?? [] }
  }

  static func refusal(_ message: String, _ details: String) -> AttachmentError {
    AttachmentError(.exists, message, details: details)
  }

  /// Whether ovs-vswitchd may still hold a link of one of the rows.
  var isHeld: Bool { rows.contains { $0.isHeld } }
}
