import Addresses
import CNI
import Linux
import Netlink
import OpenVSwitch
import PluginCore

/// The picture for people: a tree of bridges and ports.
///
///     Open vSwitch 3.1.0, unix:/var/run/openvswitch/db.sock
///     └─ bridge OVS-1, userspace datapath
///        ├─ OVS-1           internal, the bridge's own
///        └─ vethq6zdx3pw2nh ═══ eth0 in /run/netns/ns1
///             network   ovs-1, container cnitool-77383ca0b5c1d4b5b2c6
///             address   192.168.0.1/24, mac 0a:58:c0:a8:00:01
///             VLAN      access 10
struct PictureTree {
  private let picture: Picture
  /// Columns; nil where nothing is cut.
  private let width: Int?
  /// Whether container IDs are not cut.
  private let isWhole: Bool
  private var lines: [String] = []

  /// Where lines are broken.
  private var room: Int { width ?? 80 }

  /// - Parameter width: The columns of the terminal; nil without one.
  init(_ picture: Picture, width: Int?, isWhole: Bool = false) {
    self.picture = picture
    self.width = width.map { max($0, 40) }
    self.isWhole = isWhole
    draw()
  }

  /// The lines.
  var text: String { lines.joined(separator: "\n") }

  private mutating func draw() {
    let version = picture.version.map { " \($0)" } ?? ""
    add("", [("Open vSwitch\(version)", .strong), (", \(picture.endpoint)", .faint)])
    for (position, bridge) in picture.bridges.enumerated() {
      draw(bridge, isLast: position == picture.bridges.count - 1)
    }
    if picture.bridges.isEmpty { add("", [("There is no bridge.", nil)]) }
    for note in picture.notes { add("", [(note, .faint)]) }
    for problem in picture.problems { complain("", problem) }
    add("", [("", nil)])
    let ports = picture.bridges.reduce(0) { $0 + $1.ports.count }
    let problems = picture.allProblems.count
    add(
      "",
      [
        ("\(count(picture.bridges.count, "bridge")), \(count(ports, "port")), ", nil),
        problems == 0 ? ("no problem", .good) : (count(problems, "problem"), .error),
      ])
  }

  private mutating func draw(_ bridge: Picture.Bridge, isLast: Bool) {
    let datapath =
      switch bridge.datapath {
      case .system: "kernel datapath"
      case .netdev: "userspace datapath"
      default: "datapath \(bridge.datapath)"
      }
    let margin = isLast ? "   " : "│  "
    list(
      isLast ? "└─ " : "├─ ", margin + "     ",
      [("bridge ", nil), (bridge.name, .strong), (", ", .faint)], [datapath] + bridge.settings)
    for problem in bridge.problems { complain(margin, problem) }
    // Names of links have at most 15 bytes.
    let column = min(15, bridge.ports.map(\.name.count).max() ?? 0)
    for (position, port) in bridge.ports.enumerated() {
      let isLastPort = position == bridge.ports.count - 1
      draw(
        port, of: bridge, margin + (isLastPort ? "└─ " : "├─ "),
        margin + (isLastPort ? "   " : "│  "), column)
    }
  }

  private mutating func draw(
    _ port: Picture.Port, of bridge: Picture.Bridge, _ branch: String, _ margin: String,
    _ column: Int
  ) {
    let start = lines.count
    let name = port.name + String(repeating: " ", count: max(0, column - port.name.count))
    if let record = port.record {
      let head: [(text: String, style: Style?)] = [
        (name, port.problems.isEmpty ? .strong : .error), (" ═══ ", .faint),
        (record.attachment.interfaceName, .strong),
      ]
      let place = " in \(record.sandbox)"
      let length = head.reduce(branch.count + place.count) { $0 + $1.text.count }
      if length <= room {
        add(branch, head + [(place, nil)])
      } else {
        add(branch, head)
        add(margin + " ", [(place, nil)])
      }
      detail(
        margin, "network",
        [record.network, "container \(record.displayName(isWhole: isWhole))"])
      let mac = port.container?.link.mac?.description ?? record.mac
      detail(margin, "address", port.addressTexts + (mac.map { ["mac \($0)"] } ?? []))
      detail(margin, "VLAN", [port.vlans.description] + port.roles)
      if let logicalPort = port.logicalPort { detail(margin, "logical", logicalPort.facts) }
      if let gateway = port.gateway { detail(margin, "gateway", gateway.facts) }
      if let guarding = port.guarding { detail(margin, "guard", guarding.facts) }
      if let rates = port.rates { detail(margin, "rates", rates.facts) }
    } else {
      var facts = port.interfaces.map { interface in
        interface.type + (interface.name == port.name ? "" : " \(interface.name)")
          + (interface.target.map { " to \($0)" } ?? "")
      }
      if let peer = port.peer { facts.append("to \(peer)") }
      if port.name == bridge.name { facts.append("the bridge's own") }
      if let owner = port.owner { facts.append("of \(owner)") }
      if let first = port.gatewayAddresses.first {
        facts.append("gateway \(first)")
        facts += port.gatewayAddresses.dropFirst().map(\.description)
      }
      if let logicalPort = port.logicalPort, let first = logicalPort.facts.first {
        facts.append("logical port \(first)")
        facts += logicalPort.facts.dropFirst()
      }
      let isTrunkOfAll = port.vlans.tag == nil && port.vlans.trunks.isEmpty
      if !isTrunkOfAll { facts.append(port.vlans.description) }
      facts += port.roles + (port.rates?.portFacts ?? [])
      list(
        branch, margin + "     ",
        [(name, port.problems.isEmpty ? nil : .error), ("  ", nil)], facts)
    }
    let described = lines.count
    for problem in port.problems { complain(margin + "  ", problem) }
    shorten(from: start, problemsFrom: described, margin)
  }

