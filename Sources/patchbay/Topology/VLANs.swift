/// Which VLANs a port carries (ovs-vswitchd.conf.db(5), `Port`, "VLAN Configuration").
struct VLANs {
  /// `vlan_mode`; nil: `access` with a tag, `trunk` without.
  let mode: String?
  let tag: Int64?
  let trunks: [Int64]
  /// `cvlans`: the customer VLANs that a tunnel takes; all where it is empty.
  var customers: [Int64] = []
}

extension VLANs {
  /// `access 10`, `every VLAN`, `trunk 10-20, 30`, `native-untagged 5, trunk 10`
  var description: String {
    let list = trunks.isEmpty ? "every VLAN" : "trunk \(Self.ranges(trunks))"
    switch (mode, tag) {
    case ("dot1q-tunnel"?, let tag?): return "dot1q-tunnel \(tag)"
    case (nil, let tag?), ("access"?, let tag?): return "access \(tag)"
    case ("access"?, nil): return "access 0"
    case (let mode?, let tag?) where mode != "trunk": return "\(mode) \(tag), \(list)"
    default: return list
    }
  }

  /// `10-20, 30`
  private static func ranges(_ numbers: [Int64]) -> String {
    var ranges: [ClosedRange<Int64>] = []
    // Any number and the same number twice can be in the database: no sum of theirs may overflow.
    for number in Set(numbers).sorted() {
      if let last = ranges.last, number - 1 == last.upperBound {
        ranges[ranges.count - 1] = last.lowerBound...number
      } else {
        ranges.append(number...number)
      }
    }
    return ranges.map { range in
      range.lowerBound == range.upperBound
        ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
    }.joined(separator: ", ")
  }
}
