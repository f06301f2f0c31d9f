public import JSON

/// Options by their names, all of which are text; `-o KEY` alone gives an empty one.
public struct DriverOptions: Hashable, Sendable {
  /// An option that was given.
  public struct Pair: Hashable, Sendable {
    /// Unique.
    public let name: String
    /// May be empty.
    public let value: String
  }
  /// In podman's order.
  public let pairs: [Pair]

  /// No options.
  public init() { pairs = [] }

  /// An object of strings; none where there is none.
  public init(_ json: JSONCursor) throws(JSONDecodingError) {
    var pairs: [Pair] = []
    if !json.isAbsent {
      for (name, value) in try json.members {
        pairs.append(Pair(name: name, value: try value.decode()))
      }
    }
    self.pairs = pairs
  }

  /// Those of `other` in place of those of `base` that have their names.
  public init(_ base: DriverOptions, overriddenBy other: DriverOptions) {
    pairs = base.pairs.filter { other[$0.name] == nil } + other.pairs
  }

  /// The value of the option `name`; nil if it was not given.
  public subscript(name: String) -> String? { pairs.first { $0.name == name }?.value }

  /// The name of the first option that is none of `names`.
  public func first(otherThan names: [String]) -> String? {
    pairs.first { !names.contains($0.name) }?.name
  }
}