  /// Leaves the lines of one port from `start` on no more than ten: what is wrong goes before what
  /// is known, as far as it needs a half.
  private mutating func shorten(from start: Int, problemsFrom middle: Int, _ margin: String) {
    let most = Self.linesOfPort
    guard lines.count - start > most else { return }
    let known = min(middle - start, max(most / 2, most - (lines.count - middle)))
    let problems = Array(lines[middle...].prefix(most - known))
    lines = Array(lines[..<(start + known)]) + problems
    lines.removeLast()
    add(margin + "  ", [("… --json has the rest", .faint)])
  }

  /// The most that a port takes.
  private static let linesOfPort = 10

  /// What is wrong, in as many lines as it takes.
  private mutating func complain(_ margin: String, _ problem: String) {
    let room = (width ?? .max) - margin.count
    var line = "✗"
    for word in problem.split(separator: " ") {
      if line.count + 1 + word.count > room {
        add(margin, [(line, .error)])
        line = " "
      }
      line += " \(word)"
    }
    add(margin, [(line, .error)])
  }

  /// A line of what is known of a port; items that do not fit go on in the next one.
  private mutating func detail(_ margin: String, _ label: String, _ items: [String]) {
    let column = 10
    let head = label + String(repeating: " ", count: column - label.count)
    let indentation = margin + "  " + String(repeating: " ", count: column)
    list(margin + "  ", indentation, [(head, .faint)], items, nil)
  }

  /// Items with commas between after what comes first on a line; those that do not fit go on in the
  /// next one.
  private mutating func list(
    _ branch: String, _ indentation: String, _ head: [(text: String, style: Style?)],
    _ items: [String], _ style: Style? = .faint
  ) {
    var text = ""
    var start = (margin: branch, parts: head)
    for (position, item) in items.enumerated() {
      let isLast = position == items.count - 1
      let word = item + (isLast ? "" : ",")
      let used = start.parts.reduce(start.margin.count + text.count) { $0 + $1.text.count }
      if !text.isEmpty, used + 1 + word.controlCharactersEscaped.count > room {
        add(start.margin, start.parts + [(text, style)])
        start = (margin: indentation, parts: [])
        text = word
      } else {
        text += (text.isEmpty ? "" : " ") + word
      }
    }
    add(start.margin, start.parts + [(text, style)])
  }

  /// Adds a line, cut where it is longer than the terminal is wide.
  ///
  /// Most of what is in it came from outside: control characters are escaped.
  private mutating func add(_ margin: String, _ parts: [(text: String, style: Style?)]) {
    let parts = parts.map { (text: $0.text.controlCharactersEscaped, style: $0.style) }
    var room = width.map { $0 - margin.count } ?? .max
    let total = parts.reduce(0) { $0 + $1.text.count }
    var line = StandardStream.output.styled(margin, margin.isEmpty ? nil : .faint)
    let isCut = total > room
    if isCut { room -= 1 }
    for part in parts where room > 0 && !part.text.isEmpty {
      let text = String(part.text.prefix(room))
      room -= text.count
      line += StandardStream.output.styled(text, part.style)
    }
    lines.append(isCut ? line + "…" : line)
  }

  private func count(_ number: Int, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
  }
}

extension Picture.Port {
  /// What it does beside carrying VLANs.
  fileprivate var roles: [String] {
    (isIsolated ? ["isolated"] : []) + mirrorRoles + (unusualMTU.map { ["MTU \($0)"] } ?? [])
  }
}
