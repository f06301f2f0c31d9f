internal import JSON

/// What the specification allows as names (CNI specification 1.1.0, sections 1 and 2).
///
/// Container IDs and network names become parts of paths: no path separator is among the legal
/// characters, and none of them starts with a dot.
public enum Names {
  /// Bytes. The most that a name of a file can have.
  public static let maximumLength = 255

  /// Whether `text` starts with a letter or digit and goes on with those, `_`, `.` and `-`.
  private static func isWellFormed(_ text: String) -> Bool {
    func isAlphanumeric(_ octet: UInt8) -> Bool {
      switch octet {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
      default: false
      }
    }
    guard let first = text.utf8.first, isAlphanumeric(first) else { return false }
    return text.utf8.allSatisfy { octet in
      isAlphanumeric(octet) || octet == 0x5f || octet == 0x2e || octet == 0x2d
    }
  }

  /// Refuses an invalid container ID, with code 4.
  public static func checkContainerID(_ text: String) throws(CNIError) {
    guard !text.isEmpty else { throw CNIError(.invalidEnvironment, "missing containerID") }
    guard isWellFormed(text) else {
      throw CNIError(.invalidEnvironment, "invalid characters in containerID", details: text)
    }
    guard text.utf8.count <= maximumLength else {
      throw CNIError(
        .invalidEnvironment, "CNI_CONTAINERID is too long",
        details: "\(text.utf8.count) bytes; at most \(maximumLength) are legal")
    }
  }

  /// Refuses an invalid network name, with code 7.
  public static func checkNetworkName(_ text: String) throws(CNIError) {
    guard !text.isEmpty else { throw CNIError(.invalidConfiguration, "missing network name") }
    guard isWellFormed(text) else {
      throw CNIError(
        .invalidConfiguration, "invalid characters found in network name", details: text)
    }
    guard text.utf8.count <= maximumLength else {
      throw CNIError(
        .invalidConfiguration, "network name is too long",
        details: "\(text.utf8.count) bytes; at most \(maximumLength) are legal")
    }
  }

  /// Refuses what the kernel would not take as the name of a link, with code 4.
  public static func checkInterfaceName(_ text: String) throws(CNIError) {
    guard !text.isEmpty else { throw CNIError(.invalidEnvironment, "interface name is empty") }
    guard text.utf8.count <= 15 else {
      throw CNIError(
        .invalidEnvironment, "interface name is too long",
        details: "interface name should be less than 16 characters")
    }
    guard text != ".", text != ".." else {
      throw CNIError(.invalidEnvironment, "interface name is . or ..")
    }
    let isLegal = text.unicodeScalars.allSatisfy {
      $0 != "/" && $0 != ":" && !$0.isSpace && $0.value >= 0x20
    }
    guard isLegal else {
      throw CNIError(
        .invalidEnvironment, "interface name contains / or : or whitespace characters")
    }
  }
}
