extension JSONPath {
  /// The path of the array or object that this is in; nil for the whole document.
  public var parent: JSONPath? {
    guard !steps.isEmpty else { return nil }
    var copy = self
    copy.steps.removeLast()
    return copy
  }

  /// Whether this is an element of an array.
  public var isElement: Bool { if case .index? = steps.last { true } else { false } }

  /// Whether this is `other`, or lies in it.
  public func isWithin(_ other: JSONPath) -> Bool { steps.starts(with: other.steps) }
}

extension JSONValue {
  /// The document with `value` at `path`; nil for `value` takes a member or an element away.
  ///
  /// A member that is missing is added. Nil where nothing stands in which `path` ends; its names
  /// count in whatever ASCII case.
  public func replacing(_ path: JSONPath, with value: JSONValue?) -> JSONValue? {
    replacing(path.steps[...], with: value)
  }

  private func replacing(_ steps: ArraySlice<JSONPath.Step>, with value: JSONValue?) -> JSONValue? {
    guard let step = steps.first else { return value }
    let rest = steps.dropFirst()
    switch (self, step) {
    case (.object(var object), .name(let asked)):
      guard let member = object.member(matching: asked) else {
        guard rest.isEmpty, let value else { return nil }
        object[asked] = value
        return .object(object)
      }
      if rest.isEmpty {
        object[member.name] = value
      } else {
        guard let inner = member.value.replacing(rest, with: value) else { return nil }
        object[member.name] = inner
      }
      return .object(object)
    case (.array(var items), .index(let index)):
      guard items.indices.contains(index) else { return nil }
      if rest.isEmpty, value == nil {
        items.remove(at: index)
      } else {
        guard let inner = items[index].replacing(rest, with: value) else { return nil }
        items[index] = inner
      }
      return .array(items)
    default: return nil
    }
  }
}
