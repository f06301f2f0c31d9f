import ArgumentParser

extension CompletionKind {
  /// The networks that there are: what `list` has as their names.
  static var networks: CompletionKind {
    .shellCommand(#"patchbay list --json 2>/dev/null | sed -n 's/^ *"name": "\(.*\)",*$/\1/p'"#)
  }

  /// The network namespaces that have a name.
  static var namespaces: CompletionKind { .shellCommand("patchbay netns list 2>/dev/null") }
}
