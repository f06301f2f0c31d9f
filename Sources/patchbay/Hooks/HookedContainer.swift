import Addresses
import CNI
import CNIRuntime
import JSON
import Linux
import Netlink

/// A container that a hook attaches and detaches.
///
/// What it is attached to is known from the results that are kept. Of an earlier run they may be
/// wrong: a sandbox of a container without a name is found by its process ID, which another may
/// have since. So no plugin is given a sandbox that is not known to be the container's.
struct HookedContainer {
  /// `CNI_CONTAINERID`
  let containerID: String
  /// The container's name, as people call it.
  let name: String
  let options: RuntimeOptions

  /// - Parameter containerID: Nil: it is the name, or is made of it.
  init(_ name: String, containerID: String?, _ options: RuntimeOptions) throws {
    if let containerID {
      do { try Names.checkContainerID(containerID) } catch {
        throw Failure("--container-id: \(error)")
      }
    }
    self.containerID = try containerID ?? ContainerName(name).containerID
    self.name = name
    self.options = options
  }

  private struct PlannedAttachment {
    let network: NetworkRequest
    let list: NetworkList
    let parameters: AttachmentParameters
    var interfaceName: String { parameters.attachment.interfaceName }
  }

  // MARK: - Attaching

  /// Attaches the container to all of `networks`, or to none.
  ///
  /// First what an earlier run of it has left is removed, whatever is known of that.
  func attach(_ networks: [NetworkRequest], sandboxPath: String) throws {
    let present = try links(sandboxPath)
    let planned = try planned(networks, present, sandboxPath)
    try removeRemains(planned, present, sandboxPath)
    let runtime = options.runtime
    var made: [PlannedAttachment] = []
    for attachment in planned {
      do {
        try add(attachment, by: runtime)
        made.append(attachment)
      } catch {
        for attachment in made.reversed() {
          do { try runtime.del(attachment.list, attachment.parameters) } catch {
            say("cannot detach \(attachment.interfaceName): \(error)", .warning)
          }
        }
        let others = made.map(\.network.name).joined(separator: ", ")
        throw Failure(
          "container \"\(containerID)\" was not attached to network \"\(attachment.network.name)\" "
            + "as \(attachment.interfaceName): \(error)",
          hint: made.isEmpty ? nil : "it was detached again from: \(others)")
      }
    }
  }

  private func add(_ attachment: PlannedAttachment, by runtime: Runtime) throws {
    let result = try runtime.add(attachment.list, attachment.parameters)
    do { try attachment.network.verify(result, attachment.interfaceName) } catch {
      do { try runtime.del(attachment.list, attachment.parameters) } catch {
        say("cannot detach \(attachment.interfaceName): \(error)", .warning)
      }
      throw error
    }
  }

  /// The names of the links in the sandbox, which must not be this process's own namespace.
  private func links(_ sandboxPath: String) throws -> [String] {
    do {
      let sandbox = try NetworkNamespace(path: sandboxPath)
      let isOurs = try sandbox.isCurrent()
      guard !isOurs else {
        throw Failure(
          "container \"\(containerID)\" has no network namespace of its own: \(sandboxPath) is the "
            + "host's",
          hint:
            "LXC makes one with lxc.net.0.type = empty, an OCI runtime with an entry \"network\" "
            + "in linux.namespaces")
      }
      return try RouteSocket(in: sandbox).links(until: .after(.seconds(10))).map(\.name)
    } catch let error as Failure { throw error } catch {
      throw Failure("cannot use the network namespace of container \"\(containerID)\": \(error)")
    }
  }

  /// The lists of all networks, and the names of the interfaces.
  private func planned(_ networks: [NetworkRequest], _ present: [String], _ sandboxPath: String)
    throws
    -> [PlannedAttachment]
  {
    var taken = networks.compactMap(\.interfaceName)
    if let twice = taken.first(where: { name in taken.count { $0 == name } > 1 }) {
      throw Failure(
        "container \"\(containerID)\": two networks are to have the interface \"\(twice)\"")
    }
    return try networks.map { network in
      let name = network.interfaceName ?? Self.freeName(beside: taken + present)
      taken.append(name)
      let list: NetworkList
      do throws(RuntimeError) { list = try options.directory.network(network.name) } catch {
        throw Failure(
          "container \"\(containerID)\" was not attached to network \"\(network.name)\": \(error)")
      }
      let attachment = Attachment(containerID: containerID, interfaceName: name)
      return PlannedAttachment(
        network: network, list: list,
        parameters: try network.parameters(
          list, attachment, containerName: self.name, sandboxPath: sandboxPath))
    }
  }

  /// The first of `eth0`, `eth1`, … that is not in `taken`.
  private static func freeName(beside taken: [String]) -> String {
    var number = 0
    while taken.contains("eth\(number)") { number += 1 }
    return "eth\(number)"
  }

