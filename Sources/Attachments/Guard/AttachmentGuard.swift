internal import Addresses
package import CNI
internal import Linux
internal import Netlink
internal import OVSDB
package import OpenVSwitch
package import PluginConfigurations
package import PluginCore
internal import PortGuard

/// What is attempted when an interface is given its guard.
private func attempt(_ name: String) -> String { "cannot guard interface \"\(name)\"" }

/// `guard`: what the container may send. It is on the host end before that is a port, and goes with
/// the attachment: with the link, or, where it is a table of nftables, before the link.
package struct AttachmentGuard {
  /// The key in `external_ids` by which rows of an attachment tell how it is guarded: `full` or
  /// `mac`.
  package static let key = ExternalIDKey.guarded.rawValue

  private let configuration: GuardConfiguration
  private let mechanism: GuardMechanism
  private let link: LinkGuard

  private init?(_ plan: Plan, _ mechanism: GuardMechanism) {
    guard let configuration = plan.configuration.guarded else { return nil }
    self.configuration = configuration
    self.mechanism = mechanism
    link = LinkGuard(
      mechanism, of: plan.hostLink.name, comment: plan.hostLink.alias(network: plan.network))
  }

  /// What the rows of an attachment have for it.
  package static func externalIDs(_ plan: Plan) -> [ExternalIDKey: String] {
    guard let configuration = plan.configuration.guarded else { return [:] }
    var pairs: [ExternalIDKey: String] = [.guarded: configuration.mode.rawValue]
    pairs[.guardDetails] = configuration.details
    return pairs
  }

  // MARK: - ADD

  /// What is to guard the attachment; nil where nothing is. Refuses what this host cannot have,
  /// before anything is made.
  package static func prepare(_ plan: Plan, _ survey: Survey, _ context: Context)
    throws(AttachmentError) -> AttachmentGuard?
  {
    guard plan.configuration.guarded != nil else { return nil }
    let datapath = try survey.database.datapath(plan, survey.findings)
    let mechanism: GuardMechanism
    do {
      mechanism = try survey.database.connection.guardMechanism(datapath, until: context.deadline)
    } catch { throw AttachmentError(error, "cannot ask Open vSwitch") }
    // A trial of nftables takes as long as the kernel takes to be sure that no packet meets what
    // was tried. That there is nftables has been seen, and what is missing is refused with the
    // rules.
    if mechanism == .xdp {
      do { try mechanism.test(until: context.deadline) } catch {
        throw AttachmentError(error, unavailable)
      }
    }
    return AttachmentGuard(plan, mechanism)
  }

  private static let unavailable = "\"guard\" is not available"

  /// Makes ready for the guard of a link that was just made. Where rows of an earlier ADD are there
  /// still, ovs-vswitchd may take the link for its port before the guard is there: until then
  /// nothing passes.
  package static func begin(
    _ wanted: AttachmentGuard?, _ link: ContainerLink, _ plan: Plan, _ survey: Survey,
    _ context: Context, _ rollback: inout Rollback
  ) throws(AttachmentError) {
    let name = plan.hostLink.name
    let comment = plan.hostLink.alias(network: plan.network)
    if wanted?.mechanism == .nftables {
      // Before the effect: that there was no answer does not say that there is no table.
      rollback.onFailure("remove the guard") { deadline in
        do throws(GuardError) {
          try LinkGuard.remove(of: name, comment: comment, until: deadline)
          return nil
        } catch { return error.description }
      }
    }
    guard let wanted, !survey.leftovers.rows.isEmpty else { return }
    try wanted.ready(.nothing, plan).enforce(on: link, context)
  }

  /// Removes the table of an ADD that was killed, which guards the new link of this name. To be
  /// called when the port has been asked for, so that this does not hold it up: until then the
  /// table may drop frames that are to pass.
  package static func removeRemains(
    _ wanted: AttachmentGuard?, _ plan: Plan, _ context: Context
  ) throws(AttachmentError) {
    guard wanted?.mechanism != .nftables else { return }
    do throws(GuardError) {
      try LinkGuard.remove(
        of: plan.hostLink.name, comment: plan.hostLink.alias(network: plan.network),
        until: context.deadline)
    } catch { throw AttachmentError(error, "cannot remove what an earlier ADD left") }
  }

  /// What is to be enforced, with all that can be made of it before there is the link.
  package struct Ready: ~Copyable {
    fileprivate let guarding: AttachmentGuard
    fileprivate let policy: LinkGuard.Ready

    /// Guards the host end from now on, before it is a port, in place of what was there.
    package func enforce(on ends: ContainerLink, _ context: Context) throws(AttachmentError) {
      do {
        try guarding.link.enforce(
          policy, on: ends.host.index, ends.outside, until: context.deadline)
      } catch { throw AttachmentError(error, attempt(ends.containerName)) }
      context.log.write(.debug, "guarded the host end by \(guarding.mechanism.rawValue)")
    }
  }

  /// Makes ready what the container end may send. Without `addresses`, which an IPAM plugin has yet
  /// to get by the wire, nothing but requests to DHCP servers passes.
  package func ready(
    _ end: ContainerEnd, _ addresses: [AttachmentResult.Address]?, _ plan: Plan
  ) throws(AttachmentError) -> Ready {
    let policy =
      addresses.map {
        GuardPolicy(configuration, mac: end.mac, addresses: $0.map { $0.address.address })
      } ?? GuardPolicy(untilLeased: configuration, mac: end.mac)
    guard addresses == nil || policy.hasAddresses else {
      throw AttachmentError(
        .invalid,
        "guard: the IPAM plugin has given no address, and \"allowed\" has none: nothing could pass")
    }
    return try ready(policy, plan)
  }

  private func ready(_ policy: GuardPolicy, _ plan: Plan) throws(AttachmentError) -> Ready {
    do { return Ready(guarding: self, policy: try link.ready(policy)) } catch {
      throw AttachmentError(error, attempt(plan.attachment.interfaceName))
    }
  }

  // MARK: - CHECK

  /// Compares the guard with what ADD made.
  package static func compare(
    _ plan: Plan, _ expected: Expectation, _ datapath: DatapathType?, _ context: Context,
    _ deviations: inout Deviations
  ) throws(AttachmentError) {
    // That there is no bridge is reported with the rows.
    guard let configuration = plan.configuration.guarded, let datapath else { return }
    let name = plan.hostLink.name
    let mechanism: GuardMechanism
    let row: [String: String]
    do {
      let connection = try Connection(plan.endpoint, until: context.deadline)
      mechanism = try connection.guardMechanism(datapath, until: context.deadline)
      var question = Transaction()
      let ports = question.select(
        from: .port, where: [.equal(.name, name)], .columns(.externalIDs))
      let results = try connection.transact(question, until: context.deadline)
      // That it is missing is reported with the rows.
      guard let port = results[ports].first else { return }
      row = port[.externalIDs]
    } catch { throw AttachmentError(error, "cannot ask Open vSwitch") }
    // What ADD gave to the container end: later plugins may have changed it since.
    guard let record = AttachmentRecord(row), let mac = record.mac.flatMap({ MACAddress($0) })
    else {
      deviations.add("port \"\(name)\" does not tell which MAC address it was guarded for")
      return
    }
    let addresses = record.addresses.compactMap { IPAddress($0.prefix { $0 != "/" }) }
    let policy = GuardPolicy(configuration, mac: mac, addresses: addresses)
    if let present = expected.mac.flatMap({ MACAddress($0) }), !policy.allows(present) {
      deviations.add(
        "the container end has the MAC address \(present), whose frames its guard drops; a plugin "
          + "that sets it comes before this one, or guard.allowed names it")
    }
    try compare(plan, policy, mechanism, context, &deviations)
  }

  private static func compare(
    _ plan: Plan, _ policy: GuardPolicy, _ mechanism: GuardMechanism, _ context: Context,
    _ deviations: inout Deviations
  ) throws(AttachmentError) {
    let link: Link?
    do {
      link = try RouteSocket().linkIfPresent(.named(plan.hostLink.name), until: context.deadline)
    } catch { throw AttachmentError(error, "cannot read the host end") }
    // That it is missing is reported with the links.
    guard let link, let wanted = AttachmentGuard(plan, mechanism) else { return }
    do {
      if let found = try wanted.link.deviation(policy, link, until: context.deadline) {
        deviations.add("the container can send what it may not: \(found)")
      }
    } catch { throw AttachmentError(error, "cannot read the guard") }
  }

  // MARK: - STATUS

  /// Refuses where this host could not have the guard.
  package static func require(_ plan: Plan, _ context: Context) throws(AttachmentError) {
    guard plan.configuration.guarded != nil else { return }
    let mechanism: GuardMechanism
    do throws(OVSDBError) {
      let connection = try Connection(plan.endpoint, until: context.deadline)
      mechanism = try connection.guardMechanism(
        connection.datapath(of: plan, until: context.deadline), until: context.deadline)
    } catch {
      throw AttachmentError.unavailable(error)
    }
    do { try mechanism.test(until: context.deadline) } catch {
      throw AttachmentError(.unavailable, unavailable, details: error.description)
    }
  }

  // MARK: - DEL and GC

  private static let removal = "cannot remove the guard"

  /// Removes what of a guard does not go with the link, which is gone by now.
  package static func release(
    _ detachment: Detachment, _ context: Context, _ failures: inout Failures
  ) {
    let link = detachment.hostLink
    do throws(GuardError) {
      try LinkGuard.remove(
        of: link.name, comment: link.alias(network: detachment.key.network),
        until: context.deadline)
    } catch { failures.add(AttachmentError(error, removal)) }
  }

  /// Removes the guards of the network's attachments that are not valid.
  package static func collect(
    _ detachment: Detachment, except valid: Set<Attachment>, _ context: Context,
    _ failures: inout Failures
  ) {
    let links = Set(valid.map { HostLink(of: $0).name })
    do throws(GuardError) {
      for found in try LinkGuard.tables(until: context.deadline) {
        guard !links.contains(found.link), let comment = found.comment,
          HostLink.belongs(comment, to: detachment.key.network)
        else { continue }
        try LinkGuard.remove(of: found.link, comment: comment, until: context.deadline)
        context.log.write(.info, "removed the guard of link \"\(found.link)\"")
      }
    } catch { failures.add(AttachmentError(error, removal)) }
  }
}

extension Connection {
  /// What can guard a port of a bridge that has this datapath.
  func guardMechanism(_ datapath: DatapathType, until deadline: Deadline)
    throws(OVSDBError) -> GuardMechanism
  {
    guard datapath != .netdev else { return GuardMechanism(isUserspace: true, isOffloaded: false) }
    var question = Transaction()
    let root = question.select(from: .openVSwitch, .columns(.otherConfiguration))
    let settings = try transact(question, until: deadline)[root].first?[.otherConfiguration]
    return GuardMechanism(isUserspace: false, isOffloaded: settings?["hw-offload"] == "true")
  }
}

extension AttachmentError {
  /// What the kernel refused of a guard.
  init(_ error: GuardError, _ attempt: String) {
    self.init(error.isTimeout ? .busy : .failed, attempt, details: error.description)
  }
}
