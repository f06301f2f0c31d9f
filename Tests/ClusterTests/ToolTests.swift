import Foundation
import TestSupport
import Testing

@Suite("patchbay and the database of addresses", .privateHost) struct ClusterToolTests {
  /// The tool, with a directory of networks.
  private struct Tool {
    let files: TemporaryDirectory
    init() throws { files = try TemporaryDirectory() }

    func run(_ arguments: String...) throws -> Output { try run(arguments) }

    func run(_ arguments: [String]) throws -> Output {
      var variables = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("CNI_") }
      variables["NETCONFPATH"] = "\(files.path)/net.d"
      variables["CNI_PATH"] = "\(Plugin.directory):\(Plugin.references)"
      return try TestSupport.run(
        "\(Plugin.directory)/patchbay", arguments, environment: variables)
    }

    func network(_ pool: Pool, ipam: Document? = nil, _ members: [String: Document] = [:]) throws {
      let plugin: Document = ["type": "ovs-bridge", "bridge": "br0", "ipam": ipam ?? pool.document]
      let list: Document = [
        "cniVersion": "1.0.0", "name": .string(pool.name), "plugins": [plugin.with(members)],
      ]
      try files.write(
        String(decoding: list.encoded, as: UTF8.self), to: "net.d/\(pool.name).conflist")
    }
  }

  @Test("makes the database of the schema in conf, once")
  func initialize() throws {
    let tool = try Tool()
    let file = "\(tool.files.path)/lib/ipam.db"
    let made = try tool.run("cluster", "init", "--file", file).checked()
    try Messages.expect(
      made.stdout, of: "patchbay", on: "cluster init --file", hiding: ["FILE": file])
    let same = try run("ovsdb-tool", ["needs-conversion", file, AddressDatabase.schema]).checked()
    #expect(same.stdout == "no\n")
    #expect(try run("ovsdb-tool", ["db-version", file]).checked().stdout == "1.0.0\n")
    let content = try Data(contentsOf: URL(fileURLWithPath: file))
    let again = try tool.run("cluster", "init", "--file", file).checked()
    try Messages.expect(
      again.stdout, of: "patchbay", on: "cluster init --file, once more", hiding: ["FILE": file])
    #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == content)
    #expect(Array(tool.files.files().keys) == ["lib/ipam.db"], "nothing else is left")
    let other = "\(tool.files.path)/other.db"
    try run(
      "ovsdb-tool", ["create", other, "/usr/share/openvswitch/vswitch.ovsschema"]
    ).checked()
    let refused = try tool.run("cluster", "init", "--file", other)
    #expect(refused.status == 1, "\(refused)")
    try Messages.expect(
      refused.stderr, of: "patchbay", on: "cluster init --file, of another database",
      hiding: ["FILE": other])
    for address in [
      "nonsense", "unix:/x", "tcp:host:1", "tcp:127.0.0.1:0", "tcp:127.0.0.1", "tcp:::1:5",
      "tcp:[::1]", "ptcp:127.0.0.1:1", "ssl:name:1", "tcp:127.0.0.1:65536",
    ] {
      for arguments in [
        ["init", "--local", address], ["join", "--local", address, "tcp:127.0.0.1:1"],
        ["join", "--local", "tcp:127.0.0.1:1", address],
      ] {
        let command = arguments.map { $0 == address ? "ADDRESS" : $0 }.joined(separator: " ")
        let wrong = try tool.run(["cluster"] + arguments + ["--file", "\(other).2"])
        #expect(wrong.status == 2, "\(wrong)")
        let usage = wrong.stderr.firstRange(of: "\nUsage:")?.lowerBound
        try Messages.expect(
          String(wrong.stderr[..<(usage ?? wrong.stderr.endIndex)]), of: "patchbay",
          on: "cluster \(command), which is none", hiding: ["'ADDRESS'": "'\(address)'"])
      }
    }
    #expect(!FileManager.default.fileExists(atPath: "\(other).2"))
    let itself = try tool.run(
      "cluster", "join", "--file", "\(other).2", "--local", "tcp:127.0.0.1:1", "tcp:127.0.0.1:1")
    #expect(itself.status == 2)
    try Messages.expect(
      String(itself.stderr.prefix { $0 != "\n" }), of: "patchbay", on: "cluster join of itself")
  }

  @Test("takes a file for done only where it is what was asked for")
  func otherKinds() throws {
    let tool = try Tool()
    let (alone, member) = ("\(tool.files.path)/alone.db", "\(tool.files.path)/member.db")
    let (here, there) = ("ssl:[::1]:6651", "tcp:192.0.2.1:6651")
    try tool.run("cluster", "init", "--file", alone).checked()
    for _ in 0..<2 {
      try tool.run("cluster", "join", "--file", member, "--local", here, there).checked()
    }
    try tool.run("cluster", "init", "--file", member, "--local", here).checked()
    for (file, arguments) in [
      (alone, ["join", "--local", here, there]), (alone, ["init", "--local", here]),
      (member, ["init"]), (member, ["join", "--local", "tcp:192.0.2.2:6651", there]),
    ] {
      let content = try Data(contentsOf: URL(fileURLWithPath: file))
      let refused = try tool.run(["cluster"] + arguments + ["--file", file])
      #expect(refused.status == 1, "\(refused)")
      try Messages.expect(
        refused.stderr, of: "patchbay",
        on: "cluster \(arguments.joined(separator: " ")), "
          + (file == alone ? "a database alone is there" : "a member is there"),
        hiding: ["FILE": file])
      #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == content)
    }
  }

  @Test("shows members and leases of all hosts, and frees those of a host that is gone")
  func members() throws {
    let database = try AddressDatabase(members: 3)
    let pool = Pool(database: database)
    let tool = try Tool()
    try tool.network(pool)
    let here = try pool.add("a")[0]
    let there = try pool.on("h2").add("a")[0]
    database.kill(3)
    try eventually("a leader") { [1, 2].contains(database.leader) }
    let status = try tool.run("cluster", "status", "net").checked().stdout
    let lines = status.split(separator: "\n").map(String.init)
    let (first, second, third) = (
      database.endpoints[0].text ?? "", database.endpoints[1].text ?? "",
      database.endpoints[2].text ?? ""
    )
    let states = lines.dropFirst().prefix(3).map { line in
      line.split(separator: " ", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
    }
    #expect(states.map { $0[0] } == [first, second, third])
    #expect(states.prefix(2).map { $0[1] }.sorted() == ["follows", "leads"])
    #expect(status.contains("ENOENT"), "\(status)")
    #expect(
      lines.suffix(2).map { $0.split(separator: " ").joined(separator: " ") } == [
        "net h1 1", "net h2 1",
      ])

    let json = try Document(parsing: tool.run("leases", "net", "--json").checked().bytes)
    let hosts = json["leases"].array.map { [$0["address"].text, $0["host"].text] }
    #expect(Set(hosts) == [[here, "h1"], [there, "h2"]])
    #expect(json["ranges"][0]["leased"] == 2)
    let table = try tool.run("leases", "net").checked().stdout
    #expect(table.hasPrefix("ADDRESS") && table.contains("  h2    a          eth0"), "\(table)")

    try Messages.expect(
      tool.run("gc", "net", "--host", "h1").stderr, of: "patchbay", on: "gc --host of this host")
    for (words, what) in [(["-n"], " -n"), ([], ""), ([], ", once more")] {
      try Messages.expect(
        tool.run(["gc", "net", "--host", "h2"] + words).checked().stdout, of: "patchbay",
        on: "gc --host of a host that is gone\(what)", hiding: ["ADDRESS": there])
    }
    let member = database.leader ?? 1
    #expect(try database.rows(member) == [here: "h1/net/a/eth0"])
    let names = try database.transact(
      #"{"op":"select","table":"Host","where":[],"columns":["name"]}"#, member: member)
    #expect(names[0]["rows"].array.map { $0["name"].text } == ["h1"])
    database.kill(2)
    database.kill(1)
    let none = try tool.run("cluster", "status", "net")
    #expect(none.status == 1, "\(none)")
    try Messages.expect(
      none.stderr, of: "patchbay", on: "cluster status, no member of three is left")
  }

  @Test("moves the leases of host-local, and repeats that without harm")
  func move() throws {
    let host = try TestHost()
    let pool = Pool(database: try AddressDatabase(), name: "lab")
    let tool = try Tool()
    let data = "\(tool.files.path)/leases"
    let files: Document = [
      "type": "host-local", "dataDir": .string(data), "ranges": pool.ipam["ranges"],
    ]
    let members: [String: Document] = [
      "bridge": .string(uniqueName("br")), "socket_file": .string(host.openVSwitch.endpoint),
      "datapath": .string(Datapath.current.rawValue),
    ]
    func configuration(_ ipam: Document) -> Document {
      Document.object(["cniVersion": "1.0.0", "name": "lab", "type": "ovs-bridge"])
        .with(members).with(["ipam": ipam])
    }
    let plugin = host.plugin("ovs-bridge")
    let sandbox = try Sandbox()
    let result = try plugin.add(configuration(files), containerID: "a", sandbox: sandbox).checked()
    let address = String((result["ips"][0]["address"].text ?? "").prefix { $0 != "/" })
    // Another's by now, and one without an interface.
    try Plugin("host-local").call(
      "ADD", configuration(files), containerID: "b", sandbox: "/nowhere", ifname: "eth0"
    ).checked()
    try tool.files.write("old", to: "leases/lab/10.1.0.99")
    let taken = try pool.on("h2").add("x", args: "IP=10.1.0.3")
    #expect(taken == ["10.1.0.3"])

    try tool.network(pool, ipam: files, members)
    let endpoint = pool.database.endpoints[0].text ?? ""
    let places = ["ADDRESS": address, "DATA": data, "DATABASE": endpoint]
    let unnamed = try tool.run("cluster", "import", "lab", "--database", endpoint, "-n").checked()
    try Messages.expect(unnamed.stdout, of: "patchbay", on: "cluster import -n", hiding: places)
    #expect(try pool.database.rows().count == 1)
    for number in 0..<2 {
      let copied = try tool.run("cluster", "import", "lab", "--database", endpoint)
      #expect(copied.status == 1, "\(copied)")
      try Messages.expect(
        copied.stdout + copied.stderr, of: "patchbay",
        on: number == 0 ? "cluster import" : "cluster import, once more", hiding: places)
      #expect(try pool.database.rows().count == 3)
      #expect(FileManager.default.fileExists(atPath: "\(data)/lab/\(address)"))
    }
    #expect(try pool.database.rows()[address]?.hasSuffix("/lab/a/eth0") == true)

    // The configuration says cluster now.
    var moved = pool.document.members
    moved["host"] = nil
    moved["dataDir"] = .string(data)
    try tool.network(pool, ipam: .object(moved), members)
    for _ in 0..<2 {
      _ = try tool.run("cluster", "import", "lab", "--data-dir", data)
      #expect(!FileManager.default.fileExists(atPath: "\(data)/lab/\(address)"))
      #expect(FileManager.default.fileExists(atPath: "\(data)/lab/10.1.0.3"))
      #expect(try pool.database.rows()[address]?.hasSuffix("/lab/a/eth0") == true)
    }
    // As an attachment of cluster, from now on: also where a runtime leaves members out.
    try plugin.check(
      configuration(.object(moved)), previous: result, containerID: "a", sandbox: sandbox
    ).checked()
    try plugin.del(configuration(["type": "cluster"]), containerID: "a", sandbox: sandbox).checked()
    #expect(try pool.database.rows().keys.sorted() == ["10.1.0.3", "10.1.0.99"])
    // Whichever interface it is, GC keeps it while the container is valid, and DEL frees it.
    #expect(!FileManager.default.fileExists(atPath: "\(data)/lab/10.1.0.99"))
    _ = try pool.database.transact(
      #"{"op":"update","table":"Lease","where":[],"row":{"created":1}}"#)
    let valid: Document = [["containerID": "old", "ifname": "eth3"]]
    for command in ["GC", "DEL"] {
      #expect(try pool.database.rows().keys.sorted() == ["10.1.0.3", "10.1.0.99"])
      try Plugin("cluster").call(
        command,
        [
          "cniVersion": "1.1.0", "name": "lab", "type": "x", "ipam": .object(moved),
          "cni.dev/valid-attachments": valid,
        ], containerID: "old", sandbox: "/nowhere", ifname: "eth3"
      ).checked()
    }
    #expect(try pool.database.rows() == ["10.1.0.3": "h2/lab/x/eth0"])
  }

  @Test("gc frees what this host has leased and has no port")
  func leftovers() throws {
    let pool = Pool(database: try AddressDatabase())
    let tool = try Tool()
    let openVSwitch = try OpenVSwitch.start(switching: false)
    try tool.network(pool, ["socket_file": .string(openVSwitch.endpoint)])
    let (own, _) = try (pool.add("a")[0], pool.on("h2").add("b"))
    let cache = ["--cache-dir", "\(tool.files.path)/cni"]
    #expect(try tool.run("gc", "net", cache[0], cache[1], "-n").checked().stdout == "")
    _ = try pool.database.transact(
      #"{"op":"update","table":"Lease","where":[],"row":{"created":1}}"#)
    let freed = try tool.run("gc", "net", cache[0], cache[1]).checked().stdout
    try Messages.expect(
      freed, of: "patchbay", on: "gc, a lease of cluster without a port", hiding: ["ADDRESS": own])
    #expect(try pool.database.rows().values.sorted() == ["h2/net/b/eth0"])
  }

  @Test("the example of conf/cluster attaches, by a database that was made as its README says")
  func example() throws {
    let conf = Project.path("conf/cluster")
    let script = """
      set -e
      patchbay cluster init --file /run/ipam.db >/dev/null
      mkdir -p -m 700 /run/patchbay
      ovsdb-server --remote=punix:/run/patchbay/ipam.sock --unixctl=/run/ipam.ctl \
        --pidfile=/run/ipam.pid --log-file=/run/ipam.log -vconsole:off --detach /run/ipam.db
      export NETCONFPATH=\(conf)
      patchbay status lab >/dev/null
      for name in a b; do patchbay netns add $name; patchbay add lab $name; done >/dev/null
      patchbay netns exec a ping -c1 -W5 $(patchbay leases lab --json |
        jq -r '.leases[] | select(.address | startswith("10.")).address' | head -1) >/dev/null
      patchbay check lab a
      patchbay cluster status | grep -c '^lab .* 4$'
      for name in a b; do patchbay del lab $name; done
      patchbay leases lab | head -1
      """
    let output = try run(
      "\(Plugin.directory)/patchbay", ["playground", "bash", "-c", script],
      environment: ProcessInfo.processInfo.environment.filter {
        !["CNI_PATH", "NETCONFPATH"].contains($0.key)
      }, timeout: .seconds(60)
    ).checked().stdout
    let lines = output.split(separator: "\n", maxSplits: 1)
    #expect(lines.first == "1", "\(output)")
    try Messages.expect(
      String(lines.last ?? ""), of: "patchbay", on: "leases lab, of conf/cluster, without any")
  }
}
