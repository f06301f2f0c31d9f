/// A version of the CNI specification that the plugins speak.
public enum SpecificationVersion: String, Hashable, Sendable, CaseIterable, Comparable {
  /// 0.1.0: one address per family, no interfaces.
  case v0_1_0 = "0.1.0"
  /// 0.2.0: as 0.1.0.
  case v0_2_0 = "0.2.0"
  /// 0.3.0: interfaces, and lists of addresses.
  case v0_3_0 = "0.3.0"
  /// 0.3.1: as 0.3.0.
  case v0_3_1 = "0.3.1"
  /// 0.4.0: CHECK.
  case v0_4_0 = "0.4.0"
  /// 1.0.0: addresses without their version.
  case v1_0_0 = "1.0.0"
  /// 1.1.0: GC and STATUS; more members of interfaces and routes.
  case v1_1_0 = "1.1.0"

  /// The newest.
  public static let current = SpecificationVersion.v1_1_0

  /// In the order of their publication.
  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

  /// The older one is less.
  public static func < (left: SpecificationVersion, right: SpecificationVersion) -> Bool {
    left.rank < right.rank
  }

  /// All of them, quoted and in brackets, as Go prints a list of strings.
  static var quotedList: String {
    "[" + allCases.map { "\"\($0.rawValue)\"" }.joined(separator: " ") + "]"
  }
}
