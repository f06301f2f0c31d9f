import ArgumentParser
import CNI
import CNIRuntime
import JSON
import Linux
import PluginConfigurations

/// `patchbay network`
struct NetworkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "network",
    abstract: "Make, show, change and remove network configuration lists.",
    discussion: """
      They are files of the configuration directory, which every container runtime of the machine \
      reads. What is written is validated first.

      Examples:
        patchbay network new lab --vlan 10 --subnet 10.1.0.0/24
        patchbay network show lab
        patchbay network rm lab
      """,
    subcommands: [
      NetworkNew.self, NetworkListing.self, NetworkShow.self, NetworkEdit.self,
      NetworkRemove.self,
    ])
}

/// `patchbay network list`
struct NetworkListing: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the networks of the configuration directory.",
    usage: "patchbay network list [--no-trunc] [<options>]",
    discussion: """
      Example:
        patchbay network list
      """)

  @Flag(name: .customLong("no-trunc"), help: "Print whole names.")
  var isWhole = false

  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  func run() throws {
    var table = Table(
      ["NETWORK", "BRIDGE", "VLAN", "SUBNETS", "FILE"], cutting: ["NETWORK", "FILE"],
      isWhole: isWhole)
    do throws(RuntimeError) {
      for (file, result) in try options.directory.contents() {
        switch result {
        case .failure(let error): say(error.description, .warning)
        case .success(let list):
          let plugin = list.plugins.first { $0.json[OVSBridgeConfiguration.Member.bridge] != nil }?
            .json
          let vlan = plugin?[PortVLANs.Member.vlan]?.integer.map { "\($0)" } ?? "-"
          let ipam = plugin?[PluginMember.ipam]
          let sets = ipam?[HostLocalConfiguration.Member.ranges]?.array ?? []
          let subnets = (sets.flatMap { $0.array ?? [] } + [ipam].compactMap { $0 }).compactMap {
            $0[AddressRange.Member.subnet]?.text
          }
          table.add([
            list.name, plugin?[OVSBridgeConfiguration.Member.bridge]?.text ?? "-", vlan,
            subnets.isEmpty ? "-" : subnets.joined(separator: ", "),
            file.split(separator: "/").last.map { String($0) } ?? file,
          ])
        }
      }
    } catch { throw Failure(error) }
    show(table.text())
  }
}

/// `patchbay network show`
struct NetworkShow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Print a network's configuration, and where it is.",
    usage: "patchbay network show <name> [<options>]",
    discussion: """
      Example:
        patchbay network show lab
      """)

  @Argument(help: "The network's name.", completion: .networks)
  var name: String

  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  func run() throws {
    let (path, list) = try NetworkFile.find(name, options)
    say(path)
    let json = try? JSONValue(parsing: list.text)
    show(String(decoding: json?.encoded(indentedBy: 2) ?? list.text, as: UTF8.self))
  }
}

/// `patchbay network rm`
struct NetworkRemove: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rm", abstract: "Remove a network's configuration.",
    usage: "patchbay network rm <name> [--force] [<options>]",
    discussion: """
      A network that has attachments is refused; patchbay del detaches them. The bridge stays.

      Example:
        patchbay network rm lab
      """)

  @Argument(help: "The network's name.", completion: .networks)
  var name: String

  @Flag(help: "Also with attachments, which keep what they were made with.")
  var force = false

  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  func run() throws {
    let (path, _) = try NetworkFile.find(name, options)
    do {
      let entries = try options.runtime.cache.entries().filter { $0.network == name }
      if let entry = entries.first, !force {
        let id = entry.attachment.containerID
        let attachments =
          entries.count == 1 ? "an attachment, of" : "\(entries.count) attachments, one of them of"
        throw Failure(
          "network \"\(name)\" has \(attachments) container \"\(id)\"",
          hint: "patchbay list shows them; --force removes the configuration all the same")
      }
    } catch let error as SystemError { throw Failure(.unreadableCache(error)) }
    let file = path.split(separator: "/").last.map { String($0) } ?? path
    do { try Directory(path: String(path.dropLast(file.count + 1))).remove(file) } catch {
      throw Failure("cannot remove \(path): \(error)")
    }
    show("removed \(path)")
  }
}
