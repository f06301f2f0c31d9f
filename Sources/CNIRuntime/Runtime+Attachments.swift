public import CNI
public import JSON
internal import Linux
internal import PluginExecution

extension Runtime {
  /// Runs the chain of `list` in order, keeps its result and returns it.
  ///
  /// When a plugin fails, what the chain has made is taken back by DEL in reverse order; not so
  /// where the sandbox had an interface of that name before, which DEL might remove, nor by a
  /// plugin that refused because it found the attachment up.
  ///
  /// An attachment of which a result is kept and whose interface is there, in the sandbox that is
  /// named, is refused; another one, as after a reboot or a restart, is first removed.
  public func add(_ list: NetworkList, _ parameters: AttachmentParameters) throws(RuntimeError)
    -> JSONValue
  {
    try check(list, parameters)
    let turn = try RuntimeTurn.OnAttachment(
      list.name, parameters.attachment, until: .after(timeout))
    let result = try attach(list, parameters)
    turn.end()
    return result
  }

  private func attach(_ list: NetworkList, _ parameters: AttachmentParameters)
    throws(RuntimeError) -> JSONValue
  {
    let attachment = parameters.attachment
    try cache.requireFile(list.name, attachment)
    var hasRemains = false
    if let cached = try? cache.entry(list.name, attachment), attachment.interfaceName != "lo" {
      guard cached.result == nil || !isUp(cached, in: parameters.sandboxPath) else {
        throw .attached(attachment, network: list.name)
      }
      observe?(.removingRemains(cached))
      // What cannot be removed now is no reason not to try to make it again.
      var remains = AttachmentParameters(cached)
      // Its path may lead to another's sandbox by now.
      if cached.sandboxIsGone || Sandbox.isOfProcess(remains.sandboxPath) {
        remains.sandboxPath = ""
      }
      do throws(RuntimeError) { try detach(list, remains) } catch { hasRemains = true }
    }
    guard keepsBeforeADD else { return try runADD(list, parameters) }
    try keep(list, parameters, nil)
    do throws(RuntimeError) { return try runADD(list, parameters) } catch {
      // What is kept leads to what could not be taken back.
      if !hasRemains, !error.leavesRemains { _ = try? cache.remove(list.name, attachment) }
      throw error
    }
  }

  private func runADD(_ list: NetworkList, _ parameters: AttachmentParameters)
    throws(RuntimeError) -> JSONValue
  {
    let attachment = parameters.attachment
    let wasThere = hasLink(attachment.interfaceName, at: parameters.sandboxPath)
    var result: JSONValue?
    var ran: [PluginEntry] = []
    do throws(RuntimeError) {
      for plugin in list.plugins {
        ran.append(plugin)
        let output = try run(.add, plugin, of: list, parameters, [("prevResult", result)])
        result = try checked(output, of: plugin, list)
      }
      try keep(list, parameters, result)
      return result ?? .null
    } catch {
      if case .plugin(_, _, _, let failure) = error, !failure.isOfRun { ran.removeLast() }
      if error.isRefusalOfRepetition { ran.removeLast() }
      if ran.isEmpty { throw error }
      guard !wasThere else { throw .notRolledBack(error, interface: attachment.interfaceName) }
      let failures = runDEL(ran, of: list, parameters, result)
      let others = failures.filter { !$0.repeatsRefusal(of: error) }
      // That alone ran, and made nothing, or has undone it.
      if ran.count == 1, others.isEmpty { throw error }
      throw .rolledBack(error, failures: others)
    }
  }

  /// Lets every plugin of the chain compare the attachment with its kept result.
  public func check(attached list: NetworkList, _ parameters: AttachmentParameters)
    throws(RuntimeError)
  {
    try check(list, parameters)
    guard list.has(.check) else { throw .unsupported(.check, version: list.version) }
    if list.isCheckDisabled { return }
    let turn = try RuntimeTurn.OnAttachment(
      list.name, parameters.attachment, until: .after(timeout))
    guard let cached = try cache.entry(list.name, parameters.attachment),
      let result = cached.result(as: list.version)
    else { throw .notAttached(parameters.attachment, network: list.name, cache: cache.path) }
    for plugin in list.plugins {
      _ = try run(.check, plugin, of: list, parameters, [("prevResult", result)])
    }
    turn.end()
  }

