/// What a runtime asks a plugin for (CNI specification 1.1.0, section 2 "CNI operations").
public enum Command: String, Hashable, Sendable, CaseIterable {
  /// Attach a container to a network, or change an attachment.
  case add = "ADD"
  /// Detach it.
  case del = "DEL"
  /// Say whether the attachment is still as it was made.
  case check = "CHECK"
  /// Free what attachments that are gone have left.
  case gc = "GC"
  /// Say whether ADD could succeed now.
  case status = "STATUS"
  /// Say which versions of the specification the plugin speaks.
  case version = "VERSION"

  /// Whether it frees what an attachment has. No mistake in a configuration may keep it from
  /// that, as far as it can do without the member.
  public var isReleasing: Bool { self == .del || self == .gc }

  /// The parameters it needs, in the order in which their absence is reported.
  var required: [Parameter] {
    switch self {
    case .add, .check: [.containerID, .sandbox, .interfaceName, .path]
    case .del: [.containerID, .interfaceName, .path]
    case .gc, .status: [.path]
    case .version: []
    }
  }

  /// The first version of the specification that has it.
  public var since: SpecificationVersion {
    switch self {
    case .add, .del, .version: .v0_1_0
    case .check: .v0_4_0
    case .gc, .status: .v1_1_0
    }
  }
}

/// A parameter of a command, which is an environment variable (section 2 "Parameters").
enum Parameter: String, Sendable {
  case containerID = "CNI_CONTAINERID"
  case sandbox = "CNI_NETNS"
  case interfaceName = "CNI_IFNAME"
  case path = "CNI_PATH"
}
