import Linux

/// What LXC tells a hook, with `lxc.hook.version` 0 or 1 (lxc.container.conf(5), "CONTAINER
/// HOOKS").
struct LXCCall {
  /// When in a container's life a hook is called.
  enum Moment: String, CaseIterable {
    /// The container's namespaces are there, its init is not yet executed.
    case startHost = "start-host"
    /// Its processes are gone, its namespaces are held open.
    case stop
    /// All is gone.
    case postStop = "post-stop"
  }

  /// The container's name.
  let container: String
  let moment: Moment
  /// What stands on the hook's line.
  let words: [String]
  /// The process ID of the container's init, also after its end.
  let initProcess: Int32?
  /// Where LXC holds the network namespace open; nil where it does not say. As an environment
  /// variable it is there in `start-host` after a reboot, too, and is that of the last run then.
  private let held: String?

  /// - Parameter words: The arguments; in version 0 the last of them are LXC's: name, `lxc`,
  ///   moment, and in `stop` the namespaces.
  init(_ words: [String], _ environment: (String) -> String?) throws {
    guard let name = environment("LXC_NAME"), !name.isEmpty else {
      throw Failure(
        "LXC_NAME is not set: LXC starts this as a hook",
        hint: "in a container's configuration: lxc.hook.start-host = … patchbay hook lxc NETWORK")
    }
    container = name
    initProcess = environment("LXC_PID").flatMap { Int32($0) }
    var type = environment("LXC_HOOK_TYPE") ?? ""
    var held = environment("LXC_NET_NS")
    var own = words
    if environment("LXC_HOOK_VERSION") != "1" || type.isEmpty {
      guard
        let position = words.indices.last(where: { index in
          words[index...].starts(with: [name, "lxc"]) && index + 2 < words.count
        })
      else {
        throw Failure(
          "LXC does not say which hook it calls: there is neither LXC_HOOK_TYPE nor "
            + "\"\(name) lxc TYPE\" at the end of the arguments",
          hint: "a hook script hands them on by \"$@\"")
      }
      own = Array(words[..<position])
      type = words[position + 2]
      let namespace = words[(position + 3)...].first { $0.hasPrefix("net:") }
      held = namespace.map { String($0.dropFirst(4)) } ?? held
    }
    guard let moment = Moment(rawValue: type) else {
      let legal = Moment.allCases.map { "lxc.hook.\($0.rawValue)" }.joined(separator: ", ")
      throw Failure(
        "lxc.hook.\(type) cannot attach or detach a container", hint: "it is for \(legal)")
    }
    self.moment = moment
    self.words = own
    self.held = held.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The path of the network namespace of the container's init, when it starts.
  var initSandboxPath: String {
    get throws {
      guard let initProcess else {
        throw Failure(
          "LXC_PID is not set: it is the process whose network namespace is the container's")
      }
      return "/proc/\(initProcess)/ns/net"
    }
  }

  /// Where the network namespace can be found once the container's processes are gone.
  var heldSandboxPath: String? { moment == .stop ? held : nil }

  /// The process that watches the container: init's parent, and the holder of its namespaces.
  var monitor: Int32? {
    if moment != .startHost {
      let words = held?.split(separator: "/") ?? []
      return words.count > 1 ? Int32(words[1]) : nil
    }
    guard let initProcess, let file = try? FileDescriptor.open("/proc/\(initProcess)/stat"),
      let bytes = try? file.read(limit: 4096)
    else { return nil }
    // After the command's name, which may have anything in it: state, parent; proc_pid_stat(5).
    let rest = String(decoding: bytes, as: UTF8.self).split(separator: ")").last ?? ""
    let fields = rest.split(separator: " ")
    return fields.count > 1 ? Int32(fields[1]) : nil
  }
}
