import JSON
import Linux
import OVSDB

/// What one check found.
struct Finding: Hashable {
  enum Status: String {
    /// As it should be.
    case good
    /// It stands in the way.
    case fault
    /// It may stand in the way: what can be read does not decide it.
    case doubt
    /// It could not be looked at.
    case skipped
  }
  /// Names the check; programs go by it, so it stays.
  let id: String
  /// What was looked at: a link, a bridge, a container.
  let subject: String
  let status: Status
  /// One sentence.
  let text: String
  /// The command that mends it; nil where there is none.
  let remedy: String?

  init(
    _ id: String, _ subject: String, _ status: Status, _ text: String, remedy: String? = nil
  ) {
    self.id = id
    self.subject = subject
    self.status = status
    self.text = text
    self.remedy = remedy
  }

  /// That ovsdb-server cannot be read, without which nothing else can be looked at.
  init(silent error: OVSDBError) {
    if case .deadlinePassed(let endpoint, _, _) = error {
      // One that is stopped takes connections, and is not started by being started.
      self.init(
        "ovsdb-dead", "ovsdb-server", .fault,
        "ovsdb-server at \(endpoint) takes connections and does not respond.",
        remedy: SwitchService.restart)
      return
    }
    let text = "\(error)".hasSuffix("?") ? "\(error)" : "\(error)."
    if Failure.privilege(for: text) != nil {
      self.init(
        "ovsdb-dead", "ovsdb-server", .fault, "Open vSwitch's database cannot be read: \(text)",
        remedy: "run it with sudo")
    } else if case .unusableEndpoint = error {
      self.init("ovsdb-dead", "ovsdb-server", .fault, text)
    } else {
      self.init(
        "ovsdb-dead", "ovsdb-server", .fault, "ovsdb-server does not respond: \(text)",
        remedy: SwitchService.cure)
    }
  }

  /// For people: with control characters escaped, as `Paragraph` does with `text`.
  var printableSubject: String { subject.controlCharactersEscaped }
  /// Likewise.
  var printableRemedy: String? { remedy?.controlCharactersEscaped }

  var json: JSONValue {
    .object([
      ("id", .string(id)), ("subject", .string(subject)), ("status", .string(status.rawValue)),
      ("text", .string(text)), ("remedy", remedy.map { .string($0) }),
    ])
  }
}

/// What the checks have found so far, in the order in which a cause counts.
struct Findings {
  private(set) var all: [Finding] = []

  mutating func add(_ finding: Finding) { all.append(finding) }
  mutating func good(_ id: String, _ subject: String, _ text: String) {
    all.append(Finding(id, subject, .good, text))
  }
  mutating func fault(_ id: String, _ subject: String, _ text: String, remedy: String? = nil) {
    all.append(Finding(id, subject, .fault, text, remedy: remedy))
  }
  mutating func doubt(_ id: String, _ subject: String, _ text: String, remedy: String? = nil) {
    all.append(Finding(id, subject, .doubt, text, remedy: remedy))
  }
  mutating func skipped(_ id: String, _ subject: String, _ text: String) {
    all.append(Finding(id, subject, .skipped, text))
  }

  /// The fault that explains the others: the first.
  var cause: Finding? { all.first { $0.status == .fault } }
  var hasFault: Bool { cause != nil }
  var faults: [Finding] { all.filter { $0.status == .fault } }
  var doubts: [Finding] { all.filter { $0.status == .doubt } }
  var skipped: [Finding] { all.filter { $0.status == .skipped } }

  func has(_ id: String) -> Bool { all.contains { $0.id == id && $0.status == .fault } }

  /// A tag beside a mode in which it means nothing.
  mutating func checkTag(of port: DatabaseReading.Port) {
    guard port.vlans.mode == "trunk", let tag = port.vlans.tag else { return }
    doubt(
      "vlan-ignored", port.name,
      "\(port.name): vlan_mode is trunk, so its tag \(tag) has no effect.",
      remedy: "ovs-vsctl set Port \(port.name.shellWord) vlan_mode=access")
  }
}

/// The sign before a line.
enum Mark {
  static func of(_ status: Finding.Status) -> (text: String, style: Style) {
    switch status {
    case .good: ("✓", .good)
    case .fault: ("✗", .error)
    case .doubt: ("?", .warning)
    case .skipped: ("-", .faint)
    }
  }
}
