import Addresses
import CNI
import Linux
import Nftables
import PluginConfigurations
import PluginCore

/// How the rows of an attachment tell that it is masqueraded.
enum MasqueradeRecord {
  /// The key in `external_ids`.
  static let key = "masquerade"
}

extension RuleOwner {
  init(_ attachment: Attachment) {
    self.init(containerID: attachment.containerID, interfaceName: attachment.interfaceName)
  }
}

extension CNIError {
  /// What the firewall refused.
  init(_ error: FirewallError, _ attempt: String) {
    self.init(
      error.isTimeout ? .tryAgainLater : .internalFailure, attempt, details: error.description)
  }
}

extension OVSBridge {
  /// Whether what comes from these addresses is to be masqueraded.
  static func isMasqueraded(_ plan: Plan, _ addresses: [AttachmentResult.Address]) -> Bool {
    plan.configuration.ipMasq && !addresses.isEmpty
  }

  /// Starts to put the rules into the firewall, which takes a while; nil where none are wished for.
  static func beginMasquerade(
    _ plan: Plan, _ addresses: [AttachmentResult.Address], _ rollback: inout Rollback
  ) throws(CNIError) -> Masquerade.Addition? {
    guard isMasqueraded(plan, addresses) else { return nil }
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
    } catch { throw CNIError(error, "cannot masquerade network \"\(plan.network)\"") }
  }

  /// Waits until the rules are there.
  static func finish(
    _ addition: consuming Masquerade.Addition?, _ plan: Plan, _ context: Context
  ) throws(CNIError) {
    guard let addition else { return }
    do { try addition.finish(until: context.deadline) } catch {
      throw CNIError(error, "cannot masquerade network \"\(plan.network)\"")
    }
  }

  /// Removes the rules of an attachment whose rows say that it has some, or whose configuration.
  static func removeMasquerade(
    _ plan: Plan, isRecorded: Bool, _ context: Context, _ failures: inout Failures
  ) {
    guard isRecorded || plan.configuration.ipMasq else { return }
    do throws(FirewallError) {
      try Masquerade(network: plan.network).remove(
        RuleOwner(plan.attachment), until: context.deadline)
    } catch {
      // Without the program no ADD has come so far as to have rules, or a record of them.
      if case .missing = error, !isRecorded {
        context.log.write(.warning, "\(error)")
        return
      }
      failures.add(CNIError(error, "cannot remove the masquerade rules"))
    }
  }

  /// Removes the rules of all attachments of the network that are not valid.
  static func collectMasquerade(
    _ plan: Plan, _ valid: [Attachment], _ context: Context, _ failures: inout Failures
  ) {
    do throws(FirewallError) {
      let removed = try Masquerade(network: plan.network).removeAll(
        except: valid.map { RuleOwner($0) }, until: context.deadline)
      for comment in removed { context.log.write(.info, "removed masquerade rules of \(comment)") }
    } catch {
      if case .missing = error, !plan.configuration.ipMasq { return }
      failures.add(CNIError(error, "cannot remove masquerade rules"))
    }
  }

  /// Compares the rules with what ADD made.
  static func compareMasquerade(
    _ plan: Plan, _ expected: Expectation, _ context: Context, _ deviations: inout Deviations
  ) throws(CNIError) {
    guard isMasqueraded(plan, expected.addresses) else { return }
    do {
      let deviation = try Masquerade(network: plan.network).deviation(
        RuleOwner(plan.attachment), expected.addresses.map { $0.address }, until: context.deadline)
      if let deviation { deviations.add(deviation) }
    } catch { throw CNIError(error, "cannot read the masquerade rules") }
  }

  /// Refuses where the firewall could not do it.
  static func requireMasquerade(_ plan: Plan, _ context: Context) throws(CNIError) {
    guard plan.configuration.ipMasq else { return }
    do { try Masquerade(network: plan.network).test(until: context.deadline) } catch {
      throw CNIError(
        .notAvailable, "\"ipMasq\" is not available", details: error.description)
    }
  }
}
