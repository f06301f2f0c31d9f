import JSON
import Linux
import PluginCore

/// How often rules that drop have been met, in the namespaces of one way. Two readings show which
/// rule took what was sent between them, also one that nft(8) cannot show.
struct RuleCounters {
  /// One rule.
  private struct Place: Hashable {
    /// The namespace's path; nil for that of this host.
    let path: String?
    let chain: String
    let handle: Int64
  }
  private var counts: [Place: (number: Int, packets: Int64)] = [:]

  /// Reads those of this namespace and of `attachments`; a ruleset that cannot be read has none.
  init(_ attachments: [AttachmentReading], until deadline: Deadline) {
    for path in [nil] + attachments.map({ Optional($0.record.sandbox) }) {
      guard let rules = try? RulesetReading(of: path, until: deadline) else { continue }
      for chain in rules.chains {
        for (index, rule) in chain.rules.enumerated() {
          guard rule.mayDrop, let packets = rule.packets else { continue }
          let place = Place(path: path, chain: chain.title, handle: rule.handle)
          counts[place] = (number: index + 1, packets: packets)
        }
      }
    }
  }

  /// A rule that has counted since an earlier reading.
  struct Increase: Hashable {
    /// `rule 2 of nft ip filter FORWARD on this host`
    let subject: String
    let packets: Int64
    /// The command that takes the rule away.
    let remedy: String
  }

  /// The rule that has counted most since `earlier`; nil where none has.
  func increase(since earlier: Self, _ attachments: [AttachmentReading]) -> Increase? {
    let increases = counts.compactMap { place, now -> (place: Place, packets: Int64)? in
      guard let before = earlier.counts[place], now.packets > before.packets else { return nil }
      return (place: place, packets: now.packets - before.packets)
    }
    guard
      let most = increases.max(by: { ($0.packets, $1.place.handle) < ($1.packets, $0.place.handle) }
      )
    else { return nil }
    let holder = attachments.first { $0.record.sandbox == most.place.path }
    let number = counts[most.place]?.number ?? 0
    let delete = "nft delete rule \(most.place.chain.dropFirst(4)) handle \(most.place.handle)"
    return Increase(
      subject: "rule \(number) of \(most.place.chain) "
        + (holder.map { "in \($0.name)" } ?? "on this host"),
      packets: most.packets, remedy: holder.map { "\($0.entering) \(delete)" } ?? delete)
  }
}

extension RulesetReading.Rule {
  /// What its counter says; nil where it has none.
  fileprivate var packets: Int64? {
    expressions.lazy.compactMap { $0["counter"]?["packets"]?.integer }.first
  }

  /// Whether it drops what it matches, or may do so: targets of iptables are not shown.
  fileprivate var mayDrop: Bool {
    expressions.contains { expression in
      expression["drop"] != nil || expression["reject"] != nil
        || expression["xt"]?["type"]?.text == "target"
    }
  }
}
