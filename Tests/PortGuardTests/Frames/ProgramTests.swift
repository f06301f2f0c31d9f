import Addresses
import PortGuard
import TestSupport
import Testing

@Suite("The program of a port", .privateHost) struct ProgramTests {
  @Test("gives each frame of the table the verdict that the table has", arguments: [false, true])
  func table(_ allowsDHCP: Bool) throws {
    let machine = try Machine(Container.policy(allowsDHCP: allowsDHCP))
    for item in Case.table + Case.dhcp(allowsDHCP) {
      #expect(try machine.passes(item.bytes) == item.passes, "\(item)")
    }
  }

  @Test("of the Ethernet address alone looks at nothing else")
  func mac() throws {
    let policy = try Container.policy(.mac)
    let machine = try Machine(policy)
    for item in Case.table {
      #expect(try machine.passes(item.bytes) == Verdict(policy, item.bytes).passes, "\(item)")
    }
  }

  @Test("is one that the kernel takes, and that agrees with the policy, for any policy")
  func generated() throws {
    var random = SeededGenerator(7)
    let count = isSoak ? 2000 : 200
    for number in 0..<count {
      let policy = GuardPolicy.random(&random)
      let machine = try Machine(policy)
      for _ in 0..<10 {
        let frame = policy.randomFrame(&random)
        let passes = try machine.passes(frame)
        #expect(passes == Verdict(policy, frame).passes, "policy \(number): \(policy), \(frame)")
      }
    }
  }

  @Test("lets nothing pass where no sender is")
  func nothing() throws {
    let machine = try Machine(.nothing)
    for item in Case.table { #expect(try !machine.passes(item.bytes), "\(item)") }
  }

  @Test("takes frames that are cut anywhere")
  func cut() throws {
    let policy = try Container.policy(allowsDHCP: true)
    let machine = try Machine(policy)
    for item in Case.table + Case.dhcp(true) {
      // The kernel gives no program less than an Ethernet header.
      for count in 14..<item.bytes.count {
        let frame = Array(item.bytes.prefix(count))
        #expect(try machine.passes(frame) == Verdict(policy, frame).passes, "\(item), \(count)")
      }
    }
  }
}
