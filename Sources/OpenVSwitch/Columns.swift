// The columns in use, with their meaning in short; ovs-vswitchd.conf.db(5) has it in full.
public import OVSDB

// MARK: - Every table

extension Column where T.Schema == OpenVSwitchDatabase, Content == [String: String] {
  /// `external_ids`: facts of others about the row. Free for use; keys should be prefixed by their
  /// owner.
  public static var externalIDs: Self { Self("external_ids") }
}

// MARK: - Open_vSwitch

extension Column where T == OpenVSwitchTable, Content == [Reference] {
  /// `bridges`: the bridges.
  public static var bridges: Self { Self("bridges") }
}
extension Column where T == OpenVSwitchTable, Content == Int64 {
  /// `next_cfg`: counted up by who changes the configuration and wants to know when it is in force.
  public static var nextConfiguration: Self { Self("next_cfg") }
  /// `cur_cfg`: what `next_cfg` was when ovs-vswitchd last took the configuration over.
  public static var currentConfiguration: Self { Self("cur_cfg") }
}
extension Column where T == OpenVSwitchTable, Content == String? {
  /// `ovs_version`: the version of Open vSwitch, as `3.1.0`; often absent: ovs-ctl(8) writes it.
  public static var version: Self { Self("ovs_version") }
}
extension Column where T == OpenVSwitchTable, Content == [String: String] {
  /// `other_config`: settings of ovs-vswitchd.
  public static var otherConfiguration: Self { Self("other_config") }
}

// MARK: - Bridge

extension Column where T == BridgeTable, Content == String {
  /// `name`: unique; also the name of its local port. Cannot be changed.
  public static var name: Self { Self("name") }
  /// `datapath_type`: `system` or empty is the one in the kernel, `netdev` the one in userspace.
  public static var datapathType: Self { Self("datapath_type") }
}
extension Column where T == BridgeTable, Content == [Reference] {
  /// `ports`: the ports, its local one included.
  public static var ports: Self { Self("ports") }
  /// `mirrors`: the port mirrors.
  public static var mirrors: Self { Self("mirrors") }
}
extension Column where T == BridgeTable, Content == Bool {
  /// `stp_enable`: whether it takes part in a spanning tree (IEEE 802.1D-1998).
  public static var hasSpanningTree: Self { Self("stp_enable") }
  /// `rstp_enable`: the same by the rapid protocol (IEEE 802.1D-2004).
  public static var hasRapidSpanningTree: Self { Self("rstp_enable") }
}
extension Column where T == BridgeTable, Content == [Reference] {
  /// `controller`: the OpenFlow controllers; none for a bridge that switches by itself.
  public static var controllers: Self { Self("controller") }
}
extension Column where T == BridgeTable, Content == String? {
  /// `fail_mode`: `standalone` or `secure`: what to do without a controller.
  public static var failMode: Self { Self("fail_mode") }
}
extension Column where T == BridgeTable, Content == [String: String] {
  /// `other_config`: settings, as `hwaddr`.
  public static var otherConfiguration: Self { Self("other_config") }
}

// MARK: - Port

extension Column where T == PortTable, Content == String {
  /// `name`: unique. Cannot be changed.
  public static var name: Self { Self("name") }
}
extension Column where T == PortTable, Content == [Reference] {
  /// `interfaces`: one, or several for a bond.
  public static var interfaces: Self { Self("interfaces") }
}
extension Column where T == PortTable, Content == Int64? {
  /// `tag`: 0…4095: the VLAN of an access port, the native one of a trunk port.
  public static var tag: Self { Self("tag") }
}
extension Column where T == PortTable, Content == [Int64] {
  /// `trunks`: 0…4095: the VLANs of a trunk port; none means all.
  public static var trunks: Self { Self("trunks") }
  /// `cvlans`: 0…4095: the customer VLANs of a `dot1q-tunnel` port; none means all.
  public static var customerVLANs: Self { Self("cvlans") }
}
extension Column where T == PortTable, Content == String? {
  /// `vlan_mode`: `access`, `trunk`, `native-tagged`, `native-untagged` or `dot1q-tunnel`.
  public static var vlanMode: Self { Self("vlan_mode") }
}
extension Column where T == PortTable, Content == Reference? {
  /// `qos`: quality of service of what leaves through the port.
  public static var qos: Self { Self("qos") }
}
extension Column where T == PortTable, Content == Bool {
  /// `protected`: whether it is kept apart from the other protected ports of the bridge.
  public static var isProtected: Self { Self("protected") }
  /// `fake_bridge`: whether ovs-vsctl(8) shows it as a bridge of its VLAN.
  public static var isFakeBridge: Self { Self("fake_bridge") }
}
extension Column where T == PortTable, Content == [String: String] {
  /// `status`: facts, as `stp_state`.
  public static var status: Self { Self("status") }
  /// `rstp_status`: facts of the rapid spanning tree, as `rstp_port_state`.
  public static var rapidSpanningTreeStatus: Self { Self("rstp_status") }
  /// `other_config`: settings, as `priority-tags`.
  public static var otherConfiguration: Self { Self("other_config") }
}

