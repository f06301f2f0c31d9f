/// What `ofproto/trace` of ovs-vswitchd says becomes of a frame (ovs-vswitchd(8), "OFPROTO
/// COMMANDS").
///
/// The text has one block for each pipeline that the frame goes through: a recirculation adds one.
public struct FlowTrace: Hashable, Sendable {
  /// One pipeline.
  public struct Block: Hashable, Sendable {
    /// Of each table that was looked into: its number, and what it found: the text of the rule, or
    /// `No match.`
    public internal(set) var tables: [Table] = []
    /// The bridges the frame came through, in order.
    public internal(set) var bridges: [String] = []
    /// What Open vSwitch remarks (`->`, `>`, `>>`, `>>>`), without the marks.
    public internal(set) var remarks: [String] = []
    /// What the datapath does, in order: `vethA`, `push_vlan(vid=10,pcp=0)`, `drop`.
    public internal(set) var actions: [String] = []
    /// Why the translation failed; nil where it did not.
    public internal(set) var failure: String?
  }
  /// A look into one table.
  public struct Table: Hashable, Sendable {
    /// 0…254.
    public let number: Int
    /// `in_port=vethA, priority 90`, `priority 0`, `No match.`
    public let rule: String
    /// The lines of its actions, as they stand.
    public internal(set) var actions: [String] = []

    /// Whether no rule of the table took the frame.
    public var isMiss: Bool { rule.hasPrefix("No match") }
  }

  /// In the order in which the frame meets them; none for a text that is no trace.
  public let blocks: [Block]

  /// Reads the text. Lines that mean nothing here are passed over.
  public init(_ text: String) {
    var blocks: [Block] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: true) {
      let content = line.drop { $0 == " " }
      if content.hasPrefix("Flow: ") {
        blocks.append(Block())
        continue
      }
      guard let index = blocks.indices.last else { continue }
      Self.read(content, indentation: line.count - content.count, into: &blocks[index])
    }
    self.blocks = blocks
  }

  private static func read(_ content: Substring, indentation: Int, into block: inout Block) {
    if let rest = content.suffix(after: "bridge(\"") {
      block.bridges.append(String(rest.prefix { $0 != "\"" }))
    } else if let rest = content.suffix(after: "Datapath actions: ") {
      block.actions = elements(of: rest)
    } else if let rest = content.suffix(after: "Translation failed (") {
      block.failure = String(rest.prefix { $0 != ")" })
    } else if let remark = remark(content) {
      block.remarks.append(remark)
    } else if indentation <= 2, let table = table(content) {
      block.tables.append(table)
    } else if indentation >= 4, let last = block.tables.indices.last {
      block.tables[last].actions.append(String(content))
    }
  }

  /// ` 0. in_port=vethA, priority 90`
  private static func table(_ content: Substring) -> Table? {
    let digits = content.prefix { ("0"..."9").contains($0) }
    let rest = content.dropFirst(digits.count)
    guard let number = Int(digits), rest.hasPrefix(". ") else { return nil }
    return Table(number: number, rule: String(rest.dropFirst(2)))
  }

  /// `>>>> dropping VLAN 5 tagged packet … <<<<`
  private static func remark(_ content: Substring) -> String? {
    var rest = content
    if rest.hasPrefix("->") {
      rest = rest.dropFirst(2)
    } else {
      guard rest.hasPrefix(">") else { return nil }
      rest = rest.drop { $0 == ">" }
    }
    while rest.last == "<" { rest.removeLast() }
    rest = rest.drop { $0 == " " }
    while rest.last == " " { rest.removeLast() }
    return String(rest)
  }

  /// The elements of a list, split at commas that are in no parentheses.
  static func elements(of list: Substring) -> [String] {
    var elements: [String] = []
    var element = ""
    var depth = 0
    for character in list {
      switch character {
      case "(": depth += 1
      case ")": depth -= 1
      case "," where depth <= 0:
        elements.append(element)
        element = ""
        continue
      default: break
      }
      element.append(character)
    }
    return element.isEmpty ? elements : elements + [element]
  }
}

extension FlowTrace {
  /// Actions of the datapath that have no arguments and send nothing (ovs-actions(7)).
  private static let withoutOutput: Set<String> = [
    "drop", "ct", "ct_clear", "pop_eth", "pop_nsh", "dec_ttl",
  ]

  /// The links that the frame leaves by, each with the VLAN tag that it has there; nil without one.
  ///
  /// Names are as Open vSwitch writes them, without quotation marks.
  public var outputs: [Output] {
    var outputs: [Output] = []
    for block in blocks {
      var tags: [UInt16] = []
      for action in block.actions {
        if let rest = action[...].suffix(after: "push_vlan(") {
          let fields = rest.dropLast().split(separator: ",")
          let tag = fields.lazy.compactMap { $0.suffix(after: "vid=") }.first
          tags.append(tag.flatMap { UInt16($0) } ?? 0)
        } else if action == "pop_vlan" {
          _ = tags.popLast()
        } else if !action.contains("("), !Self.withoutOutput.contains(action) {
          outputs.append(Output(link: action.unquoted, tag: tags.last))
        }
      }
    }
    return outputs
  }

  /// A link that a frame leaves by.
  public struct Output: Hashable, Sendable {
    /// Its name.
    public let link: String
    /// The outermost VLAN tag that Open vSwitch gave it; nil where it gave none.
    public let tag: UInt16?
  }

  /// What Open vSwitch remarks, of all blocks.
  public var remarks: [String] { blocks.flatMap { $0.remarks } }

  /// The look into a table that decides: the last of the last block.
  public var lastTable: Table? { blocks.last?.tables.last }
}

extension Substring {
  /// What follows `prefix`; nil without it.
  func suffix(after prefix: String) -> Substring? {
    hasPrefix(prefix) ? dropFirst(prefix.count) : nil
  }
}

extension String {
  /// Without the quotation marks around a name with odd characters.
  var unquoted: String {
    guard count > 1, first == "\"", last == "\"" else { return self }
    return String(dropFirst().dropLast())
  }
}
