public import CNI
internal import Linux

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
      // As the reference plugin, whose standard library writes it so.
      let reason = error.errno == .noSuchFileOrDirectory ? "no such file or directory" : nil
      throw CNIError(
        code, reason.map { "open \(path): \($0)" } ?? "cannot read ipam.resolvConf",
        details: "ipam.resolvConf: \(error)")
    }
  }
}

extension DNS {
  /// Reads the text of a resolv.conf(5). Lines that say something else, or nothing, are passed
  /// over.
  init(resolvConf text: String) {
    self.init()
    for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
      let words = Substring(line).split { $0.isWhitespace }.map { String($0) }
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
