internal import CLinux
public import Linux

/// A change within a table that is there, as one step of a transaction.
public enum FilterChange: Hashable, Sendable {
  /// Makes a chain that others lead to. Where it is there already, that is refused with `EEXIST` if
  /// it must be `isNew`, and else is no change.
  case addChain(String, isNew: Bool)
  /// Deletes all rules of a chain.
  case emptyChain(String)
  /// Deletes an empty chain; refused with `EBUSY` while something leads to it.
  case deleteChain(String)
  /// Puts a rule at the end of a chain.
  case appendRule(FilterRule, chain: String)
  /// Deletes the rule that the kernel knows by this number.
  case deleteRule(handle: UInt64, chain: String)
  /// Puts elements into a set or map. One that is there already is refused with `EEXIST` if they
  /// must be `isNew`.
  case addElements([FilterElement], set: String, isNew: Bool)
  /// Takes elements out of a set or map.
  case deleteElements([FilterElement], set: String)
}

/// An element of a set, or of a map to verdicts.
public struct FilterElement: Hashable, Sendable {
  /// As `FilterSet.key` makes it.
  public let key: [UInt8]
  /// Where it leads; nil in a set, and where an element is deleted.
  public let verdict: FilterExpression.Verdict?

  /// An element.
  public init(_ key: [UInt8], _ verdict: FilterExpression.Verdict? = nil) {
    self.key = key
    self.verdict = verdict
  }
}

extension NetfilterSocket {
  /// Makes the changes in one transaction: all of them or none.
  ///
  /// - Parameter attempt: What errors begin with.
  public func change(
    _ family: FilterTable.Family, _ table: String, _ changes: [FilterChange], _ attempt: String,
    until deadline: Deadline
  ) throws(FilterError) {
    let messages = FilterMessages(table: FilterTable(family, table, []))
    try transact(.change(attempt), changes.flatMap { messages.change($0) }, until: deadline)
  }
}

extension FilterMessages {
  /// The most elements that one message has: an attribute has at most 64 KiB.
  private static let mostElements = 200

  func change(_ change: FilterChange) -> [FilterMessage] {
    switch change {
    case .addChain(let name, let isNew):
      let flags = NLM_F_CREATE | (isNew ? NLM_F_EXCL : 0)
      return [FilterMessage(NFT_MSG_NEWCHAIN, flags, named(name).bytes)]
    case .emptyChain(let name):
      return [FilterMessage(NFT_MSG_DELRULE, 0, named(ruleOf: name).bytes)]
    case .deleteChain(let name): return [FilterMessage(NFT_MSG_DELCHAIN, 0, named(name).bytes)]
    case .appendRule(let rule, let chain): return [addition(rule, to: chain)]
    case .deleteRule(let handle, let chain): return [deletion(handle, in: chain)]
    case .addElements(let elements, let set, let isNew):
      let flags = NLM_F_CREATE | (isNew ? NLM_F_EXCL : 0)
      return inParts(elements).map {
        FilterMessage(NFT_MSG_NEWSETELEM, flags, content(of: set, $0))
      }
    case .deleteElements(let elements, let set):
      return inParts(elements).map { FilterMessage(NFT_MSG_DELSETELEM, 0, content(of: set, $0)) }
    }
  }

  private func inParts(_ elements: [FilterElement]) -> [ArraySlice<FilterElement>] {
    stride(from: 0, to: elements.count, by: Self.mostElements).map {
      elements[$0...].prefix(Self.mostElements)
    }
  }

  private func content(of set: String, _ elements: ArraySlice<FilterElement>) -> [UInt8] {
    var writer = AttributeWriter<FilterElementsSpace>(header)
    writer.put(.table, table.name)
    writer.put(.set, set)
    writer.nest(.elements) { list in
      for element in elements {
        list.nest(.element) { writer in
          writer.nest(.key) { $0.put(.value, Octets(element.key)) }
          guard let verdict = element.verdict else { return }
          writer.nest(.data) { data in data.nest(.verdict) { verdict.encode(into: &$0) } }
        }
      }
    }
    return writer.bytes
  }
}
