public import CNI
public import Linux

/// The sandbox of an attachment, which is not the plugin's own network namespace.
public enum Sandbox {
  /// Opens the sandbox that `CNI_NETNS` names; code 8 where it is not one, or by now this process's
  /// own namespace: a path below `/proc` may come to name another process than it did.
  ///
  /// - Parameter heedsOverride: `CNI_NETNS_OVERRIDE` allows the own namespace.
  public static func open(_ invocation: Invocation, heedsOverride: Bool = true)
    throws(CNIError) -> NetworkNamespace
  {
    let path = invocation.sandboxPath ?? ""
    do throws(SystemError) {
      let sandbox = try NetworkNamespace(path: path)
      let isOwn = try sandbox.isCurrent()
      if !isOwn || heedsOverride && invocation.mayUseOwnNamespace { return sandbox }
    } catch {
      throw CNIError(
        .invalidSandbox, message(path, error),
        details: error.errno == .invalidArgument
          ? "it is not a network namespace" : error.description)
    }
    throw ownNamespace(path)
  }

  /// Opens the sandbox; nil where `CNI_NETNS` is not set, or names what is not there any more, or
  /// by now this process's own namespace.
  public static func openIfPresent(_ invocation: Invocation, heedsOverride: Bool = true)
    -> NetworkNamespace?
  {
    guard invocation.sandboxPath != nil else { return nil }
    return try? open(invocation, heedsOverride: heedsOverride)
  }

  /// Refuses ADD and CHECK in a sandbox that is this process's own namespace, with code 8, before
  /// anything is done: the plugin would rename, address and delete the host's own links. For DEL
  /// such a sandbox is gone: its path may have come to name another process.
  static func refuseOwnNamespace(_ invocation: Invocation) throws(CNIError) {
    guard invocation.command == .add || invocation.command == .check,
      let path = invocation.sandboxPath, !invocation.mayUseOwnNamespace,
      let sandbox = try? FileStatus(path: path),
      let own = try? FileStatus(path: "/proc/thread-self/ns/net"),
      sandbox.isSameFile(as: own)
    else { return }
    throw ownNamespace(path)
  }

  /// The text of the reference plugins, where they have one.
  private static func message(_ path: String, _ error: SystemError) -> String {
    switch error.errno {
    case .noSuchFileOrDirectory: return "failed to Statfs \"\(path)\": no such file or directory"
    case .invalidArgument:
      guard let kind = try? FileDescriptor.open(path, [.readOnly, .nonBlocking]).fileSystem()
      else { break }
      return "unknown FS magic on \"\(path)\": \(String(kind, radix: 16))"
    default: break
    }
    return "cannot open the sandbox \"\(path)\""
  }

  private static func ownNamespace(_ path: String) -> CNIError {
    CNIError(
      .invalidSandbox, "plugin's netns and netns from CNI_NETNS should not be the same",
      details: "CNI_NETNS=\(path) is the network namespace the plugin runs in; "
        + "CNI_NETNS_OVERRIDE=1 allows it")
  }
}