  // MARK: - Detaching

  /// Detaches the container from everything that it is known to be attached to, and from
  /// `networks`.
  ///
  /// - Parameter sandboxPath: Where its namespace can be found now; nil where it is gone.
  /// - Parameter madePath: By which path it was attached; nil where that is not known.
  func detach(_ networks: [NetworkRequest], sandboxPath: String?, madePath: String?) throws {
    var failures: [String] = []
    let entries = try entries()
    for entry in entries.reversed() {
      let isOwn =
        entry.knownSandboxPath == madePath
        || sandboxPath.map { Self.isSame(entry.knownSandboxPath, $0) } ?? false
      if !isOwn, isAlive(entry) {
        say(
          "\(entry.attachment.interfaceName) stays on network \"\(entry.network)\": it is of "
            + "another container \"\(containerID)\" that runs in \(entry.knownSandboxPath)",
          .warning)
        continue
      }
      do { try remove(entry, sandboxPath: isOwn ? sandboxPath : nil) } catch {
        failures.append("cannot detach \(entry.attachment.interfaceName): \(error)")
      }
    }
    // Of these nothing is kept; that they are named is enough to find what they have made.
    let known = entries.map(\.network)
    for attachment in try planned(networks, [], "") where !known.contains(attachment.network.name) {
      do { try options.runtime.del(attachment.list, attachment.parameters) } catch {
        failures.append("cannot detach \(attachment.interfaceName): \(error)")
      }
    }
    guard failures.isEmpty else {
      throw Failure("container \"\(containerID)\": \(failures.joined(separator: "; "))")
    }
  }

  /// Removes what an earlier run of the container has left.
  private func removeRemains(
    _ planned: [PlannedAttachment], _ present: [String], _ sandboxPath: String
  ) throws {
    let entries = try entries()
    for entry in entries {
      let name = entry.attachment.interfaceName
      // Another hook of this container may have run before.
      if present.contains(name), Self.isSame(entry.knownSandboxPath, sandboxPath) { continue }
      guard !isAlive(entry) else {
        throw Failure(
          "there is another container \"\(containerID)\", which is attached to network "
            + "\"\(entry.network)\" by \(name) in \(entry.knownSandboxPath)",
          hint: "stop it, or give one of them another name by --container-id")
      }
      do { try remove(entry, sandboxPath: nil) } catch {
        say("what was left of \(name) cannot be removed: \(error)", .warning)
      }
    }
    // A hook that was killed may have kept no result.
    for attachment in planned where !present.contains(attachment.interfaceName) {
      let isKnown = entries.contains {
        $0.network == attachment.network.name && $0.attachment == attachment.parameters.attachment
      }
      guard !isKnown else { continue }
      var parameters = attachment.parameters
      parameters.sandboxPath = ""
      do { try options.runtime.del(attachment.list, parameters) } catch {
        say("what may be left of \(attachment.interfaceName) cannot be removed: \(error)", .warning)
      }
    }
  }

  /// Whether both paths lead to one namespace: another runtime may have used another path.
  private static func isSame(_ path: String, _ other: String) -> Bool {
    if path == other { return true }
    guard let one = try? NetworkNamespace(path: path),
      let second = try? NetworkNamespace(path: other)
    else { return false }
    return one.isSame(as: second)
  }

  /// What is kept of the container.
  private func entries() throws -> [CachedAttachment] {
    do throws(SystemError) {
      return try options.runtime.cache.entries().filter {
        $0.attachment.containerID == containerID
      }
    } catch { throw Failure(.unreadableCache(error)) }
  }

  private func remove(_ entry: CachedAttachment, sandboxPath: String?) throws {
    let runtime = options.runtime
    let list = try runtime.list(
      of: entry.network, attachedAs: entry.attachment, in: options.directory
    ).list
    var parameters = AttachmentParameters(entry)
    parameters.sandboxPath = sandboxPath ?? ""
    try runtime.del(list, parameters)
  }

  /// Whether the sandbox of `entry` is there and has its interface. The path alone says nothing.
  private func isAlive(_ entry: CachedAttachment) -> Bool {
    let name = entry.attachment.interfaceName
    guard name != "lo", let sandbox = try? NetworkNamespace(path: entry.knownSandboxPath),
      (try? sandbox.isCurrent()) == false, let socket = try? RouteSocket(in: sandbox),
      let link = try? socket.link(.named(name), until: .after(.seconds(10)))
    else { return false }
    let interfaces = entry.result?["interfaces"]?.array ?? []
    let own = interfaces.last { $0["name"]?.text == name && $0["sandbox"]?.text?.isEmpty == false }
    return own?["mac"]?.text.map { MACAddress($0) == link.mac } ?? true
  }
}
