internal import CNI
internal import Linux

/// A directory of network configurations, `/etc/cni/net.d` as a rule, read as libcni reads it.
///
/// Files are taken in the order of their names: lists (`.conflist`) first, then configurations of
/// one plugin (`.conf`, `.json`). The first of a name counts.
public struct ConfigurationDirectory: Hashable, Sendable {
  /// Where container runtimes look.
  public static let standard = ConfigurationDirectory(path: "/etc/cni/net.d")

  /// Its path.
  public let path: String

  /// The directory at `path`, which need not be there.
  public init(path: String) { self.path = path }

  /// The list of the network `name`.
  ///
  /// A file that cannot be used and comes before it ends the search, as with libcni: it might have
  /// been the one.
  public func network(_ name: String) throws(RuntimeError) -> NetworkList {
    do throws(CNIError) { try Names.checkNetworkName(name) } catch { throw .illegalName(error) }
    var others: [String] = []
    let lists = try files([".conflist"])
    let singles = try files([".conf", ".json"])
    guard !lists.isEmpty || !singles.isEmpty else { throw .noNetworks(directory: path) }
    for file in lists + singles {
      let list = try read(file)
      if list.name == name { return list }
      if !others.contains(list.name) { others.append(list.name) }
    }
    throw .noSuchNetwork(name, directory: path, others: others)
  }

  /// Every file, and the list in it or why there is none, in the order in which they are searched.
  public func contents() throws(RuntimeError) -> [(
    file: String, list: Result<NetworkList, RuntimeError>
  )] {
    var contents: [(file: String, list: Result<NetworkList, RuntimeError>)] = []
    for file in try files([".conflist"]) + files([".conf", ".json"]) {
      do throws(RuntimeError) { contents.append((file, .success(try read(file)))) } catch {
        contents.append((file, .failure(error)))
      }
    }
    return contents
  }

  /// The list in the file at `file`, with the plugins of the directory named as its network; of one
  /// plugin, if its name does not end in `.conflist`.
  public func read(_ file: String) throws(RuntimeError) -> NetworkList {
    let bytes = try content(of: file)
    let isList = file.hasSuffix(".conflist")
    let list: NetworkList
    do throws(ListError) {
      list = try isList ? NetworkList(parsing: bytes) : NetworkList(parsingSingle: bytes)
    } catch { throw .configuration(file: file, reason: error.description) }
    return isList ? try complete(list, file) : list
  }

  /// `list`, which was in `file`, with the plugins of the files in the directory named as it.
  func complete(_ list: NetworkList, _ file: String) throws(RuntimeError) -> NetworkList {
    var list = list
    if !list.hasOnlyInlinedPlugins, (try? Names.checkNetworkName(list.name)) != nil {
      let folder = ConfigurationDirectory(path: "\(path)/\(list.name)")
      for plugin in try folder.files([".conf"]) {
        let bytes = try content(of: plugin)
        do throws(ListError) { list.plugins.append(try PluginEntry(parsing: bytes)) } catch {
          throw .configuration(file: plugin, reason: error.description)
        }
      }
    }
    guard !list.plugins.isEmpty else {
      throw .configuration(file: file, reason: "no plugin configs found")
    }
    return list
  }

  private func content(of file: String) throws(RuntimeError) -> [UInt8] {
    do throws(SystemError) {
      return try FileDescriptor.open(file, [.readOnly, .nonBlocking]).readToEnd(limit: 16 << 20)
    } catch { throw .configuration(file: file, reason: "error reading: \(error)") }
  }

  /// The paths of the files with one of these extensions, sorted; none without the directory.
  private func files(_ extensions: [String]) throws(RuntimeError) -> [String] {
    let names: [String]
    do throws(SystemError) { names = try Directory(path: path).names() } catch {
      if error.errno == .noSuchFileOrDirectory { return [] }
      throw .configuration(file: path, reason: "cannot read the directory: \(error)")
    }
    return names.filter { name in
      extensions.contains { name.hasSuffix($0) }
        && (try? FileStatus(path: "\(path)/\(name)", follow: false))?.kind != .directory
    }
    .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    .map { "\(path)/\($0)" }
  }
}
