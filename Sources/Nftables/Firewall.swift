public import JSON
public import Linux

/// The kernel's firewall, spoken to by its own JSON interface, libnftables-json(5): one process of
/// nft(8) for one question or one transaction, which happens wholly or not at all.
public enum Firewall {
  /// Where Debian and others have it; the `PATH` of a runtime may lack these.
  private static let directories = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin"]

  /// The directories of `PATH`, then those where distributions have it.
  private static var path: [String] {
    let inherited = (Process.environment("PATH") ?? "").split(separator: ":").map { String($0) }
    return inherited + directories.filter { !inherited.contains($0) }
  }

  /// Throws where the program is missing.
  public static func require() throws(FirewallError) { _ = try executable() }

  /// Where the program is: the first executable of its name.
  static func executable() throws(FirewallError) -> String { try executable(in: path) }

  static func executable(in path: [String]) throws(FirewallError) -> String {
    for directory in path {
      let candidate = "\(directory)/\(FirewallError.program)"
      if let status = try? FileStatus(path: candidate), status.kind == .regular,
        status.permissions & 0o111 != 0
      {
        return candidate
      }
    }
    throw .missing(path: path)
  }

  /// Runs a transaction.
  public static func run(
    _ commands: [FirewallCommand], _ attempt: String, until deadline: Deadline
  ) throws(FirewallError) {
    _ = try FirewallProcess(commands, attempt).finish(until: deadline)
  }

  /// Asks the kernel whether it would take a transaction, and changes nothing.
  public static func test(
    _ commands: [FirewallCommand], _ attempt: String, until deadline: Deadline
  ) throws(FirewallError) {
    _ = try FirewallProcess(commands, attempt, options: ["-c"]).finish(until: deadline)
  }

  /// What `object` has; nil where there is no such object.
  ///
  /// - Parameter hasParts: Whether the parts of the rules of a chain are wanted: those of all rules
  ///   of a large table take more memory than a plugin may have.
  public static func list(
    _ object: FirewallObject, _ attempt: String, until deadline: Deadline,
    partsOf hasParts: (_ chain: String) -> Bool = { _ in true }
  ) throws(FirewallError) -> FirewallListing? {
    do throws(FirewallError) {
      let bytes = try answer(object, attempt, until: deadline)
      var listing = FirewallListing()
      try forEachItem(of: bytes, attempt) { listing.add($0, partsOf: hasParts) }
      return listing
    } catch {
      if error.isAbsence { return nil }
      throw error
    }
  }

  /// Everything that the firewall has in this namespace, from all programs: each thing an object
  /// with its kind as its only member, as libnftables-json(5) has it.
  public static func ruleset(until deadline: Deadline) throws(FirewallError) -> [JSONValue] {
    let attempt = "read the firewall's rules"
    return try items(
      answer(FirewallObject(["ruleset": .null]), attempt, until: deadline), attempt)
  }

  private static func answer(
    _ object: FirewallObject, _ attempt: String, until deadline: Deadline
  ) throws(FirewallError) -> [UInt8] {
    var attempts = 0
    while true {
      do throws(FirewallError) {
        let process = try FirewallProcess([FirewallCommand("list", object)], attempt)
        return try process.finish(until: deadline)
      } catch {
        // The rules were changed while they were read.
        attempts += 1
        guard error.isConflict, attempts < 10, !deadline.hasPassed else { throw error }
      }
    }
  }

  private static func items(_ bytes: [UInt8], _ attempt: String) throws(FirewallError)
    -> [JSONValue]
  {
    let answer: JSONValue
    do { answer = try JSONValue(parsing: Array(line(bytes))) } catch {
      throw .malformed(attempt: attempt, reason: error.description)
    }
    guard let items = answer["nftables"]?.array else {
      throw .malformed(attempt: attempt, reason: "\"nftables\" is not an array")
    }
    return items
  }

  /// The line that is the answer. Before it there may be warnings.
  private static func line(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
    bytes.split(separator: UInt8(ascii: "\n")).first { $0.first == UInt8(ascii: "{") } ?? []
  }

  /// Hands the items of an answer on one after the other: the values of each take memory only as
  /// long as it is looked at.
  private static func forEachItem(
    of bytes: [UInt8], _ attempt: String, _ use: (JSONValue) -> Void
  ) throws(FirewallError) {
    let line = line(bytes)
    // Around the items stands an object whose only member is their array.
    guard let first = line.firstIndex(of: UInt8(ascii: "[")),
      let last = line.lastIndex(of: UInt8(ascii: "]"))
    else { throw .malformed(attempt: attempt, reason: "\"nftables\" is not an array") }
    var items = JSONTextSplitter()
    items.append(Array(line[first..<last].dropFirst()))
    while let text = items.next() {
      // The comma after the item before it stands at its front.
      let item = text.drop { $0 != UInt8(ascii: "{") }
      do { use(try JSONValue(parsing: Array(item))) } catch {
        throw .malformed(attempt: attempt, reason: error.description)
      }
    }
  }
}

/// The program at work on one input. One that goes away before its end is killed; what it did by
/// then is all or nothing.
public struct FirewallProcess: ~Copyable {
  private let attempt: String
  private let process: ChildProcess

  /// Starts it, to do `commands` in one transaction; `attempt` is what errors begin with.
  public init(_ commands: [FirewallCommand], _ attempt: String) throws(FirewallError) {
    try self.init(commands, attempt, options: [])
  }

  init(_ commands: [FirewallCommand], _ attempt: String, options: [String]) throws(FirewallError) {
    let path = try Firewall.executable()
    let input: JSONValue = ["nftables": .array(commands.map { $0.json })]
    do throws(SystemError) {
      process = try ChildProcess(
        start: path, arguments: options + ["-j", "-f", "-"], environment: ["LC_ALL=C"],
        input: input.encoded(), standardError: .merged)
    } catch { throw .unanswered(attempt: attempt, .system(error)) }
    self.attempt = attempt
  }

  /// Waits for its end and returns what it wrote.
  public consuming func finish(until deadline: Deadline) throws(FirewallError) -> [UInt8] {
    let attempt = attempt
    let output: ChildProcess.Output
    do throws(ChildProcess.Failure) {
      output = try process.finish(until: deadline, limit: 1 << 28)
    } catch { throw .unanswered(attempt: attempt, error) }
    guard output.status == .exited(0) else {
      let words = Self.words(output.bytes)
      throw .refused(attempt: attempt, words: words.isEmpty ? "\(output.status)" : words)
    }
    return output.bytes
  }

  /// What stands after `Error: ` in each line, once; without it, the whole in one line.
  private static func words(_ bytes: [UInt8]) -> String {
    let lines = String(decoding: bytes.prefix(4096), as: UTF8.self).split(separator: "\n")
    var errors: [String] = []
    for line in lines {
      let parts = line.split(separator: " ", omittingEmptySubsequences: false)
      guard let mark = parts.firstIndex(of: "Error:") else { continue }
      var rest = parts[(mark + 1)...].joined(separator: " ")
      let prefix = "Could not process rule: "
      if rest.hasPrefix(prefix) { rest.removeFirst(prefix.count) }
      if !errors.contains(rest) { errors.append(rest) }
    }
    return (errors.isEmpty ? lines.map { String($0) } : errors).joined(separator: "; ")
  }
}
