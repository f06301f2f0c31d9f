import TestSupport
import Testing

/// A member of the configuration: what ADD makes of it, and a change of that which CHECK notices.
struct Member: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let members: [String: Document]
  /// `CNI_ARGS`
  var args: String?
  /// Whether the container has addresses, of both families.
  var hasAddresses = false
  /// What the host has been given before.
  var prepare: String?
  /// Commands on the host (`ovs-vsctl …`, `ip …`) or, after `in`, in the sandbox; `PORT` is the
  /// host end. What the first one prints has the second one's text in it.
  let look: (command: String, finds: String)
  let tamper: String
  /// Where the message says besides what Open vSwitch makes of the change, which differs between
  /// datapaths: what is in its part about the member.
  let mark: String?
  /// What is in the lines of what stays after DEL, as README.md says it does.
  var kept: [String] = []

  init(
    _ name: String, _ members: [String: Document], args: String? = nil,
    hasAddresses: Bool = false, prepare: String? = nil, look: (String, String), tamper: String,
    mark: String? = nil, kept: [String] = []
  ) {
    (testDescription, self.members, self.args) = (name, members, args)
    (self.hasAddresses, self.prepare) = (hasAddresses, prepare)
    self.look = (look.0, look.1)
    (self.tamper, self.mark, self.kept) = (tamper, mark, kept)
  }

  /// Moves the port to another bridge, as it is.
  static let move =
    "ovs-vsctl add-br br2 -- set Bridge br2 datapath_type=\(Datapath.current.rawValue) -- "
    + "--id=@p get Port PORT -- remove Bridge BRIDGE ports @p -- add Bridge br2 ports @p"
}
