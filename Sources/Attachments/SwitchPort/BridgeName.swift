internal import CNI
internal import Linux
internal import Netlink
internal import OVSDB
internal import OpenVSwitch
internal import PluginConfigurations
internal import PluginCore

/// What has the name of a bridge that is not there and would be made.
struct BridgeName {
  let name: String

  /// How long a link of Open vSwitch's own may outlive the bridge that it was of.
  private static let patience = Duration.seconds(1)

  /// Why no bridge of that name can be made: another link, port or interface has it, or it is there
  /// as a fake bridge. Nil where it is free; also where there is a bridge by now.
  func objection(_ connection: Connection, _ context: Context) throws(AttachmentError)
    -> AttachmentError?
  {
    guard Link.mayBeNamed(name) else {
      return refusal(
        "no link can have this name",
        "a bridge of Open vSwitch is a link, too; \"all\", \"default\" and \"%\" mean something "
          + "else to the kernel: write another name")
    }
    do throws(OVSDBError) {
      if let taken = try takenInDatabase(connection, until: context.deadline) { return taken }
    } catch { throw AttachmentError(error, "cannot ask Open vSwitch") }
    let patience = min(context.deadline, .after(Self.patience))
    while let link = try link(until: context.deadline) {
      // ovs-vswitchd deletes its link some time after the bridge is gone from the database, and
      // makes it when there is one.
      let mayBeOurs = link.kind == "tun" || link.kind == "openvswitch"
      do throws(OVSDBError) {
        if try isBridge(connection, until: context.deadline) { return nil }
      } catch { throw AttachmentError(error, "cannot ask Open vSwitch") }
      guard !mayBeOurs || patience.hasPassed else {
        Clock.sleep(.milliseconds(20))
        continue
      }
      return refusal(
        "the host has a link of that name already" + (link.kind.map { ", of kind \($0)" } ?? ""),
        "a bridge of Open vSwitch needs a name that no link has: write another one")
    }
    return nil
  }

  private func refusal(_ reason: String, _ advice: String) -> AttachmentError {
    AttachmentError(
      .invalid, "bridge: cannot make a bridge \"\(name)\": \(reason)", details: advice)
  }

  private func link(until deadline: Deadline) throws(AttachmentError) -> Link? {
    do throws(RouteError) { return try RouteSocket().link(.named(name), until: deadline) } catch {
      if error.errno == .noSuchDevice { return nil }
      throw AttachmentError(error, "cannot look for link \"\(name)\"")
    }
  }

  private func isBridge(_ connection: Connection, until deadline: Deadline) throws(OVSDBError)
    -> Bool
  {
    var question = Transaction()
    let bridges = question.select(from: .bridge, where: [.equal(.name, name)], .columns(.name))
    return try !connection.transact(question, until: deadline)[bridges].isEmpty
  }

  private func takenInDatabase(_ connection: Connection, until deadline: Deadline)
    throws(OVSDBError) -> AttachmentError?
  {
    var question = Transaction()
    let ports = question.select(
      from: .port, where: [.equal(.name, name)], .columns(.uuid, .tag, .isFakeBridge))
    let interfaces = question.select(
      from: .interface, where: [.equal(.name, name)], .columns(.name))
    let results = try connection.transact(question, until: deadline)
    guard let port = results[ports].first else {
      guard !results[interfaces].isEmpty else { return nil }
      return try isBridge(connection, until: deadline)
        ? nil
        : refusal(
          "it is an interface of a bond",
          "write the name of a bridge (ovs-vsctl list-br), or another")
    }
    var second = Transaction()
    let bridges = second.select(
      from: .bridge, where: [.includes(.ports, [port[.uuid]])], .columns(.name))
    let parent = try connection.transact(second, until: deadline)[bridges].first?[.name] ?? ""
    if parent == name { return nil }
    if port[.isFakeBridge], let tag = port[.tag] {
      return refusal(
        "it is a fake bridge, VLAN \(tag) of bridge \"\(parent)\"",
        "write \"bridge\": \"\(parent)\", \"vlan\": \(tag)")
    }
    return refusal(
      "it is a port of bridge \"\(parent)\"",
      "write \"bridge\": \"\(parent)\", or another name")
  }
}

extension BridgeName {
  /// Throws where a bridge that is missing cannot be made because of its name.
  static func require(_ plan: Plan, isThere: Bool, _ connection: Connection, _ context: Context)
    throws(AttachmentError)
  {
    guard !isThere, plan.configuration.createBridge else { return }
    let name = BridgeName(name: plan.bridge)
    if let refusal = try name.objection(connection, context) { throw refusal }
  }
}
