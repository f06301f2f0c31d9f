public import CNI
internal import JSON
public import Linux

extension DNS {
  /// What the file `path` says of the resolution of names; see resolv.conf(5).
  ///
  /// - Parameter code: Of the error where it cannot be read.
  public init(resolverFile path: String, _ code: CNIError.Code = .ioFailure) throws(CNIError) {
    do throws(SystemError) {
      // A FIFO must not keep us waiting.
      let file = try FileDescriptor.open(path, [.readOnly, .nonBlocking])
      self.init(resolvConf: String(decoding: try file.readToEnd(limit: 1 << 20), as: UTF8.self))
    } catch {
      throw CNIError(
        code, error.text(of: error.call, path), details: "ipam.resolvConf: \(error)")
    }
  }
}

extension DNS {
  /// Reads the text of a resolv.conf(5). Lines that say something else, or nothing, are passed
  /// over.
  init(resolvConf text: String) {
    self.init()
    for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
      let words = Substring(line).unicodeScalars.split { $0.isSpace }.map { String($0) }
      guard words.count >= 2, let keyword = words.first, !keyword.hasPrefix("#"),
        !keyword.hasPrefix(";")
      else { continue }
      switch keyword {
      case "nameserver": nameservers.append(words[1])
      case "domain": domain = words[1]
      case "search": search += words[1...]
      case "options": options += words[1...]
      default: break
      }
    }
  }
}

extension SystemError {
  /// What the reference plugins say of it, whose standard library writes it so:
  /// `open /etc/resolv.conf: no such file or directory`.
  public func text(of call: String, _ path: String) -> String {
    "\(call) \(path): \(String(errno.text.prefix(1)).asciiLowercased)\(errno.text.dropFirst())"
  }
}
