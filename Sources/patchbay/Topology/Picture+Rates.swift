import JSON
import Linux
import Netlink

extension Picture {
  /// How much may pass a port. Bits per second; nil without limit.
  struct Rates: Hashable {
    /// Out of the bridge, which is towards the container.
    var outwards: UInt64?
    /// Into the bridge, which is what the container sends.
    var inwards: UInt64?

    /// What the rows of the port say; nil without a limit.
    init?(_ row: DatabaseReading.Port) {
      let policing = row.interfaces.map(\.policingRate).max() ?? 0
      self.init(outwards: row.maximumRate, inwards: policing > 0 ? UInt64(policing) * 1000 : nil)
    }

    init?(outwards: UInt64?, inwards: UInt64?) {
      guard outwards != nil || inwards != nil else { return nil }
      (self.outwards, self.inwards) = (outwards, inwards)
    }

    /// `10 Mbit/s to the container`, `512 kbit/s from it`
    var facts: [String] {
      [
        outwards.map { "\(Self.text($0)) to the container" },
        inwards.map { "\(Self.text($0)) from it" },
      ].compactMap { $0 }
    }

    /// The same of a port that has no container: `at most 10 Mbit/s out`, `at most 10 Mbit/s in`
    var portFacts: [String] {
      [
        outwards.map { "at most \(Self.text($0)) out" },
        inwards.map { "at most \(Self.text($0)) in" },
      ].compactMap { $0 }
    }

    /// In the largest unit of which it is a whole number.
    private static func text(_ rate: UInt64) -> String {
      let units: [(size: UInt64, name: String)] = [
        (1_000_000_000, "Gbit/s"), (1_000_000, "Mbit/s"), (1000, "kbit/s"),
      ]
      for unit in units where rate >= unit.size && rate % unit.size == 0 {
        return "\(rate / unit.size) \(unit.name)"
      }
      return "\(rate) bit/s"
    }

    var json: JSONValue {
      .object([
        ("ingress", outwards.map { .integer(Int64(clamping: $0)) }),
        ("egress", inwards.map { .integer(Int64(clamping: $0)) }),
      ])
    }
  }
}

extension Picture.Port {
  /// Reads the limit that the container end has for what it sends: on a userspace datapath it is
  /// there alone.
  mutating func readRates(_ inside: AttachmentReading.Inside, until deadline: Deadline) {
    guard
      let found = try? inside.socket.queueingDiscipline(of: inside.link.index, until: deadline),
      let bucket = found.tokenBucket
    else { return }
    let (bits, isTooMuch) = bucket.rate.multipliedReportingOverflow(by: 8)
    guard !isTooMuch else { return }
    rates = Picture.Rates(outwards: rates?.outwards, inwards: bits)
  }

  /// Finds whether one end of it has another MTU than the bridge's own port.
  mutating func compareMTU(with own: UInt32) {
    let ends = [container?.link.mtu, interfaces.first?.link?.mtu].compactMap { $0 }
    unusualMTU = ends.first { $0 != own }
  }
}
