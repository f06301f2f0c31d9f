import CNI
import CNIRuntime
import TestSupport
import Testing

private func single(_ name: String, type: String = "a") -> String {
  #"{"cniVersion": "1.0.0", "name": "\#(name)", "type": "\#(type)"}"#
}
private func listed(_ name: String, type: String = "a", more: String = "") -> String {
  #"{"cniVersion": "1.0.0", "name": "\#(name)"\#(more), "plugins": [{"type": "\#(type)"}]}"#
}

@Suite("a directory of network configurations") struct ConfigurationDirectoryTests {
  private let files: TemporaryDirectory
  private let directory: ConfigurationDirectory
  init() throws {
    files = try TemporaryDirectory()
    directory = ConfigurationDirectory(path: files.path)
  }
  private func types(_ name: String) throws -> [String] {
    try directory.network(name).plugins.map(\.type)
  }
  private func message(_ name: String) -> String? {
    #expect(throws: RuntimeError.self) { try directory.network(name) }?.description
  }

  @Test("is searched in the order of the names of its files, lists first")
  func order() throws {
    try files.write(single("one", type: "of-conf"), to: "00.conf")
    try files.write(single("two", type: "of-conf"), to: "01.conf")
    try files.write(single("two", type: "of-json"), to: "00.json")
    try files.write(listed("one", type: "of-20"), to: "20.conflist")
    try files.write(listed("one", type: "of-10"), to: "10.conflist")
    try files.write("not read", to: "05.conflist~")
    try files.write("not read", to: "sub.conflist/x")
    #expect(try types("one") == ["of-10"])
    #expect(try types("two") == ["of-json"])
    let found = try directory.contents().map { $0.file.split(separator: "/").last.map(String.init) }
    #expect(found == ["10.conflist", "20.conflist", "00.conf", "00.json", "01.conf"])
  }

  @Test("adds the plugins of the directory that is named as the network")
  func appended() throws {
    try files.write(listed("net"), to: "10.conflist")
    try files.write(#"{"type": "z"}"#, to: "net/20.conf")
    try files.write(#"{"type": "y"}"#, to: "net/10.conf")
    try files.write(#"{"type": "x"}"#, to: "net/05.json")
    #expect(try types("net") == ["a", "y", "z"])
    try files.write(listed("net", more: #", "loadOnlyInlinedPlugins": true"#), to: "10.conflist")
    #expect(try types("net") == ["a"])
    try files.write(#"{"name": "net", "cniVersion": "1.0.0"}"#, to: "10.conflist")
    #expect(try types("net") == ["y", "z"])
  }

  @Test("says which networks there are when it is asked for another")
  func otherNames() throws {
    try files.write(listed("one"), to: "10.conflist")
    try files.write(single("two"), to: "20.conf")
    #expect(
      message("three") == "no net configuration with name \"three\" in \(files.path); "
        + "it has: one, two")
  }

  @Test("without files, or not there at all, says so")
  func empty() throws {
    #expect(message("x") == "no net configurations found in \(files.path)")
    let missing = ConfigurationDirectory(path: "\(files.path)/missing")
    let error = #expect(throws: RuntimeError.self) { try missing.network("x") }
    #expect(error?.description == "no net configurations found in \(files.path)/missing")
  }

  @Test("does not look past a file that cannot be used: it might have been the one")
  func broken() throws {
    try files.write("{", to: "10.conflist")
    try files.write(listed("one"), to: "20.conflist")
    #expect(
      message("one") == "\(files.path)/10.conflist: error parsing configuration list: line 1, "
        + "column 1: string or '}' expected near end of file")
    try files.write(listed("one"), to: "05.conflist")
    #expect(try types("one") == ["a"])
  }

  @Test("refuses a list without any plugin")
  func noPlugins() throws {
    try files.write(#"{"name": "n"}"#, to: "10.conflist")
    #expect(message("n") == "\(files.path)/10.conflist: no plugin configs found")
  }

  @Test("refuses names that could leave the directory", arguments: ["../x", "", ".hidden", "a/b"])
  func illegalNames(name: String) {
    let error = #expect(throws: RuntimeError.self) { try directory.network(name) }
    guard case .illegalName = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }
}
