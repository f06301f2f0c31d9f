public import CNI
public import JSON
public import Linux

/// What a runtime keeps of an attachment between ADD and DEL.
public struct CachedAttachment: Hashable, Sendable {
  /// The network's name.
  public var network: String
  /// The attachment.
  public var attachment: Attachment
  /// The path of the sandbox, as it is kept since libcni 1.3; empty where it is not.
  public var sandboxPath: String
  /// `CNI_ARGS` of ADD.
  public var arguments: Arguments
  /// What was given for capabilities.
  public var capabilities: JSONObject
  /// The text of the network configuration list that ADD used; empty where it is not known.
  public var configuration: [UInt8]
  /// The result of the chain; nil where there is none.
  public var result: JSONValue?
}

/// Where results are kept, in the form and at the place that libcni has for them: what one runtime
/// has added, another can delete.
public struct ResultCache: Hashable, Sendable {
  /// Where libcni has it.
  public static let standard = ResultCache(directory: "/var/lib/cni")

  /// Results are in the directory `results` of this one.
  public let directory: String

  /// The cache in `directory`, which is made when there is something to keep.
  public init(directory: String) { self.directory = directory }

  /// The path of the directory of results.
  public var path: String { "\(directory)/results" }

  /// The file of `attachment` on `network`, which must be legal names.
  static func file(_ network: String, _ attachment: Attachment) -> String {
    "\(network)-\(attachment.containerID)-\(attachment.interfaceName)"
  }

  /// What is in a file.
  private enum Content {
    /// There is no such file.
    case nothing
    /// It says whose result it keeps.
    case entry(CachedAttachment)
    /// The result alone, as before there was a kind: only the name says whose it is.
    case result(JSONValue)
  }

  private func content(of name: String) throws(RuntimeError) -> Content {
    let bytes: [UInt8]
    do throws(SystemError) {
      guard let found = try Directory(path: path).read(name, limit: 16 << 20) else {
        return .nothing
      }
      bytes = found
    } catch {
      if error.errno == .noSuchFileOrDirectory { return .nothing }
      throw .unreadableCache(error)
    }
    let json: JSONCursor
    do throws(JSONSyntaxError) { json = JSONCursor(try JSONValue(parsing: bytes)) } catch {
      throw .brokenCache(file: "\(path)/\(name)", reason: error.description)
    }
    if let entry = CachedAttachment(json) { return .entry(entry) }
    guard let value = json.value, value.object != nil else {
      throw .brokenCache(file: "\(path)/\(name)", reason: "it is not an object")
    }
    guard json["kind"].value?.text != CachedAttachment.kind else {
      throw .brokenCache(file: "\(path)/\(name)", reason: "it does not say whose result it keeps")
    }
    return .result(value)
  }

  /// Refuses the file of `attachment` where it keeps another's result: the names of different
  /// attachments can be the same, as of `a-b` on network `c` and of `b` on network `c-a`.
  func requireFile(_ network: String, _ attachment: Attachment) throws(RuntimeError) {
    let name = Self.file(network, attachment)
    // What cannot be read is replaced, or that fails.
    guard case .entry(let entry)? = try? content(of: name), !entry.isOf(network, attachment) else {
      return
    }
    throw .fileTaken(file: "\(path)/\(name)", entry.attachment, network: entry.network)
  }

  /// Keeps `entry`, in place of what was kept of the attachment.
  ///
  /// The file appears with its content or not at all, also when power fails.
  public func store(_ entry: CachedAttachment) throws(SystemError) {
    try Directory.create(path: path, mode: 0o700)
      .replace(Self.file(entry.network, entry.attachment), with: entry.encoded())
  }

  /// What is kept of `attachment` on `network`; nil where nothing is.
  ///
  /// What the file says of itself decides whose it is, not its name.
  public func entry(_ network: String, _ attachment: Attachment) throws(RuntimeError)
    -> CachedAttachment?
  {
    switch try content(of: Self.file(network, attachment)) {
    case .nothing: return nil
    case .entry(let entry): return entry.isOf(network, attachment) ? entry : nil
    case .result(let result):
      return CachedAttachment(
        network: network, attachment: attachment, sandboxPath: "", arguments: Arguments(),
        capabilities: JSONObject(), configuration: [], result: result)
    }
  }

