import Foundation
import Glibc
import Linux
import TestSupport
import Testing

@testable import LeaseFiles

@Suite("A disk", .privateHost, .serialized) struct DiskTests {
  /// A file system of `size` octets that goes away with the test.
  private final class Disk {
    let temporary: TemporaryDirectory
    var path: String { temporary.path + "/disk" }
    init(_ options: String) throws {
      temporary = try TemporaryDirectory()
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true)
      try run("mount", ["-t", "tmpfs", "-o", options, "tmpfs", path]).checked()
    }
    deinit { _ = try? run("umount", ["-l", path]) }
  }

  /// Leaves `pages` pages of the disk.
  private func fill(_ disk: Disk, leaving pages: Int) throws {
    unlink(disk.path + "/filler")
    let file = open(disk.path + "/filler", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    defer { close(file) }
    let page = [UInt8](repeating: 1, count: 4096)
    var count = 0
    while write(file, page, 4096) == 4096 { count += 1 }
    #expect(count >= pages)
    ftruncate(file, off_t(max(0, count - pages) * 4096))
  }

  @Test("that is full lets ADD fail and leave nothing, and DEL succeed", arguments: 0..<12)
  func full(pages: Int) throws {
    let disk = try Disk("size=256k")
    let network = try Network([
      "ranges": [[["subnet": "10.1.0.0/24"]], [["subnet": "fd00::/64"]]],
      "dataDir": .string(disk.path),
    ])
    _ = try network.add("a")
    func leases() throws -> Set<String> {
      Set(try FileManager.default.contentsOfDirectory(atPath: disk.path + "/net")).filter {
        $0 != "lock" && !$0.hasPrefix("last_reserved_ip.")
      }
    }
    let before = try leases()
    #expect(before.count == 2)
    try fill(disk, leaving: pages)
    let result = try network.call("ADD", "b")
    if result.status == 0 {
      #expect(try leases().count == 4)
      #expect(pages >= 2)
    } else {
      #expect(result.code == 5)
      // What could not be written is another file with another number of pages.
      #expect(result.message.contains("ENOSPC (No space left on device)"), "\(result.message)")
      #expect(try leases() == before)
    }
    if pages == 0 {
      let status = try network.call("STATUS", "")
      try Messages.expect(status, code: 50, of: "host-local", on: "STATUS, the disk is full")
      #expect(result.status == 1)
    }
    try network.del("b")
    #expect(try leases() == before)
    try network.del("a")
    #expect(try leases() == [])
    unlink(disk.path + "/filler")
    #expect(try network.add("c").count == 2)
    try network.call("STATUS", "").checked()
  }

  @Test("that has no place for an index lets every command work without one")
  func noIndex() throws {
    let disk = try Disk("size=64k")
    let network = try Network(["subnet": "10.1.0.0/24", "dataDir": .string(disk.path)])
    func leases() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: disk.path + "/net").filter {
        $0.hasPrefix("10.")
      }.sorted()
    }
    // As the reference plugin, or a version of this one without an index, has left them.
    try FileManager.default.createDirectory(
      atPath: disk.path + "/net", withIntermediateDirectories: true)
    for (number, id) in ["a", "b", "c"].enumerated() {
      try Data("\(id)\r\neth0".utf8).write(
        to: URL(fileURLWithPath: "\(disk.path)/net/10.1.0.\(number + 2)"))
    }
    try fill(disk, leaving: 0)
    let refused = try network.call("ADD", "d")
    try Messages.expect(
      refused, code: 5, of: "host-local", on: "ADD, the disk has no place for a lease")
    let previous: Document = ["ips": [["address": "10.1.0.2/24"]]]
    try network.call("CHECK", "a", with: ["prevResult": previous]).checked()
    // What a DEL leaves free is taken again, so that the next has no place either.
    for (id, rest) in [("a", ["10.1.0.3", "10.1.0.4"]), ("b", ["10.1.0.4"])] {
      try network.del(id)
      #expect(try leases() == rest)
      try fill(disk, leaving: 0)
    }
    try network.call("GC", "", with: ["cni.dev/valid-attachments": []]).checked()
    #expect(try leases() == [])
    unlink(disk.path + "/filler")
    #expect(try network.add("e").count == 1)
  }

  @Test("that is read-only is told of by STATUS")
  func readOnly() throws {
    let disk = try Disk("ro,size=64k")
    let network = try Network(["subnet": "10.1.0.0/24", "dataDir": .string(disk.path)])
    let status = try network.call("STATUS", "")
    try Messages.expect(status, code: 50, of: "host-local", on: "STATUS, the disk is read-only")
    #expect(try network.call("ADD", "a").code == 5)
  }

  @Test("of its own for one network has leases, though none can be linked from beside it")
  func mountedNetwork() throws {
    let disk = try Disk("size=256k")
    let network = try Network(["subnet": "10.1.0.0/24"])
    _ = try network.add("a")
    try run("mount", ["--bind", disk.path, network.path]).checked()
    defer { _ = try? run("umount", ["-l", network.path]) }
    #expect(try network.add("b") == ["10.1.0.2"])
    #expect(try network.add("c") == ["10.1.0.3"])
    try network.del("b")
    #expect(network.leases == ["10.1.0.3": "c\r\neth0"])
  }

  @Test("is found after a reboot with leases that are free, by the kernel's boot ID")
  func reboot() throws {
    let network = try Network(["subnet": "10.1.0.0/24"])
    let kept = try Network(
      ["subnet": "10.1.0.0/24", "reclaimAfterReboot": .bool(false)], name: "kept",
      in: network.temporary)
    for network in [network, kept] {
      for id in ["a", "b"] { _ = try network.add(id) }
    }
    let boot = try network.temporary.write(
      "01234567-89ab-cdef-0123-456789abcdef\n", to: "boot_id")
    func later(_ command: String, _ id: String, _ network: Network) throws -> Document {
      let script =
        "mount --bind \(boot) /proc/sys/kernel/random/boot_id && exec \(Plugin("host-local").path)"
      let output = try run(
        "unshare", ["-m", "sh", "-c", script],
        environment: [
          "CNI_COMMAND": command, "CNI_CONTAINERID": id, "CNI_IFNAME": "eth0",
          "CNI_NETNS": "/nowhere", "CNI_PATH": "/", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        ], input: network.configuration.encoded
      ).checked()
      return (try? Document(parsing: output.bytes)) ?? .absent
    }
    #expect(try later("ADD", "c", network)["ips"][0]["address"] == "10.1.0.4/24")
    #expect(network.leases == ["10.1.0.4": "c\r\neth0"])
    #expect(try later("ADD", "c", kept)["ips"][0]["address"] == "10.1.0.4/24")
    #expect(kept.leases.count == 3)
    #expect(try later("ADD", "d", network)["ips"][0]["address"] == "10.1.0.5/24")
    _ = try later("DEL", "a", kept)
    #expect(kept.leases.keys.sorted() == ["10.1.0.3", "10.1.0.4"])
  }

  /// Whether file systems in files can be mounted here.
  private static let hasLoopDevices = access("/dev/loop-control", R_OK | W_OK) == 0

  @Test(
    "whose times are whole seconds has an index all the same, and what others do shows at once",
    .enabled(if: hasLoopDevices))
  func wholeSeconds() throws {
    let temporary = try TemporaryDirectory()
    let image = temporary.path + "/image"
    let path = temporary.path + "/disk"
    try run("truncate", ["-s", "16M", image]).checked()
    // With inodes of 128 octets there is no room for fractions.
    try run("mkfs.ext4", ["-q", "-I", "128", image]).checked()
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try run("mount", ["-o", "loop", image, path]).checked()
    defer { _ = try? run("umount", ["-l", path]) }
    let network = try Network(["subnet": "10.1.0.0/24", "dataDir": .string(path)])
    func isIndexGood() throws -> Bool {
      let file = try FileDescriptor.open(path + "/.patchbay/net/index")
      var index = LeaseIndex(PageFile(file, isWritable: false))
      let modified = try FileStatus(path: path + "/net").modified
      #expect(modified % 1_000_000_000 == 0)
      return try index.isReadable() && index.stamp == modified
    }
    for number in stride(from: 2, to: 60, by: 2) {
      #expect(try network.add("c\(number)") == ["10.1.0.\(number)"])
      #expect(try isIndexGood())
      // Another process makes the next lease, within the same second.
      let other = "\(path)/net/10.1.0.\(number + 1)"
      try Data("other\r\neth0".utf8).write(to: URL(fileURLWithPath: other))
      #expect(try !isIndexGood())
    }
    unlink("\(path)/net/10.1.0.31")
    #expect(try network.add("back", args: "IP=10.1.0.31") == ["10.1.0.31"])
  }

  /// The calls that make files and those that wait for the disk, in order, as `linkat 10.1.0.2`.
  private func order(_ command: String, _ id: String, _ network: Network) throws -> [String] {
    let log = network.temporary.path + "/strace"
    let kinds = "trace=fsync,fdatasync,mkdir,mkdirat,linkat,unlinkat,write,utimensat"
    try run(
      "strace", ["-f", "-y", "-e", kinds, "-o", log, Plugin("host-local").path],
      environment: [
        "CNI_COMMAND": command, "CNI_CONTAINERID": id, "CNI_IFNAME": "eth0",
        "CNI_NETNS": "/nowhere", "CNI_PATH": "/",
      ], input: network.configuration.encoded
    ).checked()
    let text = try String(contentsOfFile: log, encoding: .utf8)
    return text.split(separator: "\n").compactMap { line in
      guard let call = line.firstMatch(of: /^(?:\d+ +)?([a-z]+)\((.*)\) += 0|(write\(1<)/) else {
        return nil
      }
      guard let name = call.1, let arguments = call.2 else { return "answer" }
      // The last name that is told: in quotes, or of the descriptor.
      let names = arguments.matches(of: /[<"]([^>"]+)[>"]/).compactMap { match in
        match.1.split(separator: "/").last.map { String($0) }
      }
      return "\(name) \(names.last ?? "")"
    }
  }

  @Test("that loses power after an answer keeps it, where leases outlast a boot")
  func powerLoss() throws {
    let network = try Network(
      ["subnet": "10.1.0.0/24", "reclaimAfterReboot": .bool(false)], name: "kept")
    let data = try #require(network.temporary.path.split(separator: "/").last)
    /// Each of `calls` comes after the one before.
    func expect(_ calls: [String], in order: [String]) {
      var rest = order[...]
      for call in calls {
        guard let position = rest.firstIndex(of: call) else {
          Issue.record("no \(call) in its place: \(order)")
          return
        }
        rest = rest[(position + 1)...]
      }
    }
    // The directory is in the one above it, the lease is whole before it has its name, and the name
    // is on the disk before it is reported.
    let first = try order("ADD", "a", network)
    expect(
      [
        "mkdirat kept", "fsync \(data)", "fsync draft", "linkat 10.1.0.2", "fsync kept", "answer",
      ], in: first)
    let second = try order("ADD", "b", network)
    expect(["fsync draft", "linkat 10.1.0.3", "fsync kept", "answer"], in: second)
    #expect(!second.contains("fsync \(data)"))
    let released = try order("DEL", "a", network)
    expect(["unlinkat 10.1.0.2", "fsync kept", "utimensat kept"], in: released)
    // Leases that the next boot frees need not wait for the disk.
    let other = try Network(["subnet": "10.1.0.0/24"])
    for command in ["ADD", "DEL"] {
      #expect(try !order(command, "a", other).contains { $0.hasPrefix("fsync") })
    }
  }
}
