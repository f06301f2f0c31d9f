import ArgumentParser
import CNI
import CNIRuntime
import JSON
import Linux

/// What `add`, `check` and `del` take besides network and namespace.
struct AttachmentOptions: ParsableArguments {
  @Option(
    name: [.customShort("i"), .customLong("ifname")],
    help: ArgumentHelp(
      "Name of the interface in the namespace (CNI_IFNAME; default eth0).", valueName: "name"))
  var interfaceName: String?

  @Option(
    name: .customLong("container-id"),
    help: ArgumentHelp(
      "Container ID (default: as cnitool, from the namespace's path).", valueName: "id"))
  var containerID: String?

  @Option(
    name: .customLong("args"),
    help: ArgumentHelp(
      "Arguments for the plugins, KEY=VALUE with \";\" between them (CNI_ARGS).",
      valueName: "pairs"))
  var argumentTexts: [String] = []

  @Option(
    name: .customLong("capability"),
    help: ArgumentHelp(
      "What plugins get that declare this capability, for example mac='\"02:00:00:00:00:01\"' "
        + "or ips='[\"10.1.0.9/24\"]'. Can be given several times (CAP_ARGS: one JSON object).",
      valueName: "key=json"))
  var capabilityTexts: [String] = []

  func validate() throws {
    _ = try arguments
    _ = try capabilities
  }

  /// `CNI_ARGS`; nil where none are given.
  private var arguments: Arguments? {
    get throws {
      var text = argumentTexts.joined(separator: ";")
      if text.isEmpty { text = Process.environment("CNI_ARGS") ?? "" }
      if text.isEmpty { return nil }
      do { return try Arguments(text) } catch {
        throw ValidationError("invalid CNI_ARGS: \(error.description)")
      }
    }
  }

  /// What is given for capabilities; nil where nothing is.
  private var capabilities: JSONObject? {
    get throws {
      var object = JSONObject()
      if let text = Process.environment("CAP_ARGS"), !text.isEmpty {
        guard let value = try? JSONValue(parsing: Array(text.utf8)), let given = value.object
        else {
          throw ValidationError(
            "CAP_ARGS: \(text) is not a JSON object, such as {\"mac\": \"02:00:00:00:00:01\"}")
        }
        object = given
      }
      for text in capabilityTexts {
        guard let equal = text.firstIndex(of: "="), equal != text.startIndex else {
          throw ValidationError("--capability \(text): write it as KEY=JSON")
        }
        let json = text[text.index(after: equal)...]
        do { object[String(text[..<equal])] = try JSONValue(parsing: Array(json.utf8)) } catch {
          throw ValidationError(
            "--capability \(text): what follows \"=\" is not JSON: \(error); "
              + "a string has quotes: \(text[..<equal])='\"…\"'")
        }
      }
      return object.isEmpty ? nil : object
    }
  }

  /// - Parameter requested: The interface's name by the network's word; an option comes before it.
  private func attachment(_ containerID: String, _ requested: String?) -> Attachment {
    let variable = Process.environment("CNI_IFNAME") ?? ""
    return Attachment(
      containerID: containerID,
      interfaceName: interfaceName ?? requested ?? (variable.isEmpty ? "eth0" : variable))
  }

  /// The parameters of an attachment that is to be made.
  func parameters(_ path: SandboxPath, _ interfaceName: String?) throws -> AttachmentParameters {
    AttachmentParameters(
      attachment(containerID ?? path.containerID, interfaceName), sandboxPath: path.path,
      arguments: try arguments ?? Arguments(), capabilities: try capabilities ?? JSONObject())
  }

  /// The list and the parameters that an attachment was made with, as far as they are known and
  /// nothing else is given.
  ///
  /// - Parameter sandbox: May be nil where the container ID is given.
  func remembered(_ word: String, _ sandbox: String?, by options: RuntimeOptions) throws
    -> (list: NetworkList, parameters: AttachmentParameters, isKept: Bool)
  {
    let request = try NetworkRequest(word)
    let network = request.name
    let runtime = options.runtime
    var path = sandbox.map { SandboxPath($0) }
    guard let id = containerID ?? path?.containerID else {
      throw ValidationError("Missing expected argument '<netns>', or --container-id")
    }
    var attachment = attachment(id, request.interfaceName)
    // One namespace has two paths, and thus two container IDs.
    if containerID == nil, let alias = path?.alias,
      (try? runtime.cache.entry(network, attachment)) == nil,
      (try? runtime.cache.entry(network, self.attachment(alias.containerID, request.interfaceName)))
        != nil
    {
      attachment = self.attachment(alias.containerID, request.interfaceName)
      path = alias
    }
    do throws(RuntimeError) {
      let list: NetworkList
      let cached: CachedAttachment?
      do throws(RuntimeError) {
        (list, cached) = try runtime.list(
          of: network, attachedAs: attachment, in: options.directory)
      } catch {
        switch error {
        case .noSuchNetwork, .noNetworks: break
        default: throw error
        }
        guard let rest = NetworkList.ofPorts().first(where: { $0.name == network }) else {
          throw error
        }
        (list, cached) = (rest, nil)
      }
      return (
        list,
        AttachmentParameters(
          attachment, sandboxPath: path?.path ?? cached?.knownSandboxPath ?? "",
          arguments: (try? arguments) ?? cached?.arguments ?? Arguments(),
          capabilities: (try? capabilities) ?? cached?.capabilities ?? JSONObject()), cached != nil
      )
    } catch { throw Failure(error) }
  }
}
