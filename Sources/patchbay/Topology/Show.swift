import ArgumentParser
import JSON
import Linux
import OVSDB
import OpenVSwitch

/// `patchbay show`
struct Show: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show what is plugged where, and what is wrong with it.",
    discussion: """
      The bridges of Open vSwitch with their ports, and for each port its link and VLANs; of ports \
      that the plugins made also the container, its sandbox, the link there and its addresses. What \
      is not as it should be is said below the port. Ports of others are shown, too.

      Examples:
        patchbay show
        patchbay show OVS-1 --json | jq '.bridges[].ports[].problems'
        patchbay show --dot | dot -Tsvg >plugged.svg
      """)

  @Argument(help: "The bridges to show; all of them without one.")
  var bridges: [String] = []

  @Option(
    help: ArgumentHelp(
      "Where ovsdb-server listens: unix:PATH or tcp:IP:PORT.", valueName: "endpoint"))
  var db = Endpoint.standard.description

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
    var picture = try Picture(reading: db, until: .after(.seconds(Int(timeout))))
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
    if json {
      show(String(decoding: picture.json.encoded(indentedBy: 2), as: UTF8.self))
    } else if dot {
      show(picture.dot)
    } else {
      show(PictureTree(picture, width: Terminal.width(.output)).text)
    }
  }
}
