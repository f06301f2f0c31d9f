import ArgumentParser
import CNI
import CNIRuntime
import JSON
import Linux

/// One attachment, as `add`, `check` and `del` name it.
struct AttachmentOptions: ParsableArguments {
  @Argument(help: ArgumentHelp("Name of the network.", valueName: "network"))
  var network: String

  @Argument(
    help: ArgumentHelp(
      "Network namespace: its name, as ip-netns(8) has it, or a path.", valueName: "netns"))
  var sandbox: String

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

  private func attachment(in path: SandboxPath) -> Attachment {
    let variable = Process.environment("CNI_IFNAME") ?? ""
    return Attachment(
      containerID: containerID ?? path.containerID,
      interfaceName: interfaceName ?? (variable.isEmpty ? "eth0" : variable))
  }

  /// The parameters of an attachment that is to be made.
  func parameters() throws -> AttachmentParameters {
    let path = SandboxPath(sandbox)
    return AttachmentParameters(
      attachment(in: path), sandboxPath: path.path, arguments: try arguments ?? Arguments(),
      capabilities: try capabilities ?? JSONObject())
  }

  /// The list and the parameters that an attachment was made with, as far as they are known and
  /// nothing else is given.
  func remembered(by options: RuntimeOptions) throws -> (NetworkList, AttachmentParameters) {
    let runtime = options.runtime
    let path = SandboxPath(sandbox)
    // One namespace has two paths, and thus two container IDs.
    var attachment = attachment(in: path)
    if let alias = path.alias, (try? runtime.cache.entry(network, attachment)) == .some(nil),
      (try? runtime.cache.entry(network, self.attachment(in: alias))) ?? nil != nil
    {
      attachment = self.attachment(in: alias)
    }
    do throws(RuntimeError) {
      let (list, cached) = try runtime.list(
        of: network, attachedAs: attachment, in: options.directory)
      let given = (arguments: try? arguments, capabilities: try? capabilities)
      return (
        list,
        AttachmentParameters(
          attachment, sandboxPath: path.path,
          arguments: (given.arguments ?? nil) ?? cached?.arguments ?? Arguments(),
          capabilities: (given.capabilities ?? nil) ?? cached?.capabilities ?? JSONObject())
      )
    } catch { throw Failure(error) }
  }
}
