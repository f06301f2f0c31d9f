// Loops, because `merging` casts what its closure throws, which Embedded Swift cannot.

extension Dictionary where Value == String {
  /// These pairs and `others`, which win where both have a key.
  package func adding(_ others: Self) -> Self {
    var pairs = self
    for (key, value) in others { pairs[key] = value }
    return pairs
  }
}

extension Dictionary where Key: RawRepresentable, Key.RawValue == String, Value == String {
  /// What features have, as `external_ids` have it.
  package var externalIDs: [String: String] {
    var pairs: [String: String] = [:]
    for (key, value) in self { pairs[key.rawValue] = value }
    return pairs
  }
}
