extension Dictionary<String, String> {
  /// These pairs of `external_ids` and those of another feature, which win where both have a key.
  ///
  /// A loop, because `merging` casts what its closure throws, which Embedded Swift cannot.
  package func adding(_ others: [String: String]) -> [String: String] {
    var pairs = self
    for (key, value) in others { pairs[key] = value }
    return pairs
  }
}
