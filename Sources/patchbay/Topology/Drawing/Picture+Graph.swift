import CNI
import Linux
import PluginCore

extension Picture {
  /// The picture for Graphviz: bridges and sandboxes, and an edge for each port between them.
  ///
  /// Whatever belongs to a port is one label in the middle of its edge: only for such is room made.
  var dot: String {
    var lines = [
      "graph patchbay {", "  rankdir=LR;", "  node [shape=box, style=rounded];",
      "  edge [fontsize=10];",
    ]
    var sandboxes: [String] = []
    for bridge in bridges {
      let node = "bridge \(bridge.name)"
      lines.append(
        "  \(quoted(node)) [label=\(quoted(bridge.name.controlCharactersEscaped)), style=bold];")
      for port in bridge.ports where port.name != bridge.name {
        let other: String
        if let record = port.record {
          other = "sandbox \(record.sandbox)"
          if !sandboxes.contains(record.sandbox) {
            sandboxes.append(record.sandbox)
            let label = [record.displayName(isWhole: false), record.sandbox]
              .map(\.controlCharactersEscaped).joined(separator: "\n")
            lines.append("  \(quoted(other)) [label=\(quoted(label))];")
          }
        } else {
          other = "port \(port.name)"
          lines.append(
            "  \(quoted(other)) [label=\(quoted(port.name.controlCharactersEscaped)), "
              + "style=dashed];")
        }
        lines.append("  \(quoted(node)) -- \(quoted(other)) [\(port.attributes)];")
      }
    }
    return (lines + ["}"]).joined(separator: "\n")
  }
}

extension Picture.Port {
  /// Of its edge.
  fileprivate var attributes: String {
    var label = [name]
    if let record {
      label = ["\(name) ═ \(record.attachment.interfaceName)"] + addressTexts
    }
    label.append(vlans.description)
    label += problems.map { "✗ \($0)" }
    let color = problems.isEmpty ? "" : ", color=red, fontcolor=red"
    let text = label.map(\.controlCharactersEscaped).joined(separator: "\n")
    return "label=\(quoted(text))\(color)"
  }
}

/// An ID of the language DOT: a string in quotes, with `\n` for a new line. Other control
/// characters are escaped.
private func quoted(_ text: String) -> String {
  let lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map {
    var line = ""
    for scalar in String($0).controlCharactersEscaped.unicodeScalars {
      if scalar == "\"" || scalar == "\\" { line += "\\" }
      line.unicodeScalars.append(scalar)
    }
    return line
  }
  return "\"" + lines.joined(separator: "\\n") + "\""
}
