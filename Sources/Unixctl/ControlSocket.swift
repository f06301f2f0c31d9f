internal import Linux

/// Where ovs-vswitchd listens for commands.
public struct ControlSocket: Hashable, Sendable {
  /// An absolute path.
  public let path: String

  /// The socket at `path`.
  public init(path: String) { self.path = path }

  /// The directory that packages of Open vSwitch run it in.
  public static let standardDirectory = "/var/run/openvswitch"

  /// The directory in which Open vSwitch runs: `OVS_RUNDIR` of the environment, else that of the
  /// socket of its database, else where packages put it (ovs-appctl(8)).
  ///
  /// - Parameter database: The path of ovsdb-server's Unix socket; nil where it has none.
  public static func directory(database: String?) -> String {
    if let directory = Process.environment("OVS_RUNDIR"), directory.hasPrefix("/") {
      return directory
    }
    guard let database, let slash = database.lastIndex(of: "/"), slash > database.startIndex else {
      return standardDirectory
    }
    return String(database[..<slash])
  }

  /// Finds the socket of the ovs-vswitchd that runs in `directory`.
  ///
  /// Its name has the process ID. That is not compared with the processes there are: the daemon may
  /// be in another process ID namespace.
  public init(ofSwitchIn directory: String) throws(ControlError) {
    let file = "\(directory)/ovs-vswitchd.pid"
    guard let bytes = try? FileDescriptor.open(file, [.readOnly, .nonBlocking]).read(limit: 64)
    else {
      throw .notRunning(path: file)
    }
    let text = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first ?? ""
    guard let identifier = Int32(text), identifier > 0 else { throw .notRunning(path: file) }
    path = "\(directory)/ovs-vswitchd.\(identifier).ctl"
  }
}
