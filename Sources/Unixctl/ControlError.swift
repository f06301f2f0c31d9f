public import Linux

/// Why a daemon of Open vSwitch did not do what it was asked for over its control socket.
public enum ControlError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file that has the daemon's process ID is missing or has something else in it.
  case notRunning(path: String)
  /// There is no connection to the socket at `path`.
  case cannotConnect(path: String, SystemError)
  /// The daemon closed the connection before it responded; the error is nil for an orderly end.
  case connectionLost(path: String, SystemError?)
  /// The daemon accepted the connection and did not respond in time.
  case timedOut(path: String, command: String)
  /// The daemon refused `command`, in these words of its own.
  case refused(command: String, words: String)
  /// What the daemon sent is no response of ovs-appctl(8)'s protocol.
  case malformed(path: String, String)

  /// What was attempted, and why not.
  public var description: String {
    switch self {
    case .notRunning(let path):
      "\(path): there is no process ID in it; is ovs-vswitchd running?"
    case .cannotConnect(_, let error): "\(error); is ovs-vswitchd running?"
    case .connectionLost(let path, let error):
      "\(path): the connection was lost" + (error.map { ": \($0)" } ?? "")
    case .timedOut(let path, let command):
      "\(path): ovs-vswitchd did not respond to \(command) in time"
    case .refused(let command, let words): "ovs-vswitchd refused \(command): \(words)"
    case .malformed(let path, let reason): "\(path): the response is malformed: \(reason)"
    }
  }
}
