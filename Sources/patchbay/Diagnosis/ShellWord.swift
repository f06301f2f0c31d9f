extension String {
  /// The text as one word of a shell's command line: in quotation marks where it needs them.
  var shellWord: String {
    let isPlain = utf8.allSatisfy { octet in
      switch octet {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
      default: "_./:@%+=,-".utf8.contains(octet)
      }
    }
    guard !isPlain || isEmpty else { return self }
    let parts = split(separator: "'", omittingEmptySubsequences: false)
    return "'" + parts.joined(separator: "'\\''") + "'"
  }
}
