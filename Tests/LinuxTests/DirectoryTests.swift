import Foundation
import Linux
import TestSupport
import Testing

@Suite("Directories and files")
struct DirectoryTests {
  let temporary: TemporaryDirectory
  init() throws { temporary = try TemporaryDirectory() }

  @Test("replacing a file gives it the new content and its mode, and leaves nothing beside it")
  func replace() throws {
    let directory = try Directory(path: temporary.path)
    #expect(try directory.read("lease") == nil)
    try directory.replace("lease", with: Array("one".utf8))
    try directory.replace("lease", with: Array("two".utf8))
    #expect(try directory.read("lease") == Array("two".utf8))
    #expect(try directory.names() == ["lease"])
    let status = try #require(try directory.status(of: "lease"))
    #expect(status.permissions == 0o600)
    #expect(status.kind == .regular)
    #expect(status.size == 3)
  }

  @Test("a file that could not be replaced keeps its content, and nothing is left beside it")
  func replaceFails() throws {
    let directory = try Directory(path: temporary.path)
    #expect(try directory.makeDirectory("busy", mode: 0o755))
    try temporary.write("content", to: "busy/file")
    #expect(throws: SystemError.self) { try directory.replace("busy", with: [1]) }
    #expect(try directory.names() == ["busy"])
    #expect(temporary.read("busy/file") == "content")
  }

  @Test("what is read is the old or the new content, never a part")
  func atomicity() throws {
    let directory = try Directory(path: temporary.path)
    let contents = (0..<2).map { [UInt8](repeating: UInt8($0), count: 40_000 + 20_000 * $0) }
    try directory.replace("file", with: contents[0])
    let path = temporary.path
    let writer = Thread {
      guard let directory = try? Directory(path: path) else { return }
      for turn in 0..<300 { try? directory.replace("file", with: contents[turn % 2]) }
      try? directory.replace("end", with: [])
    }
    writer.start()
    while try directory.status(of: "end") == nil {
      let read = try #require(try directory.read("file"))
      #expect(read == contents[0] || read == contents[1])
    }
  }

  @Test("a second name is given once")
  func link() throws {
    let directory = try Directory(path: temporary.path)
    try temporary.write("x", to: "a")
    try directory.link("a", as: "b")
    #expect(temporary.read("b") == "x")
    let failure = SystemError("link", "\(temporary.path)/b", .fileExists)
    #expect(throws: failure) { try directory.link("a", as: "b") }
    #expect(try directory.status(of: "a")?.inode == directory.status(of: "b")?.inode)
    #expect(try directory.remove("a"))
    #expect(try !directory.remove("a"))
    #expect(temporary.read("b") == "x")
    try directory.rename("b", to: "c")
    #expect(try directory.names() == ["c"])
  }

  @Test("symbolic links in it are not followed")
  func symbolicLinks() throws {
    let directory = try Directory(path: temporary.path)
    let elsewhere = try TemporaryDirectory()
    try elsewhere.write("secret", to: "file")
    try FileManager.default.createSymbolicLink(
      atPath: "\(temporary.path)/link", withDestinationPath: "\(elsewhere.path)/file")
    let failure = SystemError("open", "\(temporary.path)/link", .tooManySymbolicLinkLevels)
    #expect(throws: failure) { try directory.read("link") }
    #expect(throws: failure) { _ = try directory.open("link", [.writeOnly, .create]) }
    #expect(try directory.status(of: "link")?.kind == .symbolicLink)
    try directory.replace("link", with: Array("mine".utf8))
    #expect(elsewhere.read("file") == "secret")
    #expect(try directory.status(of: "link")?.kind == .regular)
  }

