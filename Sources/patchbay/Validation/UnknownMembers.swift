import JSON

/// Finds members that no program reads.
///
/// Such a member is legal. Of plugins of this project every one is worth a warning: `vlanID` would
/// mean every VLAN. A remark has a name of its own, `comment`, `remark` or one that begins with `_`
/// or `#`.
enum UnknownMembers {
  private static func isRemark(_ name: String) -> Bool {
    ["comment", "comments", "remark", "description"].contains(name.lowercased())
      || name.hasPrefix("_") || name.hasPrefix("#") || name.contains(".")
  }

  /// Warnings of the members of `object` that are not one of `names`.
  static func faults(in object: JSONObject, of names: [String], at path: JSONPath) -> [Fault] {
    let present = Set(object.members.map { $0.name.lowercased() })
    return object.members.compactMap { member in
      // To Go's decoder the case of letters does not matter.
      let name = member.name.lowercased()
      guard !names.contains(where: { $0.lowercased() == name }) else { return nil }
      let near = names.filter { known in
        !present.contains(known.lowercased())
          && distance(name, known.lowercased()) <= min(2, known.count / 3)
      }
      let place = path.description.isEmpty ? member.name : "\(path).\(member.name)"
      // A name that begins as one that is known, as `vlanID`, may be meant for it as well.
      let meant =
        near.min(by: { distance(name, $0) < distance(name, $1) })
        ?? names.filter { known in
          !present.contains(known.lowercased()) && known.count > 2
            && name.hasPrefix(known.lowercased())
        }.max(by: { $0.count < $1.count })
      if let meant {
        return Fault(.warning, "\(place): unknown member; did you mean \"\(meant)\"?")
      }
      guard !isRemark(member.name) else { return nil }
      return Fault(.warning, "\(place): unknown member, which has no effect")
    }
  }

  /// How many letters must be changed, added, left out or swapped with the next to make one of the
  /// other; `_` and `-` do not count.
  private static func distance(_ one: String, _ other: String) -> Int {
    let separators: Set<Character> = ["_", "-"]
    let left = one.filter { !separators.contains($0) }.map { $0 }
    let right = other.filter { !separators.contains($0) }.map { $0 }
    var rows = [Array(0...right.count)]
    for (i, letter) in left.enumerated() {
      var row = [i + 1]
      for (j, counterpart) in right.enumerated() {
        var least = min(
          rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (letter == counterpart ? 0 : 1))
        if i > 0, j > 0, letter == right[j - 1], left[i - 1] == counterpart {
          least = min(least, rows[i - 1][j - 1] + 1)
        }
        row.append(least)
      }
      rows.append(row)
    }
    return rows[left.count][right.count]
  }
}
