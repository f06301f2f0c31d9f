import Addresses
import Attachments
import JSON
import Linux
import Nftables

/// The rules of nftables in one network namespace, as far as they decide what becomes of packets.
struct RulesetReading {
  struct Chain {
    let family: String
    let table: String
    let name: String
    /// Nil for a chain that others jump to.
    let hook: Hook?
    var rules: [Rule] = []

    /// `nft ip filter FORWARD`
    var title: String { "nft \(family) \(table) \(name)" }
  }
  struct Hook {
    let name: String
    let priority: Int64
    let type: String
    let drops: Bool
  }
  struct Rule {
    let handle: Int64
    let expressions: [JSONValue]
  }

  private(set) var chains: [Chain] = []
  /// Whether iptables-legacy has tables here, whose rules nftables does not show.
  let hasLegacyTables: Bool

  init(items: [JSONValue], hasLegacyTables: Bool = false) {
    self.hasLegacyTables = hasLegacyTables
    for item in items {
      if let chain = item["chain"], let family = chain["family"]?.text,
        let table = chain["table"]?.text, let name = chain["name"]?.text
      {
        var hook: Hook?
        if let point = chain["hook"]?.text {
          hook = Hook(
            name: point, priority: chain["prio"]?.integer ?? 0, type: chain["type"]?.text ?? "",
            drops: chain["policy"]?.text == "drop")
        }
        chains.append(Chain(family: family, table: table, name: name, hook: hook))
      } else if let rule = item["rule"], let family = rule["family"]?.text,
        let table = rule["table"]?.text, let name = rule["chain"]?.text,
        let index = chains.firstIndex(where: {
          $0.family == family && $0.table == table && $0.name == name
        })
      {
        let expressions = Self.expressions(
          rule["expr"]?.array ?? [], comment: rule["comment"]?.text ?? "")
        guard let expressions else { continue }
        chains[index].rules.append(
          Rule(handle: rule["handle"]?.integer ?? 0, expressions: expressions))
      }
    }
  }

  /// What a rule says. In chains of iptables-nft(8) nft(8) shows matches without their content: of
  /// our own rules there it is known. Nil for one that is about packets that were sent elsewhere
  /// than they were addressed to, which none is that is looked at here.
  private static func expressions(_ expressions: [JSONValue], comment: String) -> [JSONValue]? {
    if comment.hasPrefix(Forward.publishedComment) { return nil }
    guard comment.hasPrefix(Forward.answersComment) else { return expressions }
    return expressions.map { expression in
      guard expression["xt"] != nil else { return expression }
      return [
        "match": [
          "op": "in", "left": ["ct": ["key": "state"]], "right": ["established", "related"],
        ]
      ]
    }
  }

  /// Reads the rules of the namespace at `path`; of this one where it is nil.
  init(of path: String?, until deadline: Deadline) throws {
    let home = try NetworkNamespace.current()
    if let path { try NetworkNamespace(path: path).enter() }
    let items: Result<[JSONValue], FirewallError>
    do throws(FirewallError) {
      items = .success(try Firewall.ruleset(until: deadline))
    } catch { items = .failure(error) }
    let legacy = try? FileDescriptor.open("/proc/thread-self/net/ip_tables_names", .readOnly)
      .read(limit: 4096)
    if path != nil { try home.enter() }
    self.init(items: try items.get(), hasLegacyTables: legacy?.isEmpty == false)
  }

  /// The base chains that packets of `family` meet at `hook`, in their order.
  func chains(at hook: String, _ family: IPAddress.Family) -> [Chain] {
    let families = ["inet", family == .v4 ? "ip" : "ip6"]
    return chains.filter {
      $0.hook?.name == hook && $0.hook?.type != "nat" && families.contains($0.family)
    }.sorted { ($0.hook?.priority ?? 0) < ($1.hook?.priority ?? 0) }
  }

  /// The same without the chains of these titles.
  func omitting(_ titles: [String]) -> RulesetReading {
    var rest = self
    rest.chains.removeAll { titles.contains($0.title) }
    return rest
  }

  func chain(_ name: String, beside chain: Chain) -> Chain? {
    chains.first {
      $0.name == name && $0.table == chain.table && $0.family == chain.family
    }
  }

  /// Whether a rule anywhere gives packets that leave another source address; targets of iptables
  /// are not shown, so one of them may.
  var translatesSources: Bool {
    chains.contains { chain in
      chain.rules.contains { rule in
        rule.expressions.contains {
          $0["masquerade"] != nil || $0["snat"] != nil || $0["xt"]?["type"]?.text == "target"
        }
      }
    }
  }

  /// Whether a chain filters what arrives by a link (`netdev` family, hook `ingress`).
  var ingressChains: [Chain] { chains.filter { $0.hook?.name == "ingress" } }
}
