internal import CNI
internal import Linux

/// Where the executables of plugins are (CNI specification 1.1.0, section 2 "Parameters",
/// `CNI_PATH`).
public enum PluginSearch {
  /// The executable of the plugin `type`: the first regular file of that name in `path`.
  ///
  /// A name with a `/` in it is refused, so that a configuration cannot choose any file.
  public static func executable(of type: String, in path: [String])
    throws(PluginFailure) -> String
  {
    guard !type.isEmpty else { throw .unnamed }
    guard !type.utf8.contains(UInt8(ascii: "/")), type != ".", type != "..",
      type.utf8.allSatisfy({ $0 >= 0x20 }), type.utf8.count <= Names.maximumLength
    else { throw .illegalName(type) }
    guard !path.isEmpty else { throw .noPath }
    for directory in path {
      let candidate = "\(directory)/\(type)"
      if let status = try? FileStatus(path: candidate), status.kind == .regular { return candidate }
    }
    throw .notFound(type: type, path: path)
  }
}
