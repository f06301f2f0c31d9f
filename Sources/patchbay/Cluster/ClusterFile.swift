import ArgumentParser
import LeaseDatabase
import Linux

/// The file of a member, which `ovsdb-tool` makes.
struct ClusterFile: ParsableArguments {
  @Option(
    name: .customLong("file"),
    help: ArgumentHelp("The file of the database.", valueName: "path"), completion: .file())
  var path = Self.standard

  /// Where the unit of conf/cluster has it.
  static let standard = "/var/lib/patchbay/ipam.db"

  /// Says that it takes an absolute path.
  func validate() throws {
    guard path.hasPrefix("/"), path.utf8.last != UInt8(ascii: "/") else {
      throw ValidationError("--file \(path): write an absolute path of a file")
    }
  }

  /// Whether the file is there, and is what is to be made; throws where it is something else.
  ///
  /// - Parameter address: Where the member listens for others; nil: a database alone.
  private func isThere(_ address: MemberAddress?) throws -> Bool {
    guard (try? FileStatus(path: path)) != nil else { return false }
    func line(_ command: String) throws -> String {
      try Self.tool([command, path]).split(separator: "\n").first.map { String($0) } ?? ""
    }
    let database = try line("db-name")
    let hint = "--file names another file"
    guard database == LeaseSchema.name else {
      throw Failure("\(path) has the database \"\(database)\"", hint: hint)
    }
    let isAlone = (try? Self.tool(["db-is-standalone", path])) != nil
    let found = isAlone ? nil : try line("db-local-address")
    guard found != address?.text else { return true }
    let kind = found.map { "the member of a cluster that listens at \($0)" } ?? "a database alone"
    throw Failure(
      "\(path) is there and is \(kind), not "
        + (address.map { "a member that listens at \($0.text)" } ?? "a database alone"),
      hint: hint)
  }

  /// Makes the file by `ovsdb-tool`: whole, or not at all. False where it is there already.
  ///
  /// - Parameter address: Where the member listens for others; nil: a database alone.
  /// - Parameter arguments: What `ovsdb-tool` gets, with the path of the file to make, and of the
  ///   schema.
  func make(
    _ address: MemberAddress?, _ arguments: (_ file: String, _ schema: String) -> [String]
  ) throws -> Bool {
    if try isThere(address) { return false }
    let (directory, name) = split
    let place = try Self.open(directory)
    let (new, schema) = (".\(name).new", ".\(name).ovsschema")
    defer {
      for rest in [new, ".\(new).~lock~", schema] { _ = try? place.remove(rest) }
    }
    do {
      // One that was killed half-way may have left it.
      try place.remove(new)
      try place.replace(schema, with: Array(ClusterSchema.text.utf8))
    } catch { throw Failure("cannot write in \(directory): \(error)") }
    _ = try Self.tool(arguments("\(directory)/\(new)", "\(directory)/\(schema)"))
    do {
      // A link never replaces what another has made meanwhile.
      try place.link(new, as: name)
      try place.synchronize()
    } catch { throw Failure("cannot make \(path): \(error)") }
    return true
  }

  private static func open(_ directory: String) throws -> Directory {
    do { return try Directory.create(path: directory, mode: 0o750) } catch {
      throw Failure("cannot make \(directory): \(error)")
    }
  }

  private var split: (directory: String, name: String) {
    let slash = path.lastIndex(of: "/") ?? path.startIndex
    let directory = path[..<slash]
    return (directory.isEmpty ? "/" : String(directory), String(path[slash...].dropFirst()))
  }

  /// What `ovsdb-tool` prints.
  static func tool(_ arguments: [String]) throws -> String {
    let path = Executables.path(Process.environment("PATH") ?? "")
    guard let file = Executables.find("ovsdb-tool", in: path) else {
      throw Failure(
        "there is no program \"ovsdb-tool\" in PATH (\(path))",
        hint: "it is of the package openvswitch-common")
    }
    do {
      let output = try ChildProcess(
        start: file, arguments: arguments, environment: ["PATH=\(path)"], input: [],
        standardError: .merged
      ).finish(until: .after(.seconds(30)))
      let text = String(decoding: output.bytes, as: UTF8.self)
      guard output.status == .exited(0) else {
        throw Failure("ovsdb-tool \(arguments.first ?? ""): \(output.status)", hint: text)
      }
      return text
    } catch let failure as Failure { throw failure } catch {
      throw Failure("cannot run ovsdb-tool: \(error)")
    }
  }
}
