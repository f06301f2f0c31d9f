import ArgumentParser
import JSON
import Linux

/// `patchbay hook oci`
struct HookOCI: ParsableCommand {
  /// The annotation of a container that names networks.
  static let annotation = "patchbay.networks"

  static let configuration = CommandConfiguration(
    commandName: "oci",
    abstract:
      "Attach a container of runc or crun when it is created, detach it when it is deleted.",
    usage: "patchbay hook oci [<network> ...] [<options>]",
    discussion: """
      For the hooks createRuntime and poststop of a bundle's config.json; the container's state, \
      which the runtime gives on standard input, says which of them it is. The container ID is \
      the runtime's. When a network cannot be attached, those before it are detached again, and \
      the container is not created.

      The networks are the arguments, and those that the annotation "\(annotation)" has, with \
      spaces between. Each is a word: its name, and after a colon what is requested for it: \
      interface_name, ip (may be repeated), mac.

      runc says why a hook failed; crun writes that to the file that the annotation \
      "run.oci.hooks.stderr" names.

      Example, in config.json:
        "annotations": { "\(annotation)": "ovs-1 vlan-10:ip=10.10.0.9" },
        "hooks": {
          "createRuntime": [{
            "path": "/usr/local/bin/patchbay", "args": ["patchbay", "hook", "oci"]
          }],
          "poststop": [{
            "path": "/usr/local/bin/patchbay", "args": ["patchbay", "hook", "oci"]
          }]
        }
      """)

  @Argument(help: ArgumentHelp("The networks.", valueName: "network"))
  var words: [String] = []

  @Option(
    name: .customLong("container-id"),
    help: ArgumentHelp("Container ID (default: the runtime's).", valueName: "id"))
  var containerID: String?

  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  func run() throws {
    let state = try OCIState.read()
    let annotated = state.annotations[Self.annotation]?.text ?? ""
    let networks = try (words + annotated.split(separator: " ").map { String($0) }).map {
      try NetworkRequest($0)
    }
    let container = try HookedContainer(state.id, containerID: containerID, options)
    if state.status == .stopped {
      try container.detach(networks, sandboxPath: nil, madePath: nil)
      return
    }
    guard !networks.isEmpty else {
      throw Failure(
        "container \"\(state.id)\": no network is named",
        hint: "name it in the annotation \"\(Self.annotation)\", or as an argument of the hook")
    }
    guard let pid = state.pid, pid > 0 else {
      throw Failure(
        "the state of container \"\(state.id)\" has no pid, by which its "
          + "network namespace is found")
    }
    try container.attach(networks, sandboxPath: "/proc/\(pid)/ns/net")
  }
}

/// The state of a container, as hooks get it (OCI runtime specification 1.0, "State").
struct OCIState {
  /// How far its life is.
  enum Status: String, CaseIterable, JSONDecodable {
    case creating
    /// Its program has not been started yet.
    case created
    case running
    /// Its process has ended.
    case stopped
  }
  let id: String
  /// The container's first process, in our process namespace; nil where there is none any more.
  let pid: Int64?
  let status: Status
  let annotations: JSONObject

  /// Reads it from standard input.
  static func read() throws -> OCIState {
    let bytes: [UInt8]
    do {
      bytes = try StandardStream.input.readToEnd(limit: 4 << 20, until: .after(.seconds(10)))
    } catch { throw Failure("cannot read the container's state: \(error)", hint: hint) }
    do {
      let json = JSONCursor(try JSONValue(parsing: bytes))
      return OCIState(
        id: try json["id"].decode(), pid: try json["pid"].decodeIfPresent(),
        status: try json["status"].decode(),
        annotations: json["annotations"].value?.object ?? JSONObject())
    } catch {
      throw Failure("standard input is not the state of a container: \(error)", hint: hint)
    }
  }

  private static let hint = "runc or crun starts this as a hook, and gives the state to it"
}
