internal import Addresses
package import CNI
internal import JSON
package import Linux
package import Nftables
package import PluginConfigurations
package import PluginCore

/// `portIsolation` of attachments that have a gateway: what `Port.protected` does in the bridge the
/// firewall does for what goes through the host.
package struct GatewayIsolation {
  private let isolation: Isolation
  private let link: String
  private let addresses: [IPAddress]

  /// Nil where nothing is isolated, or the host is no router for it.
  private init?(_ plan: Plan, _ addresses: [AttachmentResult.Address]) {
    guard plan.configuration.portIsolation, let gateway = Gateway(plan, addresses) else {
      return nil
    }
    isolation = Isolation(RuleOwner(plan.attachment), network: plan.network)
    link = gateway.port.name
    self.addresses = addresses.map { $0.address.address }
  }

  /// What the rows of an attachment have for it.
  package static func externalIDs(_ plan: Plan, _ addresses: [AttachmentResult.Address])
    -> [ExternalIDKey: String]
  {
    GatewayIsolation(plan, addresses) == nil ? [:] : [.isolation: "true"]
  }

  /// Whether there may be rules though no row says so. What cannot be read may be so.
  private static func mayExist(_ detachment: Detachment) -> Bool {
    do throws(JSONDecodingError) {
      func isSet(_ member: String) throws(JSONDecodingError) -> Bool {
        try detachment.json[member].decodeIfPresent() ?? false
      }
      guard try isSet("portIsolation") else { return false }
      if try isSet("isGateway") { return true }
      return try isSet("isDefaultGateway")
    } catch { return true }
  }

  // MARK: - ADD

  private static let attempt = "cannot isolate the attachment behind its gateway"

  /// Refuses, before anything is made, where the program is missing that puts rules into the
  /// firewall.
  package static func requireProgram(_ plan: Plan) throws(AttachmentError) {
    guard plan.configuration.portIsolation, plan.gatewayPort != nil, plan.hasIPAM else { return }
    do { try Firewall.require() } catch { throw AttachmentError(error, attempt) }
  }

  /// Starts to put the rules into the firewall; nil where there are none to be.
  package static func begin(
    _ plan: Plan, _ addresses: [AttachmentResult.Address], _ rollback: inout Rollback
  ) throws(AttachmentError) -> Isolation.Addition? {
    guard let gateway = GatewayIsolation(plan, addresses) else { return nil }
    let isolation = gateway.isolation
    do {
      let addition = try isolation.begin(gateway.link, gateway.addresses)
      rollback.onFailure("remove the rules of isolation") { deadline in
        do throws(FirewallError) {
          try isolation.remove(until: deadline)
          return nil
        } catch { return error.description }
      }
      return addition
    } catch { throw AttachmentError(error, attempt) }
  }

  /// Waits until the rules are there.
  package static func finish(_ addition: consuming Isolation.Addition?, _ context: Context)
    throws(AttachmentError)
  {
    guard let addition else { return }
    do { try addition.finish(until: context.deadline) } catch {
      throw AttachmentError(error, attempt)
    }
  }

  /// Puts the rules back of an attachment that sends by `gateway`, as its rows have it; false where
  /// they were there.
  package static func restore(
    _ record: AttachmentRecord, _ gateway: String, until deadline: Deadline
  ) throws(AttachmentError) -> Bool {
    let isolation = Isolation(RuleOwner(record.attachment), network: record.network)
    let addresses = record.addresses.compactMap { try? IPPrefix($0).address }
    do {
      guard try isolation.deviation(gateway, addresses, until: deadline) != nil else {
        return false
      }
      try isolation.begin(gateway, addresses).finish(until: deadline)
      return true
    } catch { throw AttachmentError(error, attempt) }
  }

  // MARK: - CHECK and STATUS

  /// Compares the rules with what ADD made.
  package static func compare(
    _ plan: Plan, _ expected: Expectation, _ context: Context, _ deviations: inout Deviations
  ) throws(AttachmentError) {
    guard let wanted = GatewayIsolation(plan, expected.addresses) else { return }
    do {
      let deviation = try wanted.isolation.deviation(
        wanted.link, wanted.addresses, until: context.deadline)
      if let deviation { deviations.add(deviation) }
    } catch { throw AttachmentError(error, "cannot read the rules of isolation") }
  }

  /// Refuses where the firewall could not do it.
  package static func require(_ plan: Plan, _ context: Context) throws(AttachmentError) {
    guard plan.configuration.portIsolation, plan.gatewayPort != nil else { return }
    do { try Isolation.test(until: context.deadline) } catch {
      throw AttachmentError(
        .unavailable, "\"portIsolation\" with a gateway is not available",
        details: error.description)
    }
  }

  // MARK: - DEL and GC

  /// Removes the rules of an attachment whose rows say that it has some, or whose configuration.
  package static func release(
    _ detachment: Detachment, isRecorded: Bool, _ context: Context, _ failures: inout Failures
  ) {
    guard isRecorded || mayExist(detachment) else { return }
    do throws(FirewallError) {
      try Isolation(RuleOwner(detachment.key.attachment), network: detachment.key.network)
        .remove(until: context.deadline)
    } catch {
      // Without the program no ADD has come so far as to have rules, or a record of them.
      if case .missing = error, !isRecorded {
        context.log.write(.warning, "\(error)")
        return
      }
      failures.add(AttachmentError(error, "cannot remove the rules of isolation"))
    }
  }

  /// Removes the rules of all attachments of the network that are not valid.
  package static func collect(
    _ detachment: Detachment, except valid: Set<Attachment>, _ context: Context,
    _ failures: inout Failures
  ) {
    do throws(FirewallError) {
      let removed = try Isolation.removeAll(
        of: detachment.key.network, except: valid.map { RuleOwner($0) }, until: context.deadline)
      for comment in removed { context.log.write(.info, "removed isolation rules of \(comment)") }
    } catch {
      if case .missing = error, !mayExist(detachment) { return }
      failures.add(AttachmentError(error, "cannot remove the rules of isolation"))
    }
  }
}
