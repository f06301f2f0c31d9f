internal import CNI
internal import Linux
internal import Netlink
internal import OVSDB
internal import OpenVSwitch
package import PluginCore

// What the kernel does for rates.

extension Rates {
  /// Refuses what the kernel has no module for, before anything is made. What ovs-vswitchd could
  /// not do for another reason is seen afterwards.
  private func requireModules(
    _ datapath: DatapathType, _ outside: RouteSocket, until deadline: Deadline
  ) throws(AttachmentError) {
    let (towards, from) = (
      "cannot limit what goes towards the container",
      "cannot limit what comes from the container"
    )
    let missing: (attempt: String, module: String)?
    do throws(RouteError) {
      missing =
        if limitsIngress, try !outside.hasDiscipline("htb", until: deadline) {
          (towards, "sch_htb")
        } else if limitsEgress, try !outside.hasDiscipline("tbf", until: deadline) {
          (from, "sch_tbf")
        } else if policingRate(datapath) > 0, try !outside.hasAction("police", until: deadline) {
          (from, "act_police")
        } else { nil }
    } catch { throw AttachmentError(error, "cannot ask the kernel for rates") }
    guard let missing else { return }
    throw AttachmentError(
      .failed, missing.attempt,
      details: "this kernel has no module \(missing.module), and cannot load it")
  }

  /// Refuses rates that this host cannot keep to, before anything is made.
  package static func prepare(_ plan: Plan, _ survey: Survey, _ context: Context)
    throws(AttachmentError)
  {
    guard let rates = plan.rates else { return }
    try rates.requireModules(
      survey.database.datapath(plan, survey.findings), survey.links.outside,
      until: context.deadline)
  }

  /// STATUS: the same.
  package static func require(_ plan: Plan, _ context: Context) throws(AttachmentError) {
    guard let rates = plan.rates else { return }
    let datapath: DatapathType
    do {
      let connection = try Connection(plan.endpoint, until: context.deadline)
      datapath = try connection.datapath(of: plan, until: context.deadline)
    } catch {
      throw AttachmentError.unavailable(error)
    }
    let outside: RouteSocket
    do { outside = try RouteSocket() } catch {
      throw AttachmentError(error, "cannot ask the kernel for rates")
    }
    do throws(AttachmentError) {
      try rates.requireModules(datapath, outside, until: context.deadline)
    } catch { throw AttachmentError(.unavailable, error.message, details: error.details) }
  }

  /// Refuses a host end that ovs-vswitchd has not limited as it should: where the kernel refuses,
  /// it says so in its log alone, and forwards without limit.
  ///
  /// When something has changed at the link, ovs-vswitchd takes the policer off and puts it on
  /// again, so what is missing is looked for once more, for up to a second.
  func require(
    of host: Link, _ datapath: DatapathType, _ outside: RouteSocket, _ context: Context
  ) throws(AttachmentError) {
    let patience = min(context.deadline, .after(.seconds(1)))
    while let missing = try missing(of: host, datapath, outside, context) {
      guard !patience.hasPassed else { throw missing }
      Clock.sleep(.milliseconds(10))
    }
  }

  private func missing(
    of host: Link, _ datapath: DatapathType, _ outside: RouteSocket, _ context: Context
  ) throws(AttachmentError) -> AttachmentError? {
    if let missing = try missingQueue(of: host, outside, context) { return missing }
    guard policingRate(datapath) > 0 else { return nil }
    let attempt = "cannot limit what comes from the container"
    do {
      if try Self.isPoliced(host, outside, until: context.deadline) { return nil }
    } catch { throw AttachmentError(error, attempt) }
    return AttachmentError(.failed, attempt, details: Self.cure(host))
  }

  private static func cure(_ host: Link) -> String {
    "ovs-vswitchd put no policer on link \"\(host.name)\"; see its log; the kernel needs "
      + "act_police and cls_basic (or cls_matchall)"
  }

  private static func isPoliced(_ host: Link, _ outside: RouteSocket, until deadline: Deadline)
    throws(RouteError) -> Bool
  {
    try outside.ingressFilters(of: host.index, until: deadline).contains { $0.hasAction }
  }

  private func missingQueue(of host: Link, _ outside: RouteSocket, _ context: Context)
    throws(AttachmentError) -> AttachmentError?
  {
    guard limitsIngress else { return nil }
    let attempt = "cannot limit what goes towards the container"
    let kind: String?
    let isMade: Bool
    do throws(RouteError) {
      kind = try outside.queueingDiscipline(of: host.index, until: context.deadline)?.kind
      isMade = kind == "htb" ? try hasClass(host, outside, until: context.deadline) : false
    } catch { throw AttachmentError(error, attempt) }
    if isMade { return nil }
    let subject = "link \"\(host.name)\""
    return AttachmentError(
      .failed, attempt,
      details: kind == "htb"
        ? "ovs-vswitchd made no class with this rate on \(subject); see its log"
        : "ovs-vswitchd did not put \(Self.qosType) on \(subject), which has "
          + "\"\(kind ?? "none")\"; see its log; the kernel needs sch_htb")
  }

  private func hasClass(_ host: Link, _ outside: RouteSocket, until deadline: Deadline)
    throws(RouteError) -> Bool
  {
    try outside.trafficClasses(of: host.index, until: deadline).contains {
      $0.handle & 0xffff == Self.queueClass && $0.ceiling == hostRate
    }
  }

  /// Notes what is not as these rates want it, of the two ends.
  func compareLinks(
    _ datapath: DatapathType?, _ host: Link, _ outside: RouteSocket, _ container: Link,
    _ inside: RouteSocket, until deadline: Deadline, _ deviations: inout Deviations
  ) throws(RouteError) {
    if let wanted = hostRate {
      let subject = "link \"\(host.name)\""
      let found = try outside.queueingDiscipline(of: host.index, until: deadline)
      deviations.expect("\(subject): queueing discipline", is: found?.kind, shouldBe: "htb")
      if found?.kind == "htb" {
        let classes = try outside.trafficClasses(of: host.index, until: deadline)
        let queue = classes.first { $0.handle & 0xffff == Self.queueClass }
        deviations.expect(
          "\(subject): bytes per second of class 1:\(Self.queueClass)", is: queue?.ceiling,
          shouldBe: wanted)
      }
    }
    if policingRate(datapath) > 0, try !Self.isPoliced(host, outside, until: deadline) {
      deviations.add(Self.cure(host))
    }
    guard let wanted = containerBucket else { return }
    let subject = "interface \"\(container.name)\""
    let found = try inside.queueingDiscipline(of: container.index, until: deadline)
    guard let found, found.kind == "tbf", let bucket = found.tokenBucket else {
      deviations.add(
        "\(subject): queueing discipline is \"\(found?.kind ?? "none")\", should be \"tbf\": what "
          + "the container sends is not limited")
      return
    }
    deviations.expect("\(subject): bytes per second", is: bucket.rate, shouldBe: wanted.rate)
    deviations.expect("\(subject): bytes that may wait", is: bucket.limit, shouldBe: wanted.limit)
    // The kernel has it as time, in units of 64 ns and 32 bits.
    let unit = max(1, wanted.rate / 1_000_000)
    let isLong = UInt64(wanted.burst) / max(wanted.rate, 1) > 250
    let (low, high) = (min(bucket.burst, wanted.burst), max(bucket.burst, wanted.burst))
    if !isLong, UInt64(high - low) > unit {
      deviations.add(
        "\(subject): burst is \(bucket.burst) bytes, should be \(wanted.burst) bytes")
    }
  }
}
