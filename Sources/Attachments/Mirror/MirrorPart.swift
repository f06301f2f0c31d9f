internal import OVSDB
internal import OpenVSwitch
internal import PluginConfigurations

/// What a port is to a mirror, in the columns of one role.
struct MirrorPart: Hashable {
  /// It is in `select_src_port`.
  var isSource = false
  /// It is in `select_dst_port`.
  var isDestination = false
  /// It is `output_port`.
  var isOutput = false

  /// None.
  static var none: Self { Self() }
}

extension MirrorPart {
  /// What a configuration's entry wants.
  init(_ role: MirrorConfiguration.Role, of mirror: MirrorConfiguration.Mirror) {
    switch role {
    case .consumer: isOutput = true
    case .producer:
      isSource = mirror.ingress
      isDestination = mirror.egress
    }
  }

  /// What `port` is to `mirror`.
  init(_ role: MirrorConfiguration.Role, of port: Reference, in mirror: Row<MirrorTable>) {
    switch role {
    case .consumer: isOutput = mirror[.outputPort] == port
    case .producer:
      isSource = mirror[.sourcePorts].contains(port)
      isDestination = mirror[.destinationPorts].contains(port)
    }
  }
}

extension Transaction {
  /// Makes what `port` is to `mirror` what `part` says, in the columns of `role`. What others have
  /// there stays.
  mutating func move(
    _ port: Reference, _ part: MirrorPart, in mirror: Row<MirrorTable>,
    _ role: MirrorConfiguration.Role
  ) {
    let old = MirrorPart(role, of: port, in: mirror)
    let row: [Condition<MirrorTable>] = [.equal(.uuid, mirror[.uuid])]
    if part.isOutput != old.isOutput {
      update(
        .mirror, where: row + [.equal(.outputPort, old.isOutput ? port : nil)],
        [Cell(.outputPort, part.isOutput ? port : nil)])
    }
    var mutations: [Mutation<MirrorTable>] = []
    if part.isSource != old.isSource {
      mutations.append(
        part.isSource
          ? .insert([port], into: .sourcePorts) : .delete([port], from: .sourcePorts))
    }
    if part.isDestination != old.isDestination {
      mutations.append(
        part.isDestination
          ? .insert([port], into: .destinationPorts) : .delete([port], from: .destinationPorts))
    }
    if !mutations.isEmpty { mutate(.mirror, where: row, mutations) }
  }

  /// Has ovs-vswitchd look over the flows that the datapath has already.
  ///
  /// For Open vSwitch 3.1.0 a change of a mirror is no reason to do so: what flows already is not
  /// mirrored as long as it goes on (https://github.com/kubeovn/kube-ovn/issues/2801). A change of
  /// a port is one. The setting means nothing to a port that is no tunnel; with a tunnel, or a port
  /// of another program, such flows are mirrored by and by.
  mutating func renewFlows(_ port: Row<PortTable>) {
    guard let isSet = port.hasIdleSetting else { return }
    let key = Row<PortTable>.idleSetting
    let change: Mutation<PortTable> =
      isSet
      ? .delete(keys: [key], from: .otherConfiguration)
      : .insert([key: "802.1q"], into: .otherConfiguration)
    mutate(.port, where: [.equal(.uuid, port[.uuid])], [change])
  }
}
