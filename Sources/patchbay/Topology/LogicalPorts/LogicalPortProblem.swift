/// Why a logical port is not up on this host.
struct LogicalPortProblem: Hashable {
  /// A sentence without its full stop, which begins with a small letter or a name.
  let text: String
  /// What to do, or to look at; empty where the text says all.
  var advice = ""
  /// The command that mends it; nil where there is none on this host.
  var remedy: String?

  /// Both in one line.
  var description: String { advice.isEmpty ? text : "\(text): \(advice)" }

  fileprivate static let controller = "is ovn-controller running on this host?"
  /// As Debian and Ubuntu have it.
  fileprivate static let restart = "systemctl restart ovn-host"
}

extension LogicalPortReading {
  /// Why the logical port of `interface` is not up; nil where it is, or where it has none.
  func problem(of interface: DatabaseReading.Interface) -> LogicalPortProblem? {
    guard let name = interface.logicalPort, let facts = ports[name] else { return nil }
    let subject = "logical port \(name)"
    let isInstalled = interface.isInstalled
    if case .read(nil) = facts.northbound {
      return .init(
        text: "OVN's northbound database has no \(subject)", advice: "DEL and ADD make it again")
    }
    switch facts.southbound {
    case .unread:
      return isInstalled
        ? nil
        : .init(
          text: "OVN does not forward for \(subject)", advice: LogicalPortProblem.controller,
          remedy: LogicalPortProblem.restart)
    case .read(nil):
      let text = "OVN's southbound database has no \(subject)"
      guard case .read = facts.northbound else {
        return .init(text: text, advice: "it is gone, or ovn-northd is not running")
      }
      return .init(text: "\(text) yet", advice: "is ovn-northd running?")
    case .read(let binding?):
      return mismatch(subject, binding, interface)
        ?? absence(subject, binding, facts, isInstalled: isInstalled)
    }
  }

  /// Why ovn-controller may not bind it to `interface`.
  private func mismatch(
    _ subject: String, _ binding: LogicalPortFacts.Binding, _ interface: DatabaseReading.Interface
  ) -> LogicalPortProblem? {
    if let other = binding.chassis, other.name != chassis {
      return .init(
        text: "\(subject) is bound on chassis \(other.description); this is \"\(chassis)\"")
    }
    let requested = binding.options["requested-chassis"] ?? ""
    if !requested.isEmpty, !requested.split(separator: ",").contains(where: { $0 == chassis }) {
      return .init(text: "\(subject) is for chassis \"\(requested)\"; this is \"\(chassis)\"")
    }
    let version = interface.externalIDs["iface-id-ver"]
    if let wanted = binding.options["iface-id-ver"], wanted != version {
      return .init(
        text: "\(subject) is for an interface with iface-id-ver \"\(wanted)\"; this has "
          + (version.map { "\"\($0)\"" } ?? "none"))
    }
    return nil
  }

  /// Why it is not bound, or does not forward.
  private func absence(
    _ subject: String, _ binding: LogicalPortFacts.Binding, _ facts: LogicalPortFacts,
    isInstalled: Bool
  ) -> LogicalPortProblem? {
    guard facts.isChassisRegistered else {
      return .init(
        text: "OVN has no chassis \"\(chassis)\", so \(subject) is bound nowhere",
        advice: LogicalPortProblem.controller, remedy: LogicalPortProblem.restart)
    }
    guard binding.chassis != nil else {
      return .init(
        text: "ovn-controller has not bound \(subject)", advice: "is it running on this host?",
        remedy: LogicalPortProblem.restart)
    }
    return isInstalled
      ? nil : .init(text: "ovn-controller has bound \(subject), and its flows are not there yet")
  }
}
