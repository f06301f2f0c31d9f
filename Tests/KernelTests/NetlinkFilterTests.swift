import Linux
import TestSupport
import Testing

@testable import Netlink

extension KernelNetlink {
  @Suite struct Filters {
    @Test("a policer at the ingress of a link is seen, and that there is none")
    func policer() throws {
      let pair = try TestPair("nl-police")
      let index = pair.host.index
      #expect(try pair.outside.ingressFilters(of: index, until: .soon) == [])
      try run("tc", ["qdisc", "add", "dev", "nl-police", "ingress"]).checked()
      #expect(try pair.outside.ingressFilters(of: index, until: .soon) == [])
      // As ovs-vswitchd does it. Not every kernel of a machine that tests has the module.
      for (kind, words) in [
        ("basic", ["basic"]), ("matchall", ["matchall"]),
      ] {
        let policed = try run(
          "tc",
          [
            "filter", "add", "dev", "nl-police", "parent", "ffff:", "protocol", "all", "prio", "49",
          ] + words + ["action", "police", "rate", "1mbit", "burst", "100k", "drop"])
        guard policed.status == 0 else { continue }
        let found = try pair.outside.ingressFilters(of: index, until: .soon)
        #expect(found.contains { $0.kind == kind && $0.hasAction }, "\(found)")
        try run("tc", ["filter", "del", "dev", "nl-police", "parent", "ffff:"]).checked()
      }
    }

    @Test("what the kernel has of generic netlink is listed, and nothing is loaded for it")
    func families() throws {
      let families = try GenericSocket().families(until: .soon)
      #expect(families.contains("nlctrl"))
      #expect(!families.contains("patchbay"))
    }
  }
}
