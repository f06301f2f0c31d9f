import Foundation
import TestSupport
import Testing

/// The unit files of conf, by what they start.
@Suite("The units of conf/cluster", .privateHost) struct RelayTests {
  /// The words of `ExecStart`, with these variables and paths in it.
  private func command(_ file: String, _ variables: [String: [String]], in directory: String) throws
    -> [String]
  {
    let lines = try Project.text("conf/\(file)").split(separator: "\n")
    let line = lines.first { $0.hasPrefix("ExecStart=/usr/sbin/ovsdb-server ") } ?? ""
    #expect(!line.isEmpty, "\(file)")
    return line.split(separator: " ").dropFirst().flatMap { part -> [String] in
      var word = String(part)
      if word.hasPrefix("$"), let words = variables[String(word.dropFirst())] { return words }
      word = word.replacing("/run/patchbay/", with: "\(directory)/")
        .replacing("/var/lib/patchbay/", with: "\(directory)/")
      for (name, words) in variables {
        word = word.replacing("${\(name)}", with: words.joined(separator: " "))
      }
      return [word]
    }
  }

  private func start(_ arguments: [String], in directory: TemporaryDirectory, _ log: String) throws
    -> Daemon
  {
    try Daemon(
      "ovsdb-server", arguments + ["-vsyslog:off"],
      environment: ProcessInfo.processInfo.environment, log: "\(directory.path)/\(log)")
  }

  /// Key, certificate and authority of one host, as ovsdb-server takes them.
  private func certificates(in directory: TemporaryDirectory) throws -> [String] {
    let (key, certificate) = ("\(directory.path)/key.pem", "\(directory.path)/cert.pem")
    try run(
      "openssl",
      [
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test", "-days", "2",
        "-keyout", key, "-out", certificate,
      ], timeout: .seconds(60)
    ).checked()
    return ["-p", key, "-c", certificate, "-C", certificate]
  }

  @Test("serve the database, and lead a host to it by TLS")
  func relay() throws {
    let (member, host) = (try TemporaryDirectory(), try TemporaryDirectory())
    let certificates = try certificates(in: member)
    try run(
      "\(Plugin.directory)/patchbay", ["cluster", "init", "--file", "\(member.path)/ipam.db"]
    ).checked()
    let port = 20000 + Int.random(in: 0..<10000)
    let remotes = ["--remote=pssl:\(port):127.0.0.1"] + certificates
    let server = try start(
      command("cluster/patchbay-ipam.service", ["REMOTES": remotes], in: member.path),
      in: member, "server.out")
    let relay = try start(
      command(
        "cluster/patchbay-ipam-relay.service",
        ["TLS": certificates, "MEMBERS": ["ssl:127.0.0.1:\(port)"]], in: host.path),
      in: host, "relay.out")
    let socket = "unix:\(host.path)/ipam.sock"
    func call(_ command: String, _ database: String) throws -> PluginResult {
      let configuration: Document = [
        "cniVersion": "1.1.0", "name": "net", "type": "x",
        "ipam": [
          "type": "cluster", "host": "h1", "database": .string(database),
          "ranges": [[["subnet": "10.1.0.0/24"]]],
        ],
      ]
      return try Plugin("cluster").call(
        command, configuration, containerID: "a", sandbox: "/nowhere", ifname: "eth0")
    }
    try eventually("a way by the relay") { try call("STATUS", socket).status == 0 }
    let first = try call("ADD", socket).checked()
    // The member itself, beside the relay, has it.
    #expect(try call("ADD", "unix:\(member.path)/ipam.sock").checked() == first)
    let state = try run(
      "\(Plugin.directory)/patchbay", ["cluster", "status", "--database", socket]
    ).checked().stdout
    #expect(state.contains("\(socket)  relay\n") && state.contains("h1    1"), "\(state)")
    let refused = try call("ADD", "ssl:127.0.0.1:\(port)")
    try Messages.expect(
      refused, code: 7, of: "cluster", on: "ADD, the database of a relay by TLS",
      hiding: ["PORT": "\(port)"])
    try call("DEL", socket).checked()
    relay.stop()
    server.stop()
  }
}
