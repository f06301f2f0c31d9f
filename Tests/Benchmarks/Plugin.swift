import Glibc

/// A plugin as a process: started, waited for, timed.
///
/// No Foundation here: what a process has had in memory counts from before its exec(2) on, and that
/// is the memory of this program.
struct Executable {
  let path: String
  let configuration: String

  struct Run {
    /// From before its start until after its end.
    let milliseconds: Double
    /// Of memory, at most.
    let octets: Int
    let isSuccess: Bool
  }

  /// Runs a command for a container, with the configuration in a file.
  func callAsFunction(_ command: String, _ containerID: String = "bench") -> Run {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, configuration, O_RDONLY, 0)
    for stream in [1, 2] as [Int32] {
      posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_WRONLY, 0)
    }
    var arguments = [strdup(path), nil]
    let variables = [
      "CNI_COMMAND=\(command)", "CNI_CONTAINERID=\(containerID)", "CNI_IFNAME=eth0",
      "CNI_NETNS=/nowhere", "CNI_PATH=/",
    ]
    var environment = variables.map { strdup($0) } + [nil]
    defer { for text in arguments + environment { free(text) } }
    var pid: pid_t = 0
    var status: Int32 = 0
    var usage = rusage()
    let started = now()
    guard posix_spawn(&pid, path, &actions, nil, &arguments, &environment) == 0 else {
      return Run(milliseconds: 0, octets: 0, isSuccess: false)
    }
    wait4(pid, &status, 0, &usage)
    return Run(
      milliseconds: now() - started, octets: Int(usage.ru_maxrss) * 1024, isSuccess: status == 0)
  }

  /// Octets of the file.
  var size: Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
  }
}

/// Milliseconds.
func now() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) * 1000 + Double(time.tv_nsec) / 1e6
}

func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  return sorted.isEmpty ? .nan : sorted[sorted.count / 2]
}

func fail(_ message: String) -> Never {
  let line = "bench-ipam: \(message)\n"
  write(2, line, line.utf8.count)
  exit(2)
}

func write(_ text: String, to path: String) {
  let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
  guard file >= 0, write(file, text, text.utf8.count) == text.utf8.count else {
    fail("cannot write \(path): \(String(cString: strerror(errno)))")
  }
  close(file)
}
