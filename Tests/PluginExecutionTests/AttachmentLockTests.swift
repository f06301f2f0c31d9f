import CNI
import Linux
import PluginExecution
import TestSupport
import Testing

@Suite("Locks of attachments", .privateHost) struct AttachmentLockTests {
  private func attachment(_ id: String, _ name: String = "eth0") -> CNI.Attachment {
    CNI.Attachment(containerID: id, interfaceName: name)
  }
  private func isFree(_ holder: LockHolder, _ network: String, _ attachment: CNI.Attachment) -> Bool
  {
    (try? AttachmentLock(holder, network: network, attachment, until: .after(.zero))) != nil
  }

  @Test("an attachment is network, container ID and interface name, for runtimes and for plugins")
  func identity() throws {
    let held = try AttachmentLock(
      .plugin, network: "lock1", attachment("c1"), until: .after(.zero))
    #expect(!isFree(.plugin, "lock1", attachment("c1")))
    #expect(isFree(.runtime, "lock1", attachment("c1")))
    #expect(isFree(.plugin, "lock2", attachment("c1")))
    #expect(isFree(.plugin, "lock1", attachment("c2")))
    #expect(isFree(.plugin, "lock1", attachment("c1", "eth1")))
    _ = consume held
    #expect(isFree(.plugin, "lock1", attachment("c1")))
  }

  @Test("the files are for their owner alone")
  func permissions() throws {
    _ = try AttachmentLock(.plugin, network: "lock3", attachment("c1"), until: .after(.zero))
    #expect(try FileStatus(path: LockHolder.directory).permissions == 0o700)
    #expect(try FileStatus(path: LockHolder.plugin.path).permissions == 0o600)
    #expect(try FileStatus(path: LockHolder.plugin.path).size == 0)
  }

  @Test("what is held past the deadline is named")
  func message() throws {
    let held = try AttachmentLock(
      .runtime, network: "lock4", attachment("c1"), until: .after(.zero))
    let error = #expect(throws: LockError.self) {
      _ = try AttachmentLock(.runtime, network: "lock4", attachment("c1"), until: .after(.zero))
    }
    #expect(error == .held("attachment lock4/c1/eth0"))
    #expect(
      error?.description == "another command on attachment lock4/c1/eth0 has not ended in time")
    _ = consume held
  }

  @Test("GC has a network alone, and others share it")
  func networks() throws {
    let first = try NetworkLock(.plugin, "lock5", .shared, until: .after(.zero))
    let second = try NetworkLock(.plugin, "lock5", .shared, until: .after(.zero))
    #expect(throws: LockError.held("network lock5")) {
      _ = try NetworkLock(.plugin, "lock5", .exclusive, until: .after(.zero))
    }
    _ = consume first
    _ = consume second
    let alone = try NetworkLock(.plugin, "lock5", .exclusive, until: .after(.zero))
    #expect(throws: LockError.held("network lock5")) {
      _ = try NetworkLock(.plugin, "lock5", .shared, until: .after(.zero))
    }
    _ = consume alone
  }

  @Test("several are held by one file, and one that is held by another command is not had")
  func several() throws {
    let held = try AttachmentLock(
      .plugin, network: "lock6", attachment("c1"), until: .after(.zero))
    do {
      let locks = try AttachmentLocks(.plugin, network: "lock6")
      let others = try AttachmentLocks(.plugin, network: "lock6")
      #expect(try !locks.take(attachment("c1")))
      for number in 2..<500 { #expect(try locks.take(attachment("c\(number)"))) }
      #expect(!isFree(.plugin, "lock6", attachment("c2")))
      #expect(try !others.take(attachment("c2")))
    }
    // A program that another test starts has all that is open here until it runs.
    try eventually("it is free") { isFree(.plugin, "lock6", attachment("c2")) }
    _ = consume held
  }
}