  /// Runs ADD of the plugin `type` of `list` once more, with the chain's kept result, for an
  /// attachment that is there, and CHECK where there is one; false where the list has no such
  /// plugin, or the attachment is gone. Its result is the one that is kept already.
  public func repeatADD(of type: String, in list: NetworkList, _ entry: CachedAttachment)
    throws(RuntimeError) -> Bool
  {
    let parameters = AttachmentParameters(entry)
    let plugins = list.plugins.filter { $0.type == type }
    guard !plugins.isEmpty,
      hasLink(entry.attachment.interfaceName, at: parameters.sandboxPath)
    else { return false }
    guard let result = entry.result(as: list.version) else {
      // Its ADD has not come to its end.
      if entry.result == nil, keepsBeforeADD { return false }
      let file = ResultCache.file(list.name, entry.attachment)
      throw .brokenCache(
        file: "\(cache.path)/\(file)",
        reason: entry.result == nil
          ? "it has no result" : "its result cannot be read as version \(list.version)")
    }
    let turn = try RuntimeTurn.OnAttachment(
      list.name, parameters.attachment, until: .after(timeout))
    for plugin in plugins {
      _ = try run(.add, plugin, of: list, parameters, [("prevResult", result)])
      if list.has(.check), !list.isCheckDisabled {
        _ = try run(.check, plugin, of: list, parameters, [("prevResult", result)])
      }
    }
    turn.end()
    return true
  }

  /// Runs DEL of the chain in reverse order, and forgets the result where all of it succeeded.
  ///
  /// Every plugin is run, whatever became of those before it; nothing need be kept of the
  /// attachment.
  public func del(_ list: NetworkList, _ parameters: AttachmentParameters) throws(RuntimeError) {
    try check(list, parameters)
    let turn = try RuntimeTurn.OnAttachment(
      list.name, parameters.attachment, until: .after(timeout))
    try detach(list, parameters)
    turn.end()
  }

  /// Runs DEL for an attachment whose sandbox is gone, where `isStale` still says so in its turn;
  /// whether it did.
  public func remove(
    _ stale: StaleAttachment, of list: NetworkList, if isStale: (StaleAttachment) -> Bool
  ) throws(RuntimeError) -> Bool {
    try check(list, stale.parameters)
    let turn = try RuntimeTurn.OnAttachment(
      list.name, stale.parameters.attachment, until: .after(timeout))
    let isGone = isStale(stale)
    if isGone { try detach(list, stale.parameters) }
    turn.end()
    return isGone
  }

  /// The same, in a turn that the caller has.
  func detach(_ list: NetworkList, _ parameters: AttachmentParameters) throws(RuntimeError) {
    try check(list, parameters)
    let cached = try? cache.entry(list.name, parameters.attachment)
    let errors = runDEL(list.plugins, of: list, parameters, cached?.result(as: list.version))
    if let error = RuntimeError.joining(errors) { throw error }
    do throws(SystemError) { try cache.remove(list.name, parameters.attachment) } catch {
      throw .unreadableCache(error)
    }
  }

  /// Runs DEL of `plugins` in reverse order, and returns all that failed.
  private func runDEL(
    _ plugins: [PluginEntry], of list: NetworkList, _ parameters: AttachmentParameters,
    _ result: JSONValue?
  ) -> [RuntimeError] {
    // Like CHECK, a previous result of DEL came with 0.4.0.
    let members = [("prevResult", list.has(.check) ? result : nil)]
    var errors: [RuntimeError] = []
    for plugin in plugins.reversed() {
      do throws(RuntimeError) { _ = try run(.del, plugin, of: list, parameters, members) } catch {
        errors.append(error)
      }
    }
    return errors
  }

