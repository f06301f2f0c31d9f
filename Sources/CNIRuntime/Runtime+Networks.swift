public import CNI
internal import JSON
internal import Linux

extension Runtime {
  /// Removes attachments of which a result is kept and that are not valid, then lets every plugin
  /// free what belongs to no valid attachment. Answers the attachments that it removed, and what
  /// failed; the rest was done.
  ///
  /// - Parameter valid: The attachments that are valid, of all runtimes that use the network: what
  ///   the plugins have of any other is freed. Nil: those whose sandbox is gone are not valid, and
  ///   the plugins are told of none, so that they free nothing.
  @discardableResult
  public func gc(_ list: NetworkList, valid: [Attachment]?) throws(RuntimeError)
    -> (removed: [CachedAttachment], failures: [RuntimeError])
  {
    if list.isGCDisabled { return ([], []) }
    var removed: [CachedAttachment] = []
    var errors: [RuntimeError] = []
    for cached in try stale(list.name, valid: valid) {
      do throws(RuntimeError) {
        var parameters = AttachmentParameters(cached)
        // Its path may lead to another's sandbox by now.
        if cached.sandboxIsGone { parameters.sandboxPath = "" }
        try del(list, parameters)
        removed.append(cached)
      } catch { errors.append(error) }
    }
    if list.has(.gc) {
      let attachments = valid.map { JSONValue.array($0.map(\.json)) }
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
    return (removed, errors)
  }

  /// The attachments of `network` of which a result is kept and that `gc` would remove.
  public func stale(_ network: String, valid: [Attachment]?) throws(RuntimeError)
    -> [CachedAttachment]
  {
    do throws(SystemError) {
      return try cache.entries().filter { entry in
        guard entry.network == network else { return false }
        if let valid { return !valid.contains(entry.attachment) }
        return entry.sandboxIsGone
      }
    } catch { throw .unreadableCache(error) }
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
  ///
  /// A path with a process ID may lead to another process's namespace, when the ID is used again:
  /// to our own, or to one without the interface.
  public var sandboxIsGone: Bool {
    let path = knownSandboxPath
    guard !path.isEmpty else { return false }
    do throws(SystemError) {
      let sandbox = try NetworkNamespace(path: path)
      let words = path.split(separator: "/")
      guard words.first == "proc", words.count > 1, Int32(words[1]) != nil else { return false }
      let isOurs = try sandbox.isSame(as: .current())
      return isOurs || !hasLink(attachment.interfaceName, in: sandbox)
    } catch {
      return [.noSuchFileOrDirectory, .notADirectory, .noSuchProcess, .invalidArgument]
        .contains(error.errno)
    }
  }
}
