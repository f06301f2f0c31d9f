internal import CNI
internal import Linux

/// Where the executables of plugins are (CNI specification 1.1.0, section 2 "Parameters",
/// `CNI_PATH`).
public enum PluginSearch {
  /// The executable of the plugin `type`: the first regular file of that name in `path`.
  ///
  /// A name with a `/` in it is refused, so that a configuration cannot choose any file. It is an
  /// error if a directory cannot be searched for a reason that is not the path's: an executable of
  /// that name further down the path could be the wrong one.
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
      do throws(SystemError) {
        if try FileStatus(path: candidate).kind == .regular { return candidate }
      } catch {
        switch error.errno {
        case .noSuchFileOrDirectory, .notADirectory, .accessDenied, .tooManySymbolicLinkLevels,
          .nameTooLong:
          continue
        default: throw .notStarted(error)
        }
      }
    }
    throw .notFound(type: type, path: path)
  }
}
