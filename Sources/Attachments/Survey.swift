package import CNI
package import Linux
internal import Netlink
package import PluginCore

/// What there is before an attachment is made: its links, its rows, its bridge, its gateway.
///
/// It refuses what can be refused, before anything is made.
package struct Survey {
  let database: Database
  let links: LinkSurvey
  let findings: RowSurvey.Findings
  let leftovers: Leftovers
  private let hasHostShield: Bool

  /// Looks. Refuses an attachment that is up and names that are taken, a bridge that is missing and
  /// may not be made, and a port that cannot be the gateway's.
  ///
  /// - Parameters:
  ///   - previous: What earlier plugins of the list made.
  ///   - begin: What is begun besides, as soon as ovsdb-server is at work.
  package init(
    _ plan: Plan, after previous: AttachmentResult?, in sandbox: borrowing NetworkNamespace,
    _ context: Context, meanwhile begin: () -> Void = {}
  ) throws(AttachmentError) {
    database = try Database(plan.endpoint, context)
    let question = database.begin(RowSurvey(plan))
    begin()
    links = try LinkSurvey(plan, in: sandbox, context)
    hasHostShield = try HostShield.isInPlace(until: context.deadline)
    findings = try database.findings(of: question)
    leftovers = try Leftovers(plan, previous, in: sandbox, links, findings)
    _ = try database.datapath(plan, findings)
    try BridgeName.require(plan, isThere: findings.bridge != nil, database.connection, context)
    try findings.gateway?.refuse(plan)
    context.log.write(.debug, "has looked at what is there")
  }

  /// The addresses whose leases were there before: of an attachment that is replaced.
  package var leasedAddresses: Set<String> { Set(leftovers.addresses) }

  /// Whether ovs-vswitchd is better asked for the port before the link is made, of an attachment of
  /// which nothing is left.
  ///
  /// It looks at all its ports when it hears of either, some 40 µs each. Where there are many, it
  /// comes to the new one when its link has long been made, and has looked once for both. Where
  /// there are few, it would find no link, and say so in its log.
  package var isPortFirst: Bool {
    leftovers.link == nil && leftovers.rows.isEmpty && LinkSurvey.areMany
  }

  /// Makes sure that host ends are closed to the host, before there is one.
  package func requireHostShield(_ context: Context) throws(AttachmentError) {
    if !hasHostShield { try HostShield.require(context) }
  }

  /// Removes rows of ours, of whatever attachment, whose links are gone. One of an attachment at
  /// which a command is at work stays: ADD asks for its port before it makes the link.
  ///
  /// A lease may be left whose place such a row told. DEL finds it by other rows of the network, or
  /// by the whole configuration, and GC in any case.
  package func removeLostPorts(_ context: Context) {
    database.removeStalePorts(findings.stale, links.outside, context.log) { $0.key.isIdle }
  }
}

extension ContainerLink {
  /// Makes the pair where `survey` has looked.
  package init(
    _ plan: Plan, _ end: ContainerEnd, _ survey: Survey,
    in sandbox: borrowing NetworkNamespace, _ context: Context, _ rollback: inout Rollback
  ) throws(AttachmentError) {
    try self.init(
      plan, end, survey.links, replacing: survey.leftovers, in: sandbox, context, &rollback)
  }
}