// MARK: - Interface

extension Column where T == InterfaceTable, Content == String {
  /// `name`: unique; the name of the link. Cannot be changed.
  public static var name: Self { Self("name") }
  /// `type`: `internal`, `patch`, `tap`, `vxlan`… For a link of the kernel `system`, or empty.
  public static var type: Self { Self("type") }
}
extension Column where T == InterfaceTable, Content == Int64? {
  /// `ofport`: the OpenFlow port number; absent until ovs-vswitchd saw the row, -1 where it could
  /// not use it.
  public static var ofport: Self { Self("ofport") }
  /// `ofport_request`: 1…65279: the OpenFlow port number that is requested.
  public static var ofportRequest: Self { Self("ofport_request") }
  /// `ifindex`: the index of the link; 0 or absent where there is none.
  public static var ifindex: Self { Self("ifindex") }
  /// `mtu`: bytes; the MTU it has.
  public static var mtu: Self { Self("mtu") }
  /// `mtu_request`: bytes; the MTU that is requested.
  public static var mtuRequest: Self { Self("mtu_request") }
}
extension Column where T == InterfaceTable, Content == String? {
  /// `error`: why ovs-vswitchd could not use it; absent where it could.
  public static var error: Self { Self("error") }
  /// `mac`: the MAC address that is requested; for internal ports.
  public static var mac: Self { Self("mac") }
}
extension Column where T == InterfaceTable, Content == [String: String] {
  /// `options`: settings that depend on the type, as `peer`, `remote_ip`.
  public static var options: Self { Self("options") }
  /// `other_config`: settings.
  public static var otherConfiguration: Self { Self("other_config") }
  /// `status`: facts that depend on the type, as `driver_name`.
  public static var status: Self { Self("status") }
}
extension Column where T == InterfaceTable, Content == Int64 {
  /// `ingress_policing_rate`: kilobits per second that it may send into the bridge; 0 is no limit.
  public static var ingressPolicingRate: Self { Self("ingress_policing_rate") }
  /// `ingress_policing_burst`: kilobits that it may send beyond the rate; 0 is the default of 8000.
  public static var ingressPolicingBurst: Self { Self("ingress_policing_burst") }
}

// MARK: - Controller

extension Column where T == ControllerTable, Content == String {
  /// `target`: how it is reached, as `tcp:192.0.2.1:6653`.
  public static var target: Self { Self("target") }
}
extension Column where T == ControllerTable, Content == Bool {
  /// `is_connected`: whether ovs-vswitchd is connected to it.
  public static var isConnected: Self { Self("is_connected") }
}

// MARK: - Mirror

extension Column where T == MirrorTable, Content == String {
  /// `name`: not unique to ovsdb-server.
  public static var name: Self { Self("name") }
}
extension Column where T == MirrorTable, Content == Bool {
  /// `select_all`: whether every packet of the bridge is mirrored.
  public static var selectsAll: Self { Self("select_all") }
}
extension Column where T == MirrorTable, Content == [Reference] {
  /// `select_src_port`: ports whose arriving packets are mirrored. Weak: a port that goes is taken
  /// out.
  public static var sourcePorts: Self { Self("select_src_port") }
  /// `select_dst_port`: ports whose leaving packets are mirrored. Weak: a port that goes is taken
  /// out.
  public static var destinationPorts: Self { Self("select_dst_port") }
}
extension Column where T == MirrorTable, Content == [Int64] {
  /// `select_vlan`: 0…4095: the VLANs that are mirrored; none means all.
  public static var selectedVLANs: Self { Self("select_vlan") }
}
extension Column where T == MirrorTable, Content == Reference? {
  /// `output_port`: the port the copies go to. Weak: a port that goes is taken out.
  public static var outputPort: Self { Self("output_port") }
}
extension Column where T == MirrorTable, Content == Int64? {
  /// `output_vlan`: 1…4095: the VLAN the copies go to.
  public static var outputVLAN: Self { Self("output_vlan") }
}

// MARK: - QoS

extension Column where T == QoSTable, Content == String {
  /// `type`: `linux-htb`, `linux-hfsc`, `egress-policer`…
  public static var type: Self { Self("type") }
}
extension Column where T == QoSTable, Content == [Int64: Reference] {
  /// `queues`: the queues by their numbers.
  public static var queues: Self { Self("queues") }
}
extension Column where T == QoSTable, Content == [String: String] {
  /// `other_config`: settings, as `max-rate` in bits per second.
  public static var otherConfiguration: Self { Self("other_config") }
}

// MARK: - Queue

extension Column where T == QueueTable, Content == [String: String] {
  /// `other_config`: settings, as `min-rate`, `max-rate` in bits per second.
  public static var otherConfiguration: Self { Self("other_config") }
}
