import Addresses

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