  /// Forgets `attachment`; false if nothing was kept of it. A file that is another's stays.
  @discardableResult
  public func remove(_ network: String, _ attachment: Attachment) throws(SystemError) -> Bool {
    let name = Self.file(network, attachment)
    if case .entry(let entry)? = try? content(of: name), !entry.isOf(network, attachment) {
      return false
    }
    do { return try Directory(path: path).remove(name) } catch {
      if error.errno == .noSuchFileOrDirectory { return false }
      throw error
    }
  }

  /// Why files cannot be read whose names are those of attachments to `network`, or to one whose
  /// name begins as this and a hyphen.
  public func faults(of network: String) -> [RuntimeError] {
    let names = (try? Directory(path: path).names()) ?? []
    var faults: [RuntimeError] = []
    for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    where name.hasPrefix("\(network)-") {
      do throws(RuntimeError) { _ = try content(of: name) } catch { faults.append(error) }
    }
    return faults
  }

  /// Everything that is kept, in the order of the files' names. Files that are not understood are
  /// passed over.
  public func entries() throws(SystemError) -> [CachedAttachment] {
    let names: [String]
    do { names = try Directory(path: path).names() } catch {
      if error.errno == .noSuchFileOrDirectory { return [] }
      throw error
    }
    let results = try Directory(path: path)
    var entries: [CachedAttachment] = []
    for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    where !name.hasPrefix(".") {
      guard let bytes = try? results.read(name, limit: 16 << 20),
        let json = try? JSONValue(parsing: bytes), let entry = CachedAttachment(JSONCursor(json))
      else { continue }
      entries.append(entry)
    }
    return entries
  }
}

extension CachedAttachment {
  /// The path of the sandbox, else that which the result has for the interface; empty where
  /// neither tells.
  public var knownSandboxPath: String {
    guard sandboxPath.isEmpty else { return sandboxPath }
    let interfaces = result?["interfaces"]?.array ?? []
    let own = interfaces.last { $0["name"]?.text == attachment.interfaceName }
    return own?["sandbox"]?.text ?? ""
  }

  static let kind = "cniCacheV1"

  /// Whether this is of `attachment` on `network`.
  func isOf(_ network: String, _ attachment: Attachment) -> Bool {
    self.network == network && self.attachment == attachment
  }

  /// Reads the form `cniCacheV1`; nil where `json` is not of it.
  init?(_ json: JSONCursor) {
    guard json["kind"].value?.text == Self.kind,
      let containerID = json["containerId"].value?.text,
      let interfaceName = json["ifName"].value?.text, !interfaceName.isEmpty,
      let network = json["networkName"].value?.text, !network.isEmpty
    else { return nil }
    self.network = network
    attachment = Attachment(containerID: containerID, interfaceName: interfaceName)
    sandboxPath = json["netns"].value?.text ?? ""
    arguments = Arguments(
      pairs: (json["cniArgs"].value?.array ?? []).compactMap { pair in
        guard let words = pair.array, let key = words.first?.text, words.count == 2,
          let value = words.last?.text
        else { return nil }
        return (key, value)
      })
    capabilities = json["capabilityArgs"].value?.object ?? JSONObject()
    configuration = json["config"].value?.text.flatMap { Base64.decode($0) } ?? []
    result = json["result"].value?.object.map { .object($0) }
  }

  /// The bytes that libcni writes: members of the entry in its order, those of maps sorted.
  func encoded() -> [UInt8] {
    func ifNotEmpty(_ object: JSONObject?) -> JSONValue? {
      object.flatMap { $0.isEmpty ? nil : JSONValue.object($0).asGoMap }
    }
    let pairs = arguments.pairs.map { JSONValue.array([.string($0.key), .string($0.value)]) }
    let entry = JSONValue.object([
      ("kind", .string(Self.kind)), ("containerId", .string(attachment.containerID)),
      ("config", .string(Base64.encode(configuration))),
      ("ifName", .string(attachment.interfaceName)), ("networkName", .string(network)),
      ("netns", sandboxPath.isEmpty ? nil : .string(sandboxPath)),
      ("cniArgs", pairs.isEmpty ? nil : .array(pairs)),
      ("capabilityArgs", ifNotEmpty(capabilities)), ("result", ifNotEmpty(result?.object)),
    ])
    return entry.goEncoded()
  }
}
