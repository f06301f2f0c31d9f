import TestSupport
import Testing

@Suite("network") struct NetworkTests {
  private let tool: Tool
  init() throws { tool = try Tool() }

  private func run(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Output {
    let own = ["NETCONFPATH": tool.networks, "PATH": "/usr/bin:/bin"]
    return try TestSupport.run(
      Patchbay.path, ["network"] + arguments, environment: own.merging(environment) { $1 })
  }
  private var files: [String] {
    tool.files.files().keys.filter { $0.hasPrefix("net.d/") }.sorted()
  }

  @Test("new writes a list that validates, once")
  func new() throws {
    let words = ["new", "lab", "--bridge", "br0", "--vlan", "10", "--subnet", "10.1.0.0/24"]
    let printed = try run(words + ["--dry-run"]).checked()
    #expect(files.isEmpty)
    let written = try run(words + ["--gateway", "--masquerade", "--guard", "--publish"])
      .checked()
    #expect(written.stdout == "\(tool.networks)/lab.conflist\n" && written.stderr.isEmpty)
    #expect(files == ["net.d/lab.conflist"])
    let list = try Document(parsing: (tool.files.read("net.d/lab.conflist") ?? "").utf8)
    #expect(list["cniVersion"] == "1.0.0" && list["disableGC"] == true)
    let plugin = list["plugins"][0]
    #expect(plugin["bridge"] == "br0" && plugin["vlan"] == 10 && plugin["ipMasq"] == true)
    #expect(plugin["guard"] == true)
    #expect(plugin["ipam"]["ranges"] == [[["subnet": "10.1.0.0/24"]]])
    #expect(list["plugins"][1]["type"] == "portmap")
    let plain = try Document(parsing: printed.bytes)
    #expect(plain["cniVersions"] == ["1.0.0", "1.1.0"] && plain["plugins"].array.count == 1)
    let file = "\(tool.networks)/lab.conflist"
    #expect(try tool.run("validate", file).checked().stdout == "\(file): no faults\n")
    let again = try run(words)
    #expect(again.status == 1)
    try Messages.expect(
      again.stderr, of: "patchbay", on: "patchbay network new lab, which is there",
      hiding: ["DIRECTORY": tool.networks])
  }

  @Test(
    "new says what is wrong, and writes nothing",
    arguments: [
      (["lab", "--vlan", "5000"], 1),
      (["lab", "--subnet", "10.1.0.0/33"], 1),
      (["lab", "x"], 2),
      (["lab", "--gateway"], 2),
      (["lab", "--guard"], 2),
      (["lab", "--masquerade"], 2),
    ] as [([String], Int32)])
  func faults(arguments: [String], status: Int32) throws {
    let output = try run(["new"] + arguments)
    #expect(output.status == status, "\(output)")
    try Messages.expect(
      Patchbay.withoutUsage(output.stderr), of: "patchbay",
      on: "patchbay network new \(arguments.joined(separator: " "))",
      hiding: ["DIRECTORY": tool.networks])
    #expect(files.isEmpty)
  }

  @Test("list, show and rm find it")
  func others() throws {
    try run(["new", "lab", "--subnet", "10.1.0.0/24", "--subnet", "fd00::/64"]).checked()
    try run(["new", "wire", "--bridge", "br0", "--vlan", "7"]).checked()
    #expect(
      try run(["list"]).checked().stdout == """
        NETWORK  BRIDGE  VLAN  SUBNETS                 FILE
        lab      lab     -     10.1.0.0/24, fd00::/64  lab.conflist
        wire     br0     7     -                       wire.conflist

        """)
    let shown = try run(["show", "wire"]).checked()
    #expect(shown.stderr == "\(tool.networks)/wire.conflist\n")
    #expect(try Document(parsing: shown.bytes)["plugins"][0]["vlan"] == 7)
    let unknown = try run(["show", "none"])
    #expect(unknown.status == 1, "\(unknown)")
    try Messages.expect(
      unknown.stderr, of: "patchbay", on: "patchbay network show none",
      hiding: ["DIRECTORY": tool.networks])
    let kept =
      #"{"kind": "cniCacheV1", "containerId": "c", "ifName": "eth0", "networkName": "lab"}"#
    try tool.files.write(kept, to: "cni/results/lab-c-eth0")
    let used = try run(["rm", "lab", "--cache-dir", tool.cache])
    #expect(used.status == 1, "\(used)")
    try Messages.expect(
      used.stderr, of: "patchbay", on: "patchbay network rm lab, with an attachment")
    try run(["rm", "lab", "--cache-dir", tool.cache, "--force"]).checked()
    try run(["rm", "wire", "--cache-dir", tool.cache]).checked()
    #expect(files.isEmpty)
  }

  @Test("a broken file is named with its cure, and stops none of this")
  func broken() throws {
    try run(["new", "lab", "--vlan", "7"]).checked()
    let file = try tool.files.write("{", to: "net.d/00.conflist")
    let output = try tool.run("add", "lab", "/run/netns/none", "--conf-dir", tool.networks)
    #expect(output.status == 1)
    try Messages.expect(
      output.stderr, of: "patchbay", on: "patchbay add lab, beside a broken file",
      hiding: ["FILE": file])
    #expect(try run(["show", "lab"]).checked().stderr == "\(tool.networks)/lab.conflist\n")
    try run(["rm", "lab", "--cache-dir", tool.cache]).checked()
    #expect(files == ["net.d/00.conflist"])
  }

  @Test("edit takes what validates, and leaves the file otherwise")
  func edit() throws {
    try run(["new", "lab", "--vlan", "7"]).checked()
    let before = tool.files.read("net.d/lab.conflist")
    for editor in ["sed -i s/7/7000/", "sed -i s/}//", "false", "true"] {
      let output = try run(["edit", "lab"], ["EDITOR": editor])
      #expect(output.status == (editor == "true" ? 0 : 1), "\(output)")
      try Messages.expect(
        output.stderr, of: "patchbay", on: "EDITOR=\"\(editor)\" patchbay network edit lab",
        hiding: ["DIRECTORY": tool.networks])
      #expect(tool.files.read("net.d/lab.conflist") == before)
    }
    try run(["edit", "lab"], ["VISUAL": "sed -i s/7/8/", "EDITOR": "false"]).checked()
    #expect(tool.files.read("net.d/lab.conflist") == before?.replacing("7", with: "8"))
    #expect(files == ["net.d/lab.conflist"])
  }
}
