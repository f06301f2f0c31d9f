import ArgumentParser
import CNI
import JSON
import Linux
import OVSDB
import OpenVSwitch
import PluginCore

/// `patchbay show`
struct Show: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show what is plugged where, and what is wrong with it.",
    usage: "patchbay show [<bridges> ...] [--json | --dot] [--no-trunc] [<options>]",
    discussion: """
      The bridges of Open vSwitch with their ports, and for each port its link and VLANs; of ports \
      that the plugins made also the container, its sandbox, the link there and its addresses. \
      What is not as it should be is said below the port. Ports of others are shown, too.

      Exit status: 0, also where something is wrong, unless --exit-status is given.

      Examples:
        patchbay show
        patchbay show OVS-1 --json | jq '.bridges[].ports[].problems'
        patchbay show --network ovs-1
        patchbay show --exit-status >/dev/null || echo look
        patchbay show --dot | dot -Tsvg >plugged.svg
      """)

  @Argument(help: "The bridges to show; all of them without one.", completion: .bridges)
  var bridges: [String] = []

  @Option(
    help: ArgumentHelp("Only attachments to this network.", valueName: "name"),
    completion: .networks)
  var network: String?

  @Option(
    help: ArgumentHelp("Only attachments of this container: its name or ID.", valueName: "id"),
    completion: .containers)
  var container: String?

  @Flag(help: "End with exit status 1 where something is wrong.")
  var exitStatus = false

  @Flag(name: .customLong("no-trunc"), help: "Print whole container IDs.")
  var isWhole = false

  @OptionGroup var database: DatabaseOptions

  @Flag(help: "A JSON text instead of a tree.")
  var json = false

  @Flag(help: "A graph for Graphviz instead of a tree.")
  var dot = false

  @Option(help: ArgumentHelp("How long to wait for ovsdb-server.", valueName: "seconds"))
  var timeout: UInt16 = 10

  func validate() throws {
    if json && dot { throw ValidationError("--json and --dot exclude each other") }
  }

  func run() throws {
    var picture = try Picture(reading: database.endpoint, until: .after(.seconds(Int(timeout))))
    if !bridges.isEmpty {
      let names = picture.bridges.map(\.name)
      if let unknown = bridges.first(where: { !names.contains($0) }) {
        throw Failure(
          "there is no bridge \"\(unknown)\"; "
            + (names.isEmpty
              ? "Open vSwitch has none" : "there is: \(names.joined(separator: ", "))"))
      }
      picture.bridges.removeAll { !bridges.contains($0.name) }
    }
    if network != nil || container != nil {
      for index in picture.bridges.indices {
        picture.bridges[index].ports.removeAll { port in !isWanted(port) }
      }
      picture.bridges.removeAll(where: \.ports.isEmpty)
      guard !picture.bridges.isEmpty else {
        throw Failure("there is no such attachment", hint: "patchbay show has all that there are")
      }
    }
    if json {
      show(picture.json)
    } else if dot {
      show(picture.dot)
    } else {
      show(PictureTree(picture, width: Terminal.width(.output), isWhole: isWhole).text)
    }
    if exitStatus, !picture.allProblems.isEmpty { throw ExitCode(1) }
  }

  private func isWanted(_ port: Picture.Port) -> Bool {
    guard let record = port.record else { return false }
    if let network, record.network != network { return false }
    guard let container else { return true }
    let id = record.attachment.containerID
    // Runtimes show the first 12 digits of an ID.
    return record.containerName == container || id == container
      || container.utf8.count >= 12 && id.hasPrefix(container)
  }
}
