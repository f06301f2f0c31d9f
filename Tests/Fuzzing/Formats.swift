import Addresses
import CNI
import JSON
import PluginConfigurations

@testable import CNIRuntime
@testable import Netlink
@testable import OVSDB
import OpenVSwitch
import Unixctl

extension Feeding {
  static func configuration(_ octets: [UInt8]) {
    _ = try? NetworkList(parsing: octets)
    _ = try? NetworkList(parsingSingle: octets)
    guard let value = try? JSONValue(parsing: octets) else { return }
    let json = JSONCursor(value)
    for command in Command.allCases {
      guard let network = try? NetworkConfiguration(json, for: command) else { continue }
      require(
        !network.name.contains("/") && network.name != "..", "a path: \(network.name)")
    }
    if let configuration = try? OVSBridgeConfiguration(json) {
      require(configuration.vlans.trunks.count <= 4096, "too many VLANs")
    }
    _ = try? StaticConfiguration(json)
    _ = HostLocalConfiguration(forReleasing: json)
    if let configuration = try? HostLocalConfiguration(json) {
      for set in configuration.sets { _ = (set.text, set.ranges.flatMap(\.open)) }
    }
  }

  static func cache(_ octets: [UInt8]) {
    guard let value = try? JSONValue(parsing: octets) else { return }
    let json = JSONCursor(value)
    if let entry = CachedAttachment(json) {
      let text = entry.encoded()
      guard let again = try? JSONValue(parsing: text),
        let second = CachedAttachment(JSONCursor(again))
      else { fatalError("cannot be read again: \(octets)") }
      require(second.attachment == entry.attachment, "another attachment: \(octets)")
      require(second.configuration == entry.configuration, "another configuration: \(octets)")
      _ = entry.knownSandboxPath
    }
    for version in SpecificationVersion.allCases {
      guard let result = try? AttachmentResult(json, defaultVersion: version) else { continue }
      for version in SpecificationVersion.allCases {
        guard let written = try? result.json(version) else { continue }
        require(
          (try? AttachmentResult(JSONCursor(written), defaultVersion: version)) != nil,
          "a result that cannot be read: \(octets)")
      }
    }
    _ = try? CNIError(json)
  }

  static func netlink(_ octets: [UInt8]) {
    // As a datagram.
    var cursor = MessageCursor(octets)
    while let message = try? cursor.next() {
      _ = try? Acknowledgement(message)
      _ = try? Link(message.body)
      decodeLists(message.body)
    }
    // As the body of a message, whose header was good.
    _ = try? Link(octets[...])
    decodeLists(octets[...])
  }

  private static func decodeLists(_ body: ArraySlice<UInt8>) {
    var links: [Link] = []
    try? Link.decode(body, into: &links)
    var addresses: [LinkAddress] = []
    try? LinkAddress.decode(body, into: &addresses)
    var routes: [Netlink::Route] = []
    try? Netlink::Route.decode(body, into: &routes)
    for link in links { _ = "\(link)" }
    for address in addresses { _ = "\(address)" }
    for route in routes { _ = "\(route)" }
  }

  static func ovsdb(_ octets: [UInt8]) {
    control(octets)
    var splitter = JSONTextSplitter()
    splitter.append(octets)
    while let text = splitter.next() {
      guard let json = try? JSONValue(parsing: text) else { continue }
      for value in [json] + (json.array ?? []) + (json.object?.members.map(\.value) ?? []) {
        _ = OperationResult(value)
        _ = Refusal(value)
        if let value = Value(value) {
          require(Value(value.json) == value, "another value: \(octets)")
          _ = String.decoded(from: value)
          _ = Int64?.decoded(from: value)
          _ = [Int64].decoded(from: value)
          _ = [String: String].decoded(from: value)
        }
        apply(value)
      }
    }
  }

  /// As what ovs-vswitchd sends over its control socket, and as the text of a trace.
  private static func control(_ octets: [UInt8]) {
    var whole = ControlResponses()
    whole.append(octets)
    let outcome = whole.outcome(of: 1)
    var pieces = ControlResponses()
    var found: ControlResponses.Outcome?
    for octet in octets where found == nil {
      pieces.append([octet])
      found = pieces.outcome(of: 1)
    }
    require(found == outcome, "another outcome in pieces: \(octets)")
    var texts = [String(decoding: octets, as: UTF8.self)]
    if case .text(let text) = outcome { texts.append(text) }
    for text in texts {
      let trace = FlowTrace(text)
      _ = (trace.outputs, trace.remarks, trace.lastTable?.isMiss)
    }
  }

  /// As what a monitor tells, in both forms.
  private static func apply(_ updates: JSONValue) {
    let rows: [MonitoredRows<OpenVSwitchDatabase>] = [
      .rows(
        of: .interface, where: [.equal(.name, "v0")], .columns(.name, .ofport, .error, .ifindex)
      ),
      .rows(of: .port, .columns(.name, .tag, .trunks, .externalIDs)),
      .rows(of: .openVSwitch, .columns(.currentConfiguration)),
    ]
    for isConditional in [true, false] {
      var state = MonitorState(
        database: OpenVSwitchDatabase.name, monitored: rows.map(\.request),
        isConditional: isConditional,
        request: Session.Request(id: 1, method: "monitor_cond", changes: false, end: 0))
      _ = state.apply(updates)
      _ = state.apply(updates)
    }
  }
}
