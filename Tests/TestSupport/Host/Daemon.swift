import CLinux
import Foundation
import Synchronization

/// A program that runs beside the tests, and ends with this process however that ends.
public final class Daemon: Sendable {
  /// Its process ID, valid until `stop`.
  public let pid: pid_t
  private let name: String
  private let isRunning = Mutex(true)

  private static let all = Mutex<Set<pid_t>>([])
  private static let endsWithUs: Void = {
    _ = atexit { Daemon.all.withLock { for pid in $0 { kill(pid, SIGKILL) } } }
  }()

  /// Starts a program that stays in the foreground; its output goes to the file `log`.
  public init(
    _ name: String, _ arguments: [String], environment: [String: String], log: String
  ) throws {
    _ = Self.endsWithUs
    let path = try executable("setpriv")
    let words = try [path, "--pdeathsig", "KILL", executable(name)] + arguments
    self.name = name
    pid = try KeeperThread.shared.run {
      let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
      let output = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
      defer {
        close(input)
        close(output)
      }
      let pid = spawn(path, words, environment, [input, output, output])
      guard pid > 0 else {
        throw RunError(description: "\(path): \(String(cString: strerror(-pid)))")
      }
      return pid
    }
    let started = pid
    Self.all.withLock { _ = $0.insert(started) }
  }

  deinit { stop(SIGKILL) }

  /// Sends a signal.
  public func signal(_ number: CInt) {
    isRunning.withLock { if $0 { kill(pid, number) } }
  }
  /// Lets it do nothing, with its sockets open, until `resume`.
  public func suspend() { signal(SIGSTOP) }
  /// Undoes `suspend`.
  public func resume() { signal(SIGCONT) }

  /// Whether it has ended, by itself or by a signal.
  public var hasEnded: Bool {
    isRunning.withLock { running in
      guard running else { return true }
      var information = siginfo_t()
      waitid(P_PID, id_t(pid), &information, WEXITED | WNOHANG | WNOWAIT)
      return information.si_signo == SIGCHLD
    }
  }

  /// Ends it and waits until it is gone, with SIGKILL where SIGTERM does not do within two seconds.
  public func stop(_ number: CInt = SIGTERM) {
    isRunning.withLock { running in
      guard running else { return }
      running = false
      kill(pid, number)
      kill(pid, SIGCONT)
      for _ in 0..<200 * slowness where number != SIGKILL {
        if waitpid(pid, nil, WNOHANG) == pid {
          forget()
          return
        }
        usleep(10_000)
      }
      kill(pid, SIGKILL)
      waitpid(pid, nil, 0)
      forget()
    }
  }

  private func forget() { Self.all.withLock { _ = $0.remove(pid) } }
}
