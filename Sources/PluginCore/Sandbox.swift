public import CNI
public import Linux

/// The sandbox of an attachment, told from the plugin's own network namespace.
public enum Sandbox {
  /// Opens the sandbox that `CNI_NETNS` names; code 8 where it is none.
  public static func open(_ invocation: Invocation) throws(CNIError) -> NetworkNamespace {
    let path = invocation.sandboxPath ?? ""
    do { return try NetworkNamespace(path: path) } catch {
      let reason =
        error.errno == .invalidArgument ? "it is not a network namespace" : error.description
      throw CNIError(.invalidSandbox, "cannot open the sandbox \"\(path)\"", details: reason)
    }
  }

  /// Opens the sandbox; nil where `CNI_NETNS` is not set, or names what is not there any more.
  public static func openIfPresent(_ invocation: Invocation) -> NetworkNamespace? {
    guard let path = invocation.sandboxPath else { return nil }
    return try? NetworkNamespace(path: path)
  }

  /// Refuses a sandbox that is this process's own namespace, with code 8, before anything is done:
  /// the plugin would rename, address and delete the host's own links.
  static func refuseOwnNamespace(_ invocation: Invocation) throws(CNIError) {
    guard let path = invocation.sandboxPath, !invocation.mayUseOwnNamespace,
      let sandbox = try? FileStatus(path: path),
      let own = try? FileStatus(path: "/proc/thread-self/ns/net"),
      sandbox.device == own.device, sandbox.inode == own.inode
    else { return }
    throw CNIError(
      .invalidSandbox, "plugin's netns and netns from CNI_NETNS should not be the same",
      details: "CNI_NETNS=\(path) is the network namespace the plugin runs in; "
        + "CNI_NETNS_OVERRIDE=1 allows it")
  }
}
