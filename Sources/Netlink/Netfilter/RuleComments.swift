internal import CLinux
public import Linux

// Of linux/netfilter/nf_tables.h, what costs the same however many rules there are elsewhere: nft(8)
// reads all elements of a table before it lists one chain.

/// `NFTA_TABLE_…`
enum FirewallTableSpace {}
/// `NFTA_CHAIN_…`
enum FirewallChainSpace {}
/// `NFTA_RULE_…`
enum FirewallRuleSpace {}

extension Attribute where Space == FirewallTableSpace, Value == String {
  static var name: Self { .init(NFTA_TABLE_NAME.rawValue, "NFTA_TABLE_NAME") }
}
extension Attribute where Space == FirewallTableSpace, Value == BigEndian<UInt32> {
  /// How many chains, sets, maps and objects it has.
  static var use: Self { .init(NFTA_TABLE_USE.rawValue, "NFTA_TABLE_USE") }
}
extension Attribute where Space == FirewallChainSpace, Value == String {
  static var table: Self { .init(NFTA_CHAIN_TABLE.rawValue, "NFTA_CHAIN_TABLE") }
  static var name: Self { .init(NFTA_CHAIN_NAME.rawValue, "NFTA_CHAIN_NAME") }
}
extension Attribute where Space == FirewallChainSpace, Value == BigEndian<UInt32> {
  /// How many rules it has, and how many rules and elements lead to it.
  static var use: Self { .init(NFTA_CHAIN_USE.rawValue, "NFTA_CHAIN_USE") }
}
extension Attribute where Space == FirewallRuleSpace, Value == String {
  static var table: Self { .init(NFTA_RULE_TABLE.rawValue, "NFTA_RULE_TABLE") }
  static var chain: Self { .init(NFTA_RULE_CHAIN.rawValue, "NFTA_RULE_CHAIN") }
}
extension Attribute where Space == FirewallRuleSpace, Value == RawAttribute {
  static var userData: Self { .init(NFTA_RULE_USERDATA.rawValue, "NFTA_RULE_USERDATA") }
}

extension FirewallSocket {
  private static func message(_ message: nf_tables_msg_types) -> NetfilterMessage {
    NetfilterMessage(NFNL_SUBSYS_NFTABLES, message.rawValue)
  }
  /// `NFPROTO_INET` of linux/netfilter.h, which cannot be included together with netinet/in.h.
  private static let family: UInt8 = 1

  /// The comments of the rules of a chain of a table of the family `inet`, in their order; none
  /// where there is no such chain.
  public func comments(ofRulesIn chain: String, table: String, until deadline: Deadline)
    throws(NetfilterError) -> [String]
  {
    var writer = AttributeWriter<FirewallRuleSpace>()
    writer.put(.table, table)
    writer.put(.chain, chain)
    let request = NetfilterRequest.listRules(chain: chain, table: table)
    var comments = RuleComments()
    do throws(NetfilterError) {
      try ask(
        request, Self.message(NFT_MSG_GETRULE), flags: NLM_F_DUMP, family: Self.family, writer,
        answer: Self.message(NFT_MSG_NEWRULE), &comments, until: deadline)
    } catch {
      if error.errno == .noSuchFileOrDirectory { return [] }
      throw error
    }
    return comments.texts
  }

  /// How many rules a chain of a table of the family `inet` has, and how many rules and elements
  /// lead to it, together; nil where there is no such chain.
  public func uses(ofChain chain: String, table: String, until deadline: Deadline)
    throws(NetfilterError) -> UInt32?
  {
    var writer = AttributeWriter<FirewallChainSpace>()
    writer.put(.table, table)
    writer.put(.name, chain)
    let request = NetfilterRequest.readChain(chain, table: table)
    do throws(NetfilterError) {
      var answer = WholeAnswer()
      try ask(
        request, Self.message(NFT_MSG_GETCHAIN), flags: 0, family: Self.family, writer,
        answer: Self.message(NFT_MSG_NEWCHAIN), &answer, until: deadline)
      return try Self.use(answer, Attribute<FirewallChainSpace, BigEndian<UInt32>>.use, request)
    } catch {
      if error.errno == .noSuchFileOrDirectory { return nil }
      throw error
    }
  }

  /// How many chains, sets and maps a table of the family `inet` has; nil where there is none.
  public func uses(ofTable table: String, until deadline: Deadline) throws(NetfilterError)
    -> UInt32?
  {
    var writer = AttributeWriter<FirewallTableSpace>()
    writer.put(.name, table)
    let request = NetfilterRequest.readTable(table)
    do throws(NetfilterError) {
      var answer = WholeAnswer()
      try ask(
        request, Self.message(NFT_MSG_GETTABLE), flags: 0, family: Self.family, writer,
        answer: Self.message(NFT_MSG_NEWTABLE), &answer, until: deadline)
      return try Self.use(answer, Attribute<FirewallTableSpace, BigEndian<UInt32>>.use, request)
    } catch {
      if error.errno == .noSuchFileOrDirectory { return nil }
      throw error
    }
  }

  private static func use<Space>(
    _ answer: WholeAnswer, _ key: Attribute<Space, BigEndian<UInt32>>,
    _ request: NetfilterRequest
  ) throws(NetfilterError) -> UInt32 {
    do throws(NetlinkError) {
      guard let body = answer.bodies.first, let use = try Attributes<Space>(body)[key] else {
        return 0
      }
      return use.number
    } catch { throw .malformed(request, error) }
  }
}

/// The comments of rules.
private struct RuleComments: NetfilterReader {
  private(set) var texts: [String] = []

  mutating func read(_ body: ArraySlice<UInt8>) throws(NetlinkError) {
    let attributes = try Attributes<FirewallRuleSpace>(body)
    guard let data = try attributes[.userData], let text = Self.comment(data.bytes) else { return }
    texts.append(text)
  }
  mutating func startAgain() { texts = [] }

  /// `NFTNL_UDATA_RULE_COMMENT` of libnftnl/udata.h: a type, a length, and a text with a zero at its
  /// end.
  private static func comment(_ userData: [UInt8]) -> String? {
    var rest = userData[...]
    while let type = rest.first, let length = rest.dropFirst().first {
      let value = rest.dropFirst(2).prefix(Int(length))
      guard value.count == Int(length) else { return nil }
      if type == 0 { return String(decoding: value.prefix { $0 != 0 }, as: UTF8.self) }
      rest = rest.dropFirst(2 + Int(length))
    }
    return nil
  }
}
