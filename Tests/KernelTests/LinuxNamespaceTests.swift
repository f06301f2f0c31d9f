import Foundation
import Linux
import TestSupport
import Testing

@Suite("Network namespaces", .privateHost)
struct LinuxNamespaceTests {
  let sandbox: Sandbox
  init() throws { sandbox = try Sandbox() }

  private var here: String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self/ns/net")) ?? ""
  }

  @Test("two ways to one namespace are the same, two namespaces are not")
  func sameness() throws {
    func same(_ first: String, _ second: String) throws -> Bool {
      let namespace = try NetworkNamespace(path: first)
      return namespace.isSame(as: try NetworkNamespace(path: second))
    }
    let other = try Sandbox()
    #expect(try same(sandbox.path, sandbox.path))
    #expect(try same("/proc/self/ns/net", "/proc/thread-self/ns/net"))
    #expect(try !same(sandbox.path, "/proc/self/ns/net"))
    #expect(try !same(sandbox.path, other.path))
    let own = try NetworkNamespace.current()
    let current = own.isSame(as: try NetworkNamespace(path: "/proc/self/ns/net"))
    #expect(current)
    #expect(try own.isCurrent())
    let isOther = try NetworkNamespace(path: other.path).isCurrent()
    #expect(!isOther)
  }

  @Test("a socket belongs to the namespace it was made in, and the thread comes back")
  func socket() throws {
    let before = here
    let namespace = try NetworkNamespace(path: sandbox.path)
    let inside = try namespace.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    #expect(here == before)
    // SIOCGSKNS of linux/sockios.h answers the network namespace of a socket.
    let found = FileDescriptor(owning: ioctl(inside.rawValue, 0x894c))
    #expect(try found.status().inode == FileStatus(path: sandbox.path).inode)
    #expect(throws: SystemError.self) { _ = try namespace.socket(AF_INET, 77, 0) }
    #expect(here == before)
  }

  @Test("settings are read and written there and only there")
  func settings() throws {
    let before = here
    let namespace = try NetworkNamespace(path: sandbox.path)
    let other = try Sandbox()
    let setting = "ipv4/conf/lo/arp_notify"
    #expect(try namespace.readSetting(setting) == "0")
    try namespace.writeSettings([
      ("no/such/setting", "1"), (setting, "1"), ("ipv4/ip_forward", "1"),
    ])
    #expect(try namespace.readSetting(setting) == "1")
    #expect(try namespace.readSetting("ipv4/ip_forward") == "1")
    let untouched = try NetworkNamespace(path: other.path)
    #expect(try untouched.readSetting(setting) == "0")
    #expect(try namespace.readSetting("no/such/setting") == nil)
    #expect(try sandbox.exec("sysctl", ["-n", "net.ipv4.ip_forward"]).stdout == "1\n")
    #expect(here == before)
  }

  @Test("a value that the kernel refuses says which setting, and the thread comes back")
  func refusedSetting() throws {
    let before = here
    let namespace = try NetworkNamespace(path: sandbox.path)
    let failure = #expect(throws: SystemError.self) {
      try namespace.writeSettings([("ipv4/ip_forward", "many"), ("ipv4/conf/lo/arp_notify", "1")])
    }
    #expect(
      failure?.description == "pwrite(/proc/sys/net/ipv4/ip_forward): EINVAL (Invalid argument)")
    #expect(try namespace.readSetting("ipv4/conf/lo/arp_notify") == "0")
    #expect(here == before)
  }

  @Test("what is not a network namespace is EINVAL, what is not there ENOENT")
  func notNamespaces() throws {
    let directory = try TemporaryDirectory()
    let plain = try directory.write("", to: "plain")
    #expect(mkfifo("\(directory.path)/fifo", 0o600) == 0)
    for path in [
      plain, directory.path, "\(directory.path)/fifo", "/dev/null", "/proc/self/ns/mnt",
      "/proc/self/ns/user",
    ] {
      #expect(throws: SystemError("setns", path, .invalidArgument)) {
        _ = try NetworkNamespace(path: path)
      }
    }
    #expect(throws: SystemError("open", "/run/netns/none", .noSuchFileOrDirectory)) {
      _ = try NetworkNamespace(path: "/run/netns/none")
    }
    // The mount is gone, the file is there.
    let empty = "/run/netns/\(uniqueName("pbt"))"
    try Data().write(to: URL(fileURLWithPath: empty))
    defer { unlink(empty) }
    #expect(throws: SystemError("setns", empty, .invalidArgument)) {
      _ = try NetworkNamespace(path: empty)
    }
  }

  @Test("a namespace held open outlives its name")
  func outliving() throws {
    let namespace = try NetworkNamespace(path: sandbox.path)
    sandbox.delete()
    #expect(try namespace.readSetting("ipv4/ip_forward") == "0")
    #expect(throws: SystemError.self) { _ = try NetworkNamespace(path: sandbox.path) }
  }
}
