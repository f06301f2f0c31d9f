package import Addresses
package import CNI
internal import JSON
package import Linux
internal import Netlink
internal import OVSDB
internal import OpenVSwitch
package import PluginConfigurations
package import PluginCore

/// What of an attachment with a gateway passes the host's own forward chains.
///
/// The rules are the gateway's, not the attachment's: they come with the first attachment and go
/// with the last, under the lock and in the moment in which the gateway goes (`GatewayDeparture`).
package enum Forward {
  /// How the comments of the rules begin that let answers pass.
  package static let answersComment = ForwardChains.answersComment
  /// How the comments of the rules begin that let published ports pass.
  package static let publishedComment = ForwardChains.publishedComment

  /// What the rows of an attachment have for it: nothing where it is the default.
  package static func externalIDs(_ plan: Plan, _ addresses: [AttachmentResult.Address])
    -> [ExternalIDKey: String]
  {
    let forward = plan.configuration.forward
    guard forward != .accept, Gateway(plan, addresses) != nil else { return [:] }
    return [.forward: forward.rawValue]
  }

  /// Whether rows with these pairs let the chains alone.
  package static func isLeft(_ pairs: [String: String]) -> Bool {
    pairs[ExternalIDKey.forward.rawValue] == OVSBridgeConfiguration.Forward.leave.rawValue
  }

  // MARK: - ADD

  /// Has the chains let pass what the gateway forwards. With the port of a failed ADD the gateway
  /// goes, where it was the last, and they with it.
  package static func open(_ target: GatewayTarget?, _ plan: Plan, _ context: Context)
    throws(AttachmentError)
  {
    guard let gateway = target?.gateway, plan.configuration.forward == .accept else { return }
    let opened = try ForwardChains(gateway: gateway.port.name).open(
      gateway.families, context.log, until: context.deadline)
    for chain in opened {
      context.log.write(.info, "chain \(chain) lets pass what \"\(gateway.port.name)\" forwards")
    }
  }

  /// Puts back what was taken; returns the chains that lacked it.
  package static func restore(
    _ gateway: String, _ families: Set<IPAddress.Family>, until deadline: Deadline
  ) throws(AttachmentError) -> [String] {
    try ForwardChains(gateway: gateway).open(families, until: deadline).map { $0.description }
  }

  // MARK: - CHECK and STATUS

  /// Notes where the chains would drop it.
  package static func compare(
    _ plan: Plan, _ expected: Expectation, _ context: Context, _ deviations: inout Deviations
  ) throws(AttachmentError) {
    guard plan.configuration.forward == .accept, let gateway = Gateway(plan, expected.addresses)
    else { return }
    let name = gateway.port.name
    do throws(FilterError) {
      let chains = try ForwardChains(gateway: name).closedChains(
        gateway.families, until: context.deadline)
      for chain in chains {
        deviations.add(
          "nftables: chain \(chain) does not let pass what \"\(name)\" forwards; the next ADD, or "
            + "patchbay repair \(plan.network), mends it")
      }
    } catch { throw AttachmentError(error, "cannot read the chains of the firewall") }
  }

  /// Reports what drops what the gateway forwards, and is not ours to change.
  package static func require(_ plan: Plan, _ context: Context) throws(AttachmentError) {
    guard let link = plan.gatewayPort?.name, !plan.bridge.isEmpty,
      plan.configuration.forward == .accept
    else { return }
    let obstacles = try ForwardObstacle.all(
      link, try subnets(of: link, plan, context), until: context.deadline)
    guard let first = obstacles.first else { return }
    throw AttachmentError(
      .impaired, "\(first.subject) drops what \"\(link)\" forwards",
      details: "\(first.remedy) lets it pass; \"forward\": \"leave\" leaves it as it is")
  }

  /// The subnets of a gateway: of the addresses that its link has, or else those of the
  /// configuration.
  private static func subnets(of link: String, _ plan: Plan, _ context: Context)
    throws(AttachmentError) -> [IPPrefix]
  {
    do throws(RouteError) {
      let socket = try RouteSocket()
      if let found = try socket.linkIfPresent(.named(link), until: context.deadline) {
        let addresses = try socket.addresses(of: found.index, until: context.deadline).filter {
          $0.scope == .universe
        }
        if !addresses.isEmpty { return addresses.map { $0.prefix } }
      }
    } catch { throw AttachmentError(error, "cannot read the addresses of gateway \"\(link)\"") }
    return ConfiguredSubnets.all(of: plan.json[PluginMember.ipam].value)
  }

  // MARK: - DEL and GC

  /// Takes rules away whose gateway went without a command of ours, as with its bridge.
  ///
  /// - Parameter isRecorded: Whether rows named a gateway; then the rules went with it.
  package static func release(
    _ detachment: Detachment, isRecorded: Bool, _ context: Context, _ failures: inout Failures
  ) {
    if !isRecorded { collect(detachment, context, &failures) }
  }

  /// The same for the network's gateway, as its configuration has it.
  package static func collect(
    _ detachment: Detachment, _ context: Context, _ failures: inout Failures
  ) {
    guard let port = gatewayPort(detachment) else { return }
    let chains = ForwardChains(gateway: port.name)
    do throws(FilterError) {
      guard try chains.areOpen(until: context.deadline) else { return }
    } catch {
      // Without nftables in the kernel there are none.
      context.log.write(.warning, "cannot read the chains of the firewall: \(error)")
      return
    }
    let absence = GatewayAbsence(port.name, until: context.deadline)
    defer { absence.end() }
    guard !absence.isContradicted else { return }
    do throws(OVSDBError) {
      let connection = try Connection(detachment.endpoint, until: context.deadline)
      var question = Transaction()
      let users = question.select(
        from: .port,
        where: [
          .includes(
            .externalIDs,
            [AttachmentRecord.Key.owner: AttachmentRecord.owner, GatewayRow.key: port.name])
        ], .columns(.name))
      guard try connection.transact(question, until: context.deadline)[users].isEmpty else {
        return
      }
    } catch {
      failures.add(AttachmentError(error, "cannot tell whether gateway \"\(port.name)\" is used"))
      return
    }
    do throws(AttachmentError) { _ = try chains.close(until: context.deadline) } catch {
      failures.add(error)
    }
  }

  /// The gateway of the network by its configuration, whose members may be anything.
  private static func gatewayPort(_ detachment: Detachment) -> GatewayPort? {
    let json = detachment.json
    guard
      json[OVSBridgeConfiguration.Member.isGateway].value == true
        || json[OVSBridgeConfiguration.Member.isDefaultGateway].value == true,
      let bridge = json[OVSBridgeConfiguration.Member.bridge].value?.text, !bridge.isEmpty
    else { return nil }
    do throws(JSONDecodingError) { return GatewayPort(of: bridge, try PortVLANs(json)) } catch {
      return nil
    }
  }
}
