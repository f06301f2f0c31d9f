internal import JSON
internal import Addresses
package import CNI
internal import Linux
package import Nftables
package import PluginConfigurations
package import PluginCore

extension RuleOwner {
  init(_ attachment: Attachment) {
    self.init(containerID: attachment.containerID, interfaceName: attachment.interfaceName)
  }
}

/// What the container sends out of the network, masqueraded.
package enum Masquerading {
  /// What the rows of an attachment have for it.
  package static func externalIDs(_ plan: Plan, _ addresses: [AttachmentResult.Address])
    -> [ExternalIDKey: String]
  {
    isWanted(plan, addresses) ? [.masquerade: "true"] : [:]
  }

  /// Whether there may be rules though no row says so. What cannot be read may be so.
  private static func mayExist(_ detachment: Detachment) -> Bool {
    do throws(JSONDecodingError) {
      return try detachment.json[OVSBridgeConfiguration.Member.ipMasq].decodeIfPresent() ?? false
    } catch { return true }
  }

  /// Whether what comes from these addresses is to be masqueraded.
  private static func isWanted(_ plan: Plan, _ addresses: [AttachmentResult.Address]) -> Bool {
    plan.configuration.ipMasq && !addresses.isEmpty
  }

  /// Refuses, before anything is made, where the program is missing that puts rules into the
  /// firewall.
  package static func requireProgram(_ plan: Plan) throws(AttachmentError) {
    guard plan.configuration.ipMasq, plan.hasIPAM else { return }
    do { try Firewall.require() } catch {
      throw AttachmentError(error, "cannot masquerade network \"\(plan.network)\"")
    }
  }

  /// Starts to put the rules into the firewall, which takes a while; nil where none are asked for.
  package static func begin(
    _ plan: Plan, _ addresses: [AttachmentResult.Address], _ rollback: inout Rollback
  ) throws(AttachmentError) -> Masquerade.Addition? {
    guard isWanted(plan, addresses) else { return nil }
    let masquerade = Masquerade(network: plan.network)
    let owner = RuleOwner(plan.attachment)
    do {
      let addition = try masquerade.begin(adding: owner, addresses.map { $0.address })
      rollback.onFailure("remove the masquerade rules") { deadline in
        do throws(FirewallError) {
          try masquerade.remove(owner, until: deadline)
          return nil
        } catch { return error.description }
      }
      return addition
    } catch { throw AttachmentError(error, "cannot masquerade network \"\(plan.network)\"") }
  }

  /// Waits until the rules are there.
  package static func finish(
    _ addition: consuming Masquerade.Addition?, _ plan: Plan, _ context: Context
  ) throws(AttachmentError) {
    guard let addition else { return }
    do { try addition.finish(until: context.deadline) } catch {
      throw AttachmentError(error, "cannot masquerade network \"\(plan.network)\"")
    }
  }

  /// Removes the rules of an attachment whose rows say that it has some, or whose configuration.
  package static func release(
    _ detachment: Detachment, isRecorded: Bool, _ context: Context, _ failures: inout Failures
  ) {
    guard isRecorded || mayExist(detachment) else { return }
    do throws(FirewallError) {
      try Masquerade(network: detachment.key.network).remove(
        RuleOwner(detachment.key.attachment), until: context.deadline)
    } catch {
      // Without the program no ADD has come so far as to have rules, or a record of them.
      if case .missing = error, !isRecorded {
        context.log.write(.warning, "\(error)")
        return
      }
      failures.add(AttachmentError(error, "cannot remove the masquerade rules"))
    }
  }

  /// Removes the rules of all attachments of the network that are not valid.
  package static func collect(
    _ detachment: Detachment, except valid: Set<Attachment>, _ context: Context,
    _ failures: inout Failures
  ) {
    do throws(FirewallError) {
      let removed = try Masquerade(network: detachment.key.network).removeAll(
        except: valid.map { RuleOwner($0) }, until: context.deadline)
      for comment in removed { context.log.write(.info, "removed masquerade rules of \(comment)") }
    } catch {
      if case .missing = error, !mayExist(detachment) { return }
      failures.add(AttachmentError(error, "cannot remove masquerade rules"))
    }
  }

  /// Compares the rules with what ADD made.
  package static func compare(
    _ plan: Plan, _ expected: Expectation, _ context: Context, _ deviations: inout Deviations
  ) throws(AttachmentError) {
    guard isWanted(plan, expected.addresses) else { return }
    do {
      let deviation = try Masquerade(network: plan.network).deviation(
        RuleOwner(plan.attachment), expected.addresses.map { $0.address }, until: context.deadline)
      if let deviation { deviations.add(deviation) }
    } catch { throw AttachmentError(error, "cannot read the masquerade rules") }
  }

  /// Refuses where the firewall could not do it.
  package static func require(_ plan: Plan, _ context: Context) throws(AttachmentError) {
    guard plan.configuration.ipMasq else { return }
    do { try Masquerade(network: plan.network).test(until: context.deadline) } catch {
      throw AttachmentError(
        .unavailable, "\"ipMasq\" is not available", details: error.description)
    }
  }
}
