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

  /// Whether a chain filters what arrives by a link (`netdev` family, hook `ingress`).
  var ingressChains: [Chain] { chains.filter { $0.hook?.name == "ingress" } }
}

/// A packet as rules see it.
struct RulePacket {
  var input: String?
  var output: String?
  let source: IPAddress
  let destination: IPAddress
  let traffic: TraceQuestion.Traffic
  /// Whether it is the answer to one that went through.
  var isReply = false

  /// The answer to it.
  var reply: RulePacket {
    RulePacket(
      input: output, output: input, source: destination, destination: source, traffic: traffic,
      isReply: true)
  }
}

/// What rules make of a packet.
enum RuleVerdict: Hashable {
  case accepted
  /// By a rule with this handle, or by the chain's policy where it is nil.
  case dropped(chain: String, handle: Int64?)
  /// A rule that cannot be read decides.
  case undecided(chain: String, handle: Int64)
}

extension RulesetReading {
  /// What the chains at `hook` make of `packet`: it passes if each of them lets it.
  func verdict(at hook: String, _ packet: RulePacket) -> RuleVerdict {
    var doubt: RuleVerdict?
    for chain in chains(at: hook, packet.destination.family) {
      switch decide(chain, packet, depth: 0) {
      case .dropped(let chain, let handle): return doubt ?? .dropped(chain: chain, handle: handle)
      case .undecided(let chain, let handle):
        doubt = doubt ?? .undecided(chain: chain, handle: handle)
      case .accepted, nil: continue
      }
    }
    return doubt ?? .accepted
  }

  /// Nil where the chain's end is reached and it has no policy.
  private func decide(_ chain: Chain, _ packet: RulePacket, depth: Int) -> RuleVerdict? {
    guard depth < 16 else { return nil }
    var unread: RuleVerdict?
    for rule in chain.rules {
      let (matches, verdict) = RuleEvaluation.evaluate(rule.expressions, packet)
      guard matches != false, let verdict else { continue }
      var outcome: RuleVerdict?
      switch verdict {
      case .accept: outcome = .accepted
      case .drop: outcome = .dropped(chain: chain.title, handle: rule.handle)
      case .leave: outcome = nil
      case .jump(let name), .goto(let name):
        outcome = self.chain(name, beside: chain).flatMap {
          decide($0, packet, depth: depth + 1)
        }
        if case .jump = verdict, outcome == nil { continue }
      case .unreadable: outcome = .undecided(chain: chain.title, handle: rule.handle)
      }
      guard matches == true else {
        // Whether the rule matches is not known: it matters only where it would change the outcome.
        unread = unread ?? .undecided(chain: chain.title, handle: rule.handle)
        continue
      }
      guard let outcome else { break }
      return merge(unread, outcome)
    }
    guard let hook = chain.hook else { return unread }
    return merge(unread, hook.drops ? .dropped(chain: chain.title, handle: nil) : .accepted)
  }

  /// A rule that may have matched before is a doubt.
  private func merge(_ unread: RuleVerdict?, _ outcome: RuleVerdict) -> RuleVerdict {
    unread ?? outcome
  }
}
