import CNI
import CNIRuntime
import JSON

/// Finds every fault that a decoder objects to, though it stops at the first.
///
/// After a fault it puts something else in the place of what is wrong, and decodes again. What
/// fits there the decoder alone knows, so several values are tried, and what it then says counts
/// only if it does not depend on which of them it is.
struct FaultCollector {
  /// The whole document.
  let document: JSONValue
  /// The plugin's place in `plugins`; nil if it is the document.
  let index: Int?
  let decoder: PluginDecoder

  /// One or two of each kind of value that a member can have.
  private static let candidates: [JSONValue?] = [
    nil, 1, 100, 1000, 2000, true, "a0", "b1", "10.77.0.0/24", "10.78.0.0/24", "10.77.0.5/24",
    "10.77.0.5", "10.77.0.6", "fd77::/64", "fd78::/64", "fd77::5/64", "fd77::5", "fd77::6",
    "02:00:00:00:00:01", "02:00:00:00:00:02", "/tmp/a", "unix:/tmp/a", [], ["a0"], [[]], [:],
    ["id": 1], ["id": 2],
    ["subnet": "10.77.0.0/24"], ["subnet": "10.78.0.0/24"], [["subnet": "10.77.0.0/24"]],
    [["subnet": "10.78.0.0/24"]], ["address": "10.77.0.5/24"], ["address": "10.78.0.5/24"],
    ["dst": "10.77.0.0/24"], ["dst": "10.78.0.0/24"], ["name": "a0", "ip": "10.77.0.5"],
  ]

  func faults() -> [JSONDecodingError] {
    var found: [JSONDecodingError] = []
    var document = completed
    var next = firstFault(in: document)
    while let fault = next, found.count < 100 {
      found.append(fault)
      var place: JSONPath? = fault.path
      next = nil
      while let path = place {
        if let (better, rest) = mended(document, at: path) {
          document = better
          next = rest
          break
        }
        place = path.parent
      }
    }
    return found
  }

  /// The plugin, with name and version of the list in it.
  var plugin: JSONCursor {
    let root = JSONCursor(completed)
    return plugin(in: root) ?? root
  }

  /// The document with name and version of the list in the plugin, as a runtime puts them there.
  private var completed: JSONValue {
    let root = JSONCursor(document)
    guard let plugin = plugin(in: root) else { return document }
    return [PluginMember.name, .cniVersion].reduce(document) { document, name in
      root[name].value.flatMap { document.replacing(plugin[name].path, with: $0) } ?? document
    }
  }

  private func plugin(in root: JSONCursor) -> JSONCursor? {
    guard let index else { return root }
    guard let elements = try? root[NetworkList.Member.plugins].elements,
      elements.indices.contains(index)
    else {
      return nil
    }
    return elements[index]
  }

  /// What the decoder says of `document`; nil if it is content.
  private func firstFault(in document: JSONValue) -> JSONDecodingError? {
    guard let plugin = plugin(in: JSONCursor(document)) else { return nil }
    do throws(JSONDecodingError) {
      try decoder.decode(plugin)
      return nil
    } catch { return error }
  }

  /// `document` without the fault at `path`, and what is wrong with it next; nil where nothing that
  /// is put there makes it better.
  private func mended(_ document: JSONValue, at path: JSONPath)
    -> (document: JSONValue, next: JSONDecodingError?)?
  {
    guard path.parent != nil else { return nil }
    var outcomes: [(document: JSONValue, next: JSONDecodingError, count: Int)] = []
    for candidate in Self.candidates where candidate != nil || !path.isElement {
      guard let changed = document.replacing(path, with: candidate) else { continue }
      guard let next = firstFault(in: changed) else { return (changed, nil) }
      if next.path.isWithin(path) { continue }
      if let position = outcomes.firstIndex(where: { $0.next == next }) {
        outcomes[position].count += 1
      } else {
        outcomes.append((changed, next, 1))
      }
    }
    // What is said of one candidate only is about that candidate, unless that is nothing at all.
    guard let best = outcomes.max(by: { $0.count < $1.count }) else { return nil }
    if best.count > 1 { return (best.document, best.next) }
    guard !path.isElement, let without = document.replacing(path, with: nil),
      let outcome = outcomes.first(where: { $0.document == without })
    else { return nil }
    return (outcome.document, outcome.next)
  }
}
