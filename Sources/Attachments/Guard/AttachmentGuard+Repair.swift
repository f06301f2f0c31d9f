internal import Addresses
package import Linux
internal import Netlink
internal import OVSDB
package import OpenVSwitch
internal import PluginConfigurations
internal import PluginCore
internal import PortGuard

extension AttachmentGuard {
  /// Puts the guard of an attachment back as its port's row says, where something took it or put
  /// another in its place; false where it is there, or the host end is not.
  ///
  /// - Parameters:
  ///   - port: The name of the port, which is that of the host end.
  ///   - pairs: Its `external_ids`.
  ///   - connection: To the database of Open vSwitch.
  package static func restore(
    _ port: String, _ pairs: [String: String], _ connection: Connection, until deadline: Deadline
  ) throws(AttachmentError) -> Bool {
    guard let record = AttachmentRecord(externalIDs: { pairs[$0] }), let mode = pairs[key] else {
      return false
    }
    let attempt = "cannot put back the guard of link \"\(port)\""
    guard
      let configuration = GuardConfiguration(
        mode: mode, details: pairs[ExternalIDKey.guardDetails.rawValue]),
      let mac = record.mac.flatMap({ MACAddress($0) })
    else {
      throw AttachmentError(
        .failed, attempt, details: "its row does not say what may pass; DEL and ADD make it again")
    }
    let addresses = record.addresses.compactMap { IPAddress($0.prefix { $0 != "/" }) }
    let policy = GuardPolicy(configuration, mac: mac, addresses: addresses)
    let mechanism: GuardMechanism
    do throws(OVSDBError) {
      guard let datapath = try connection.datapath(ofPort: port, until: deadline) else {
        return false
      }
      mechanism = try connection.guardMechanism(datapath, until: deadline)
    } catch { throw AttachmentError(error, "cannot ask Open vSwitch") }
    let guardian = LinkGuard(
      mechanism, of: port,
      comment: HostLink(of: record.attachment).alias(network: record.network))
    let socket: RouteSocket
    let link: Link?
    do throws(RouteError) {
      socket = try RouteSocket()
      link = try socket.linkIfPresent(.named(port), until: deadline)
    } catch { throw AttachmentError(error, "cannot read the host end") }
    guard let link else { return false }
    do throws(GuardError) {
      guard try guardian.deviation(policy, link, until: deadline) != nil else { return false }
      try guardian.enforce(policy, on: link.index, socket, until: deadline)
    } catch { throw AttachmentError(error, attempt) }
    return true
  }
}

extension Connection {
  /// That of the bridge that has the port; nil where none has.
  fileprivate func datapath(ofPort name: String, until deadline: Deadline) throws(OVSDBError)
    -> DatapathType?
  {
    var question = Transaction()
    let ports = question.select(from: .port, where: [.equal(.name, name)], .columns(.uuid))
    let bridges = question.select(from: .bridge, .columns(.ports, .datapathType))
    let results = try transact(question, until: deadline)
    guard let port = results[ports].first?[.uuid] else { return nil }
    return results[bridges].first { $0[.ports].contains(port) }?.datapath
  }
}
