public import CNI
internal import JSON
internal import Linux

/// An attachment that GC removes by DEL.
public struct StaleAttachment: Hashable, Sendable {
  /// What DEL is run with; without a sandbox where that is gone.
  public var parameters: AttachmentParameters
  /// Why, as `/run/netns/ns1 is gone`; empty where it is not one of those that are said to be
  /// valid.
  public var reason: String

  /// An attachment, and why it is stale.
  public init(_ parameters: AttachmentParameters, reason: String) {
    self.parameters = parameters
    self.reason = reason
  }

  /// `web/eth0`
  public var description: String {
    "\(parameters.attachment.containerID)/\(parameters.attachment.interfaceName)"
  }
}

/// Finds attachments that are stale, while GC has the network to itself.
public protocol StaleAttachmentSource {
  /// All that there are now.
  func all() throws(RuntimeError) -> [StaleAttachment]
  /// Whether `attachment` is still one of them: other runtimes do not know of GC's turn.
  func stillHas(_ attachment: StaleAttachment) -> Bool
}

/// Those of which a result is kept, and of which the sandbox is gone, or that are not valid.
public struct StaleResults: StaleAttachmentSource {
  private let cache: ResultCache
  private let network: String
  private let valid: [Attachment]?

  /// - Parameter valid: Nil: those whose sandbox is gone are stale.
  public init(_ cache: ResultCache, _ network: String, valid: [Attachment]?) {
    self.cache = cache
    self.network = network
    self.valid = valid
  }

  /// All that there are now.
  public func all() throws(RuntimeError) -> [StaleAttachment] {
    do throws(SystemError) {
      return try cache.entries().filter { $0.network == network }.compactMap { stale($0) }
    } catch { throw .unreadableCache(error) }
  }

  /// Whether what is kept of it still says so.
  public func stillHas(_ attachment: StaleAttachment) -> Bool {
    guard let entry = try? cache.entry(network, attachment.parameters.attachment) else {
      return false
    }
    return stale(entry) == attachment
  }

  private func stale(_ entry: CachedAttachment) -> StaleAttachment? {
    let isGone = entry.sandboxIsGone
    if let valid {
      guard !valid.contains(entry.attachment) else { return nil }
    } else if !isGone {
      return nil
    }
    var parameters = AttachmentParameters(entry)
    // Its path may lead to another's sandbox by now.
    if isGone { parameters.sandboxPath = "" }
    return StaleAttachment(
      parameters, reason: isGone ? "\(entry.knownSandboxPath) is gone" : "")
  }
}

extension Runtime {
  /// Removes the attachments that `source` finds, then lets every plugin free what belongs to no
  /// valid attachment. Returns the attachments that it removed, and what failed; the rest was done.
  ///
  /// Meanwhile no other command of this project's runtimes attaches to the network or detaches.
  ///
  /// With `disableGC` no plugin is run for GC, and nothing is removed for not being valid; what has
  /// no sandbox is.
  ///
  /// - Parameter valid: The attachments that are valid, of all runtimes that use the network: what
  ///   the plugins have of any other is freed. Nil: the plugins are told of none, so that they free
  ///   nothing.
  @discardableResult
  public func gc(
    _ list: NetworkList, valid: [Attachment]?, _ source: some StaleAttachmentSource
  ) throws(RuntimeError) -> (removed: [StaleAttachment], failures: [RuntimeError]) {
    if list.isGCDisabled, valid != nil { return ([], []) }
    let turn = try RuntimeTurn.OnNetwork(list.name, until: .after(timeout))
    var removed: [StaleAttachment] = []
    var errors: [RuntimeError] = []
    for stale in try source.all() where source.stillHas(stale) {
      do throws(RuntimeError) {
        try detach(list, stale.parameters)
        removed.append(stale)
      } catch { errors.append(error) }
    }
    if list.has(.gc), !list.isGCDisabled {
      let attachments = valid.map { JSONValue.array($0.map { $0.json }) }
      // The second is what the specification's text called it at first.
      let members = [
        ("cni.dev/valid-attachments", attachments), ("cni.dev/attachments", attachments),
      ]
      for plugin in list.plugins {
        do throws(RuntimeError) { _ = try run(.gc, plugin, of: list, nil, members) } catch {
          errors.append(error)
        }
      }
    }
    turn.end()
    return (removed, errors)
  }

  /// The same, of the attachments of which a result is kept.
  @discardableResult
  public func gc(_ list: NetworkList, valid: [Attachment]?) throws(RuntimeError)
    -> (removed: [StaleAttachment], failures: [RuntimeError])
  {
    try gc(list, valid: valid, StaleResults(cache, list.name, valid: valid))
  }

  /// Asks every plugin whether ADD could succeed now; the first that says no ends it.
  public func status(_ list: NetworkList) throws(RuntimeError) {
    guard list.has(.status) else { throw .unsupported(.status, version: list.version) }
    for plugin in list.plugins { _ = try run(.status, plugin, of: list, nil, []) }
  }
}

extension CachedAttachment {
  /// Whether the sandbox's path leads to no network namespace any more. One that cannot be looked
  /// at, or whose path is not known, is not gone.
  public var sandboxIsGone: Bool {
    Sandbox.isGone(knownSandboxPath, without: attachment.interfaceName)
  }
}

/// The sandbox of an attachment, by its path.
public enum Sandbox {
  /// Whether `path` leads to no network namespace any more. One that cannot be looked at, or that
  /// is not known, is not gone.
  ///
  /// A path with a process ID may lead to another process's namespace, when the ID is used again:
  /// to our own, or to one without the interface.
  public static func isGone(_ path: String, without interfaceName: String) -> Bool {
    guard !path.isEmpty else { return false }
    do throws(SystemError) {
      let sandbox = try NetworkNamespace(path: path)
      guard isOfProcess(path) else { return false }
      let isOurs = try sandbox.isCurrent()
      return isOurs || !hasLink(interfaceName, in: sandbox)
    } catch {
      return [.noSuchFileOrDirectory, .notADirectory, .noSuchProcess, .invalidArgument]
        .contains(error.errno)
    }
  }

  /// Whether `path` has a process ID, which another process may have later.
  static func isOfProcess(_ path: String) -> Bool {
    let parts = path.split(separator: "/")
    return parts.first == "proc" && parts.count > 1 && Int32(parts[1]) != nil
  }
}
