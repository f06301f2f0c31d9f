import Foundation
import Glibc
import TestSupport

/// A network of `host-local` whose leases go away with the test.
final class Network: Sendable {
  let temporary: TemporaryDirectory
  /// With version 1.1.0 for ours; the reference plugin that Debian has speaks 1.0.0.
  let configuration: Document
  let name: String

  /// The members of `ipam` besides `type` and `dataDir`, and of the configuration.
  init(
    _ ipam: Document, name: String = "net", with others: [String: Document] = [:],
    in temporary: TemporaryDirectory? = nil
  ) throws {
    let temporary = try temporary ?? TemporaryDirectory()
    self.temporary = temporary
    self.name = name
    configuration =
      ([
        "cniVersion": "1.0.0", "name": .string(name), "type": "x",
        "ipam": ipam.with([
          "type": "host-local",
          "dataDir": ipam["dataDir"].isAbsent ? .string(temporary.path) : ipam["dataDir"],
        ]),
      ] as Document).with(others)
  }

  /// The same leases, with other members of the configuration.
  func with(_ others: [String: Document]) throws -> Network {
    try Network(configuration["ipam"], name: name, with: others, in: temporary)
  }
  /// The same leases, with other members of `ipam`; those that are not named stay.
  func withIPAM(_ members: [String: Document]) throws -> Network {
    try Network(configuration["ipam"].with(members), name: name, in: temporary)
  }

  func call(
    _ command: String, _ containerID: String, ifname: String = "eth0", args: String? = nil,
    with members: [String: Document] = [:], reference: Bool = false
  ) throws -> PluginResult {
    let new: [String: Document] =
      command == "GC" || command == "STATUS" ? ["cniVersion": "1.1.0"] : [:]
    return try Plugin("host-local", reference: reference).call(
      command, configuration.with(new).with(members), containerID: containerID,
      sandbox: "/nowhere", ifname: ifname, args: args, timeout: .seconds(180))
  }

  /// ADD, and the addresses it gave, without their lengths.
  func add(
    _ containerID: String, ifname: String = "eth0", args: String? = nil,
    with members: [String: Document] = [:], reference: Bool = false
  ) throws -> [String] {
    let result = try call(
      "ADD", containerID, ifname: ifname, args: args, with: members, reference: reference)
    return try result.checked()["ips"].array.map {
      String(($0["address"].text ?? "").prefix { $0 != "/" })
    }
  }

  func del(_ containerID: String, ifname: String = "eth0", reference: Bool = false) throws {
    try call("DEL", containerID, ifname: ifname, reference: reference).checked()
  }

  var path: String { "\(temporary.path)/\(name)" }

  /// The files of the network's directory, but for the lock and the cursors.
  var leases: [String: String] {
    files.filter { !$0.key.hasPrefix("last_reserved_ip.") }
  }
  /// The same with the cursors.
  var files: [String: String] {
    var files: [String: String] = [:]
    for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    where name != "lock" {
      let data = FileManager.default.contents(atPath: "\(path)/\(name)") ?? Data()
      files[name] = String(decoding: data, as: UTF8.self)
    }
    return files
  }

  /// Writes a file as another program would, a while ago.
  func write(_ name: String, _ content: String, age: TimeInterval = 10) throws {
    try temporary.write(content, to: "\(self.name)/\(name)", mode: 0o600)
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: "\(path)/\(name)")
  }
}

/// A plugin that runs while the test goes on: from a file, to a file, killed at will.
struct RunningPlugin {
  let pid: pid_t
  private let output: String

  init(
    _ command: String, _ containerID: String, _ network: Network, reference: Bool = false,
    executable: String? = nil
  ) throws {
    let plugin = Plugin("host-local", reference: reference)
    let input = try network.temporary.write(
      String(decoding: network.configuration.encoded, as: UTF8.self), to: "input/\(containerID)")
    output = "\(network.temporary.path)/input/\(containerID).out"
    let variables = [
      "CNI_COMMAND=\(command)", "CNI_CONTAINERID=\(containerID)", "CNI_IFNAME=eth0",
      "CNI_NETNS=/nowhere", "CNI_PATH=/",
    ]
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    let path = executable ?? plugin.path
    var arguments = [strdup(path), nil]
    var environment = variables.map { strdup($0) } + [nil]
    defer { for text in arguments + environment { free(text) } }
    var pid: pid_t = 0
    let error = posix_spawn(&pid, path, &actions, nil, &arguments, &environment)
    guard error == 0 else { throw CocoaError(.executableLoad) }
    self.pid = pid
  }

  func kill() { Glibc.kill(pid, SIGKILL) }

  /// Its exit status, or the negative number of the signal that ended it, and what it printed.
  func wait() throws -> (status: Int32, json: Document) {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) == -1, errno == EINTR {}
    let ended = status & 0x7f == 0 ? status >> 8 & 0xff : -(status & 0x7f)
    let data = FileManager.default.contents(atPath: output) ?? Data()
    return (ended, (try? Document(parsing: data)) ?? .absent)
  }
}
