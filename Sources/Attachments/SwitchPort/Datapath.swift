internal import Linux
internal import Netlink
internal import OVSDB
internal import OpenVSwitch
internal import PluginConfigurations

extension DatapathType {
  /// Whether the kernel's datapath is there now. Asking for it by name would load the module, and
  /// an ovs-vswitchd that runs already could not open it: it looks for the module only once.
  static func isKernelLoaded(until deadline: Deadline) throws(GenericError) -> Bool {
    try GenericSocket().families(until: deadline).contains("ovs_datapath")
  }

  /// That of a bridge that is made: `auto` takes what works now.
  static func ofNewBridge(_ wanted: OVSBridgeConfiguration.Datapath, until deadline: Deadline)
    throws(GenericError) -> DatapathType
  {
    switch wanted {
    case .system: .system
    case .netdev: .netdev
    case .auto: try isKernelLoaded(until: deadline) ? .system : .netdev
    }
  }

  /// What mends a bridge that ovs-vswitchd could not make; empty where nothing is known.
  var cure: String {
    guard self == .system else { return "" }
    return "; an ovs-vswitchd that was started before the module openvswitch was loaded has to be "
      + "restarted"
  }
}

extension Connection {
  /// That of the bridge, or of the one that ADD would make. Where the kernel does not say which
  /// that is, the check of the bridge does so.
  func datapath(of plan: Plan, until deadline: Deadline) throws(OVSDBError) -> DatapathType {
    var question = Transaction()
    let bridges = question.select(
      from: .bridge, where: [.equal(.name, plan.bridge)], .columns(.datapathType))
    if let bridge = try transact(question, until: deadline)[bridges].first {
      return bridge.datapath
    }
    return (try? .ofNewBridge(plan.configuration.datapath, until: deadline)) ?? .netdev
  }
}
