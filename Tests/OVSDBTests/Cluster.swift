import Foundation
import OVSDB
import TestSupport

/// A database of the tests' own: OVSDB knows no schema.
enum TestDatabase: DatabaseSchema {
  static let name = "Shelf"
  struct BookTable: Table {
    typealias Schema = TestDatabase
    let name = "Book"
  }
  static let schema = """
    {"name": "Shelf", "version": "1.0.0", "tables": {"Book": {"isRoot": true, "columns":
    {"title": {"type": "string"}, "pages": {"type": {"key": "integer", "min": 0, "max": 1}}}}}}
    """
}
extension Table where Self == TestDatabase.BookTable {
  static var book: Self { Self() }
}
extension Column where T == TestDatabase.BookTable, Content == String {
  static var title: Self { Self("title") }
}
extension Column where T == TestDatabase.BookTable, Content == Int64? {
  static var pages: Self { Self("pages") }
}

/// Three ovsdb-servers that keep one database together (Raft).
final class Cluster {
  let directory: TemporaryDirectory
  private(set) var members: [Daemon] = []
  let endpoints: [Endpoint]

  init() throws {
    try PrivateHost.require()
    directory = try TemporaryDirectory()
    try directory.write(TestDatabase.schema, to: "schema")
    let path = directory.path
    endpoints = (1...3).map { .unix("\(path)/\($0).sock") }
    let addresses = (1...3).map { "unix:\(path)/\($0).raft" }
    try run("ovsdb-tool", ["create-cluster", "\(path)/1.db", "\(path)/schema", addresses[0]])
      .checked()
    for number in 2...3 {
      try run(
        "ovsdb-tool",
        ["join-cluster", "\(path)/\(number).db", TestDatabase.name, addresses[number - 1]]
          + addresses.filter { $0 != addresses[number - 1] }
      ).checked()
    }
    for number in 1...3 { members.append(try start(number)) }
    try eventually("three sockets") {
      (1...3).allSatisfy { FileManager.default.fileExists(atPath: "\(path)/\($0).sock") }
    }
  }

  /// Starts the member `number`, from 1 on.
  private func start(_ number: Int) throws -> Daemon {
    let path = directory.path
    return try Daemon(
      "ovsdb-server",
      [
        "\(path)/\(number).db", "--remote=punix:\(path)/\(number).sock",
        "--unixctl=\(path)/\(number).ctl", "-vconsole:off", "-vsyslog:off", "-vfile:info",
        "--log-file=\(path)/\(number).log",
      ], environment: ProcessInfo.processInfo.environment, log: "\(path)/\(number).out")
  }
}
