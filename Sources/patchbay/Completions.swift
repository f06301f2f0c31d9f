import ArgumentParser

extension CompletionKind {
  /// The networks that there are: what `list` has as their names.
  static var networks: CompletionKind {
    .shellCommand(#"patchbay list --json 2>/dev/null | sed -n 's/^ *"name": "\(.*\)",*$/\1/p'"#)
  }

  /// The bridges of Open vSwitch.
  static var bridges: CompletionKind {
    .shellCommand(
      #"patchbay show --json --timeout 2 2>/dev/null | sed -n 's/^ \{6\}"name": "\(.*\)",*$/\1/p'"#)
  }

  /// The containers that have attachments: their names, and the IDs of those without.
  static var containers: CompletionKind {
    .shellCommand(
      #"patchbay show --json --timeout 2 2>/dev/null | "#
        + #"sed -n 's/^ *"container\(ID\|Name\)": "\(.*\)",*$/\2/p'"#
    )
  }

  /// What `trace` takes as an end: named namespaces and containers.
  static var ends: CompletionKind {
    .shellCommand(
      #"patchbay netns list 2>/dev/null; patchbay show --json --timeout 2 2>/dev/null | "#
        + #"sed -n 's/^ *"containerName": "\(.*\)",*$/\1/p'"#)
  }

  /// The network namespaces that have a name.
  static var namespaces: CompletionKind { .shellCommand("patchbay netns list 2>/dev/null") }
}