  /// The list that `attachment` was made with, for CHECK and DEL, and what is kept of it.
  ///
  /// It is the kept one, whatever the directory says today; that of the directory where nothing is
  /// kept.
  public func list(
    of network: String, attachedAs attachment: Attachment, in directory: ConfigurationDirectory
  ) throws(RuntimeError) -> (list: NetworkList, cached: CachedAttachment?) {
    do throws(CNIError) { try Names.checkNetworkName(network) } catch { throw .illegalName(error) }
    let cached = try? cache.entry(network, attachment)
    if let cached, let list = try? NetworkList(parsing: cached.configuration),
      list.name == network, let whole = try? directory.complete(list, "the kept configuration")
    {
      return (whole, cached)
    }
    return (try directory.network(network), cached)
  }

  private func check(_ list: NetworkList, _ parameters: AttachmentParameters)
    throws(RuntimeError)
  {
    do throws(CNIError) { try Names.checkNetworkName(list.name) } catch {
      throw .illegalName(error)
    }
    try parameters.check()
  }

  /// Whether the attachment has its interface in the very sandbox at `path`.
  private func isUp(_ cached: CachedAttachment, in path: String) -> Bool {
    guard hasLink(cached.attachment.interfaceName, at: cached.knownSandboxPath) else {
      return false
    }
    guard let kept = try? NetworkNamespace(path: cached.knownSandboxPath),
      let named = try? NetworkNamespace(path: path)
    else { return true }
    return kept.isSame(as: named)
  }

  /// Whether the network namespace at `path` has a link called `name`.
  private func hasLink(_ name: String, at path: String) -> Bool {
    guard let sandbox = try? NetworkNamespace(path: path) else { return false }
    return CNIRuntime.hasLink(name, in: sandbox)
  }

  /// `output` of ADD as the previous result of the next plugin: with its version, and of legal
  /// form.
  private func checked(_ output: JSONValue?, of plugin: PluginEntry, _ list: NetworkList)
    throws(RuntimeError) -> JSONValue
  {
    guard var object = (output ?? .object([])).object else {
      throw .noResult(type: plugin.type, name: plugin.name, reason: "it is not an object")
    }
    if object[PluginMember.cniVersion]?.text?.isEmpty ?? true {
      object[PluginMember.cniVersion] = .string(list.version)
    }
    let result = JSONValue.object(object)
    let version = SpecificationVersion(rawValue: list.version) ?? .v0_1_0
    do throws(JSONDecodingError) {
      _ = try AttachmentResult(JSONCursor(result), defaultVersion: version)
    } catch {
      throw .noResult(type: plugin.type, name: plugin.name, reason: error.description)
    }
    return result
  }

  private func keep(
    _ list: NetworkList, _ parameters: AttachmentParameters, _ result: JSONValue?
  ) throws(RuntimeError) {
    let entry = CachedAttachment(
      network: list.name, attachment: parameters.attachment,
      sandboxPath: parameters.sandboxPath, arguments: parameters.arguments,
      capabilities: parameters.capabilities, configuration: list.text, result: result)
    do throws(SystemError) { try cache.store(entry) } catch {
      throw .cache(network: list.name, error)
    }
  }
}

/// Whether `sandbox` has a link called `name`.
func hasLink(_ name: String, in sandbox: borrowing NetworkNamespace) -> Bool {
  guard let setting = try? sandbox.readSetting("ipv4/conf/\(name)/forwarding") else { return false }
  return !setting.isEmpty
}

extension CachedAttachment {
  /// The result in the form of `version`: the configuration may have changed meanwhile. Nil where
  /// there is none, or where it cannot be expressed.
  func result(as version: String) -> JSONValue? {
    guard let result else { return nil }
    let wanted = version.isEmpty ? .v0_1_0 : SpecificationVersion(rawValue: version)
    guard let wanted, result["cniVersion"]?.text != wanted.rawValue else { return result }
    guard let decoded = try? AttachmentResult(JSONCursor(result), defaultVersion: wanted) else {
      return nil
    }
    return try? decoded.json(wanted)
  }
}