  @Test(
    "a name is one component", arguments: ["", ".", "..", "a/b", "../x", "/etc/passwd", "a\0b"])
  func names(name: String) throws {
    let directory = try Directory(path: temporary.path)
    try temporary.write("x", to: "a")
    func expect(_ call: String, _ body: () throws -> Void) {
      #expect(throws: SystemError(call, "\(temporary.path)/\(name)", .invalidArgument)) {
        try body()
      }
    }
    expect("open") { _ = try directory.read(name) }
    expect("stat") { _ = try directory.status(of: name) }
    expect("unlink") { _ = try directory.remove(name) }
    expect("mkdir") { _ = try directory.makeDirectory(name, mode: 0o755) }
    expect("link") { try directory.link("a", as: name) }
    expect("rename") { try directory.rename("a", to: name) }
    #expect(throws: SystemError.self) { try directory.replace(name, with: []) }
    #expect(temporary.files() == ["a": "x"])
  }

  @Test("missing directories are made, and those that are there are taken as they are")
  func create() throws {
    let path = "\(temporary.path)/a/b//c/"
    #expect(throws: SystemError("open", path, .noSuchFileOrDirectory)) {
      _ = try Directory(path: path)
    }
    for _ in 0..<2 {
      let directory = try Directory.create(path: path, mode: 0o755)
      #expect(try directory.names() == [])
    }
    #expect(try FileStatus(path: path).permissions & 0o700 == 0o700)
    try temporary.write("", to: "file")
    #expect(throws: SystemError.self) {
      _ = try Directory.create(path: "\(temporary.path)/file/x", mode: 0o755)
    }
    #expect(!(try Directory(path: temporary.path).makeDirectory("a", mode: 0o755)))
  }

  @Test("a directory held open is found wherever it is moved")
  func moved() throws {
    let directory = try Directory.create(path: "\(temporary.path)/old", mode: 0o755)
    #expect(rename("\(temporary.path)/old", "\(temporary.path)/new") == 0)
    try directory.replace("file", with: Array("x".utf8))
    #expect(temporary.read("new/file") == "x")
  }

  @Test("all names of a large directory are listed, twice alike")
  func list() throws {
    let directory = try Directory(path: temporary.path)
    for number in 0..<1000 {
      _ = try directory.open("f\(number)", [.writeOnly, .create])
    }
    let names = try directory.names()
    #expect(names.count == 1000)
    #expect(Set(names) == Set((0..<1000).map { "f\($0)" }))
    #expect(try directory.names().count == 1000)
  }

  @Test(
    "a directory tells whether it has more than so many names, itself and its parent included",
    arguments: [0, 1, 7, 300])
  func count(_ files: Int) throws {
    for number in 0..<files { try temporary.write("", to: "file-\(number)") }
    for limit in 0...files + 4 {
      #expect(
        try Directory.hasNames(moreThan: limit, at: temporary.path) == (files + 2 > limit),
        "\(limit)")
    }
    #expect(throws: SystemError.self) {
      _ = try Directory.hasNames(moreThan: 0, at: "\(temporary.path)/none")
    }
  }

  @Test("more than the limit is refused, and so is a FIFO's wait")
  func limits() throws {
    let directory = try Directory(path: temporary.path)
    try temporary.write(String(repeating: "x", count: 100), to: "file")
    #expect(try directory.read("file", limit: 100)?.count == 100)
    let error = #expect(throws: SystemError.self) { try directory.read("file", limit: 99) }
    #expect(error?.errno == .fileTooLarge)
    #expect(error?.description == "\(temporary.path)/file has more than 99 bytes")
    #expect(mkfifo("\(temporary.path)/fifo", 0o600) == 0)
    #expect(try directory.read("fifo") == [])
  }

  @Test("an error on a descriptor names the file, or what else it is")
  func names() throws {
    let full = try FileDescriptor.open("/dev/full", .writeOnly)
    let error = #expect(throws: SystemError.self) { try full.write([1]) }
    #expect(error?.description == "write(/dev/full): ENOSPC (No space left on device)")
    var ends: [CInt] = [0, 0]
    #expect(pipe(&ends) == 0)
    let output = FileDescriptor(owning: ends[0])
    let input = FileDescriptor(owning: ends[1])
    let refusal = #expect(throws: SystemError.self) { try output.write([1]) }
    #expect(refusal?.errno.rawValue == EBADF && refusal?.subject.hasPrefix("pipe:[") == true)
    _ = input.rawValue
  }

  @Test("a file's status tells kind, size, mode, times, also times that no clock shows")
  func status() throws {
    let path = try temporary.write("12345", to: "file", mode: 0o640)
    let status = try FileStatus(path: path)
    #expect(status.kind == .regular)
    #expect(status.size == 5)
    #expect(status.permissions == 0o640)
    let age = Clock.secondsSinceEpoch - status.modified / 1_000_000_000
    #expect((-2...60).contains(age))
    #expect(try FileStatus(path: temporary.path).kind == .directory)
    #expect(try FileStatus(path: "/dev/null").kind == .other)

    try run("touch", ["-d", "1960-01-01T00:00:00.5Z", path]).checked()
    #expect(try FileStatus(path: path).modified == -315_619_199_500_000_000)
    // The file system may keep less; then it is what it keeps.
    try run("touch", ["-d", "@9223372036854775807", path]).checked()
    #expect(try FileStatus(path: path).modified > 0)
  }

  @Test("parts of a file are read and written where they stand")
  func positions() throws {
    let path = try temporary.write("0123456789", to: "file")
    let file = try FileDescriptor.open(path, .readWrite)
    try file.write(Array("ab".utf8), at: 4)
    #expect(try file.read(at: 3, count: 4) == Array("3ab6".utf8))
    #expect(try file.read(at: 8, count: 100) == Array("89".utf8))
    #expect(try file.read(at: 100, count: 1) == [])
    try file.truncate(to: 2)
    try file.synchronizeData()
    try file.synchronize()
    #expect(try file.readToEnd() == Array("01".utf8))
  }
}
