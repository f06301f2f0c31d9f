import Foundation
import TestSupport
import Testing

@Suite("leases")
struct LeasesTests {
  /// A network with leases of several kinds, some written by the plugin itself.
  private func leased() throws -> Tool {
    let tool = try Tool()
    let data = "\(tool.files.path)/leases"
    let ipam: Document = [
      "type": "host-local", "dataDir": .string(data),
      "ranges": [
        [["subnet": "10.1.0.0/24", "rangeEnd": "10.1.0.11"]], [["subnet": "fd00::/64"]],
      ],
      "reservations": [
        ["name": "default/db", "ip": "10.1.0.200"], ["containerID": "a", "ip": "10.1.0.9"],
      ],
    ]
    try tool.network("lab", ["type": "ovs-bridge", "bridge": "br0", "ipam": ipam])
    let configuration: Document = [
      "cniVersion": "1.0.0", "name": "lab", "type": "ovs-bridge", "ipam": ipam,
    ]
    for id in ["a", "b"] {
      try Plugin("host-local").call(
        "ADD", configuration, containerID: id, sandbox: "/nowhere", ifname: "eth0"
      ).checked()
    }
    try tool.files.write("", to: "leases/lab/10.1.0.5")
    try tool.files.write("old\r\neth0", to: "leases/lab/10.1.0.4")
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1_000_000_000)],
      ofItemAtPath: "\(data)/lab/10.1.0.4")
    try tool.files.write("c", to: "leases/lab/192.168.0.7")
    try tool.files.write("kept for the printer", to: "leases/lab/10.1.0.6")
    return tool
  }

  @Test("shows who has which address, what is reserved and stale, and how full ranges are")
  func table() throws {
    let tool = try leased()
    let before = tool.files.files()
    let output = try tool.run("leases", "lab").checked()
    // Times are of this moment; their width is that of the one that is not.
    let time = /20[2-9]\d-\d\d-\d\dT\d\d:\d\d:\d\dZ/
    #expect(
      output.stdout.replacing(time, with: "2026-MM-DDThh:mm:ssZ") == """
        ADDRESS      CONTAINER  INTERFACE  SINCE                 REMARK
        10.1.0.2     b          eth0       2026-MM-DDThh:mm:ssZ  -
        10.1.0.4     old        eth0       2001-09-09T01:46:40Z  stale: from before the
                                                                 machine was started,
                                                                 free
        10.1.0.5     -          -          2026-MM-DDThh:mm:ssZ  torn: the file names no
                                                                 holder, free
        10.1.0.6     -          -          -                     no lease: the file is
                                                                 something else or
                                                                 cannot be read, never
                                                                 given
        10.1.0.9     a          eth0       2026-MM-DDThh:mm:ssZ  reserved for
                                                                 containerID "a"
        192.168.0.7  c          -          2026-MM-DDThh:mm:ssZ  in no range
        fd00::2      a          eth0       2026-MM-DDThh:mm:ssZ  -
        fd00::3      b          eth0       2026-MM-DDThh:mm:ssZ  -
        10.1.0.200   -          -          -                     reserved for name
                                                                 "default/db"

        RANGE SET  RANGE                              LEASED  OF    FULL  GIVEN LAST
        0          10.1.0.1-10.1.0.11                 2       9     22 %  10.1.0.2
        1          fd00::1-fd00::ffff:ffff:ffff:ffff  2       2^63  <1 %  fd00::3

        """)
    #expect(tool.files.files() == before)
  }

  @Test("shows the same to programs")
  func json() throws {
    let tool = try leased()
    let document = try Document(parsing: tool.run("leases", "lab", "--json").checked().bytes)
    let leases = document["leases"].array
    #expect(
      leases.map { $0["address"].text } == [
        "10.1.0.2", "10.1.0.4", "10.1.0.5", "10.1.0.6", "10.1.0.9", "192.168.0.7", "fd00::2",
        "fd00::3",
      ])
    #expect(
      leases.map { $0["state"].text } == [
        "held", "stale", "torn", "foreign", "held", "held", "held", "held",
      ])
    #expect(leases[4]["containerID"] == "a")
    #expect(leases[4]["interface"] == "eth0")
    #expect(leases[4]["reservedFor"] == "containerID \"a\"")
    #expect(document["reservations"].array.count == 2)
    #expect(
      document["ranges"][0] == [
        "set": 0, "path": "ipam.ranges[0][0]", "first": "10.1.0.1", "last": "10.1.0.11",
        "leased": 2, "usable": 9, "givenLast": "10.1.0.2",
      ])
  }

  @Test("has leases of an earlier boot as held where the network keeps them")
  func kept() throws {
    let tool = try Tool()
    let ipam: Document = [
      "type": "host-local", "dataDir": .string("\(tool.files.path)/leases"),
      "subnet": "10.1.0.0/29", "reclaimAfterReboot": .bool(false),
    ]
    try tool.network("lab", ["type": "ovs-bridge", "bridge": "br0", "ipam": ipam])
    try tool.files.write("old\r\neth0", to: "leases/lab/10.1.0.4")
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1_000_000_000)],
      ofItemAtPath: "\(tool.files.path)/leases/lab/10.1.0.4")
    #expect(
      try tool.run("leases", "lab").checked().stdout == """
        ADDRESS   CONTAINER  INTERFACE  SINCE                 REMARK
        10.1.0.4  old        eth0       2001-09-09T01:46:40Z  from before the machine
                                                              was started

        RANGE SET  RANGE              LEASED  OF  FULL
        0          10.1.0.1-10.1.0.6  1       5   20 %

        """)
    let document = try Document(parsing: tool.run("leases", "lab", "--json").checked().bytes)
    #expect(document["leases"][0]["state"] == "held")
  }

  @Test("needs neither leases nor ranges in the configuration")
  func bare() throws {
    let tool = try Tool()
    let ipam: Document = ["type": "host-local", "dataDir": "/nowhere"]
    try tool.network("lab", ["type": "ovs-bridge", "bridge": "br0", "ipam": ipam])
    #expect(
      try tool.run("leases", "lab").checked().stdout == """
        no leases in /nowhere/lab

        the runtime gives the ranges, so how full they are is not known here

        """)
    let document = try Document(parsing: tool.run("leases", "lab", "--json").checked().bytes)
    #expect(document["leases"].array.isEmpty && document["ranges"].array.isEmpty)
  }

  @Test("needs no configuration where the directory is given")
  func directory() throws {
    let tool = try leased()
    let output = try tool.run(
      "leases", "lab", "--data-dir", "\(tool.files.path)/leases",
      environment: ["NETCONFPATH": "/nowhere"]
    ).checked()
    let lines = output.stdout.split(separator: "\n").filter { $0.first != " " }
    #expect(lines.count == 9, "\(lines)")
    let none = try tool.run("leases", "other", "--data-dir", "\(tool.files.path)/leases").checked()
    #expect(none.stdout == "no leases in \(tool.files.path)/leases/other\n")
  }

  @Test("says when the network has no host-local")
  func without() throws {
    let tool = try Tool()
    try tool.network("flat", ["type": "ovs-bridge", "bridge": "br0"])
    let output = try tool.run("leases", "flat")
    #expect(output.status == 1)
    try Messages.expect(
      output.stderr, of: "patchbay", on: "patchbay leases flat, which has no addresses")
  }
}
