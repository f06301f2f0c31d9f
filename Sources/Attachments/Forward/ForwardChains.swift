internal import Addresses
internal import Linux
internal import Netlink
internal import PluginCore

/// The chains by which firewalls of this host drop what it forwards, as those of Docker and ufw do:
/// an accept in a table of one's own does not help against a drop in another.
///
/// They get three rules for each gateway: what comes in by it may pass, and what goes out by it if
/// it answers or is published. The gateway's name is in their comments, by which they are found
/// again. They are such as iptables-nft(8) writes, because it refuses to list a table with anything
/// else.
struct ForwardChains {
  /// The name of the gateway's link.
  let gateway: String

  private var attempt: String { "cannot let traffic of gateway \"\(gateway)\" pass the firewall" }

  static func chain(_ family: IPAddress.Family) -> ForeignChain {
    ForeignChain(family == .v4 ? .ip : .ip6, "filter", "FORWARD")
  }

  private static let prefix = "patchbay: forward "
  static let answersComment = prefix + "answers to "
  static let publishedComment = prefix + "published to "

  private var rules: [FilterRule] {
    let accept: [FilterExpression] = [.verdict(.accept)]
    let output = FilterExpression.outputName(gateway)
    return [
      FilterRule(
        FilterExpression.inputName(gateway) + accept, comment: "\(Self.prefix)from \(gateway)"),
      FilterRule(
        output + FilterExpression.answers + accept, comment: Self.answersComment + gateway),
      FilterRule(
        output + FilterExpression.isPublished + accept,
        comment: Self.publishedComment + gateway),
    ]
  }
  private var comments: [String] { rules.compactMap { $0.comment } }

  /// The rules that a chain lacks which may drop what is forwarded. One without policy and without
  /// rules of others lets everything pass.
  private func missing(in content: ForeignChain.Content) -> [FilterRule] {
    guard content.drops || content.rules.contains(where: { !$0.comment.hasPrefix(Self.prefix) })
    else {
      return []
    }
    return rules.filter { rule in
      !content.rules.contains { $0.comment == rule.comment }
    }
  }

  /// Puts the rules into the chains that there are; returns those that lacked some.
  ///
  /// A kernel that does not know the rules of iptables-nft(8) has no chains of it: that is logged.
  func open(_ families: Set<IPAddress.Family>, _ log: Log? = nil, until deadline: Deadline)
    throws(AttachmentError) -> [ForeignChain]
  {
    var opened: [ForeignChain] = []
    do throws(FilterError) {
      let socket = try NetfilterSocket()
      for family in families.sorted() {
        let chain = Self.chain(family)
        guard let content = try socket.content(of: chain, until: deadline) else { continue }
        let missing = missing(in: content)
        if missing.isEmpty { continue }
        do throws(FilterError) {
          try socket.insert(missing, into: chain, until: deadline)
          opened.append(chain)
        } catch {
          guard error.isRefusal else { throw error }
          log?.write(.warning, "\(attempt): chain \(chain): \(error)")
        }
      }
    } catch { throw AttachmentError(error, attempt) }
    return opened
  }

  /// Takes the rules away; returns of which families there were some.
  func close(until deadline: Deadline) throws(AttachmentError) -> Set<IPAddress.Family> {
    var closed: Set<IPAddress.Family> = []
    do throws(FilterError) {
      let socket = try NetfilterSocket()
      let comments = comments
      for family in [IPAddress.Family.v4, .v6] {
        let chain = Self.chain(family)
        while let content = try socket.content(of: chain, until: deadline) {
          let ours = content.rules.filter { comments.contains($0.comment) }.map { $0.handle }
          if ours.isEmpty { break }
          closed.insert(family)
          do throws(FilterError) { try socket.delete(ours, in: chain, until: deadline) } catch {
            // Another program may have deleted one of them.
            if error.errno != .noSuchFileOrDirectory || deadline.hasPassed { throw error }
          }
        }
      }
    } catch { throw AttachmentError(error, attempt) }
    return closed
  }

  /// The chains that drop by their policy and lack the rules. Of others it is not known what they
  /// drop: a later plugin of the chain, such as `firewall`, may have made them for its own rules.
  func closedChains(_ families: Set<IPAddress.Family>, until deadline: Deadline)
    throws(FilterError) -> [ForeignChain]
  {
    let socket = try NetfilterSocket()
    var chains: [ForeignChain] = []
    for family in families.sorted() {
      let chain = Self.chain(family)
      guard let content = try socket.content(of: chain, until: deadline) else { continue }
      if content.drops, !missing(in: content).isEmpty { chains.append(chain) }
    }
    return chains
  }

  /// Whether there are rules for the gateway.
  func areOpen(until deadline: Deadline) throws(FilterError) -> Bool {
    let socket = try NetfilterSocket()
    let comments = comments
    for family in [IPAddress.Family.v4, .v6] {
      let content = try socket.content(of: Self.chain(family), until: deadline)
      if content?.rules.contains(where: { comments.contains($0.comment) }) ?? false { return true }
    }
    return false
  }
}
