import Addresses
import Testing

@testable import Netlink

@Suite struct AttributeTests {
  @Test("an attribute is padded to four octets, its length is not")
  func padding() {
    var writer = AttributeWriter<LinkSpace>()
    writer.put(.name, "eth0")
    writer.put(.mtu, nil)
    writer.put(.mtu, 1400)
    #expect(
      writer.bytes
        == octets(
          """
          0900 0300 65746830 00 000000   # IFLA_IFNAME "eth0"
          0800 0400 78050000             # IFLA_MTU 1400
          """))
  }

  @Test("what is written is read back", arguments: ["", "a", "eth0", "a-name-of-15-oc"])
  func roundTrip(name: String) throws {
    var writer = AttributeWriter<LinkSpace>()
    writer.put(.name, name)
    writer.put(.mtu, .max)
    writer.put(.alias, Unterminated(name))
    writer.put(.mac, .broadcast)
    writer.nest(.info) { $0.put(.kind, "veth") }
    let attributes = try Attributes<LinkSpace>(writer.bytes[...])
    #expect(try attributes[.name] == name)
    #expect(try attributes[.alias]?.text == name)
    #expect(try attributes[.mtu] == .max)
    #expect(try attributes[.mac] == .broadcast)
    #expect(try attributes[.info]?[.kind] == "veth")
    #expect(try attributes[.master] == nil)
  }

  @Test("a text that no length can hold is cut, and what follows stays readable")
  func overlong() throws {
    var writer = AttributeWriter<LinkSpace>()
    writer.put(.alias, Unterminated(String(repeating: "x", count: 100_000)))
    writer.put(.mtu, 1400)
    let attributes = try Attributes<LinkSpace>(writer.bytes[...])
    #expect(try attributes[.alias]?.text.utf8.count == 0xfff8)
    #expect(try attributes[.mtu] == 1400)
  }

  @Test(
    "a length that does not fit is told with its place",
    arguments: [
      ("0000 0300", NetlinkError.badLength(0, at: 0)),
      ("0300 0300", .badLength(3, at: 0)),
      ("ff00 0300", .badLength(255, at: 0)),
      ("0800 0400 78050000 0500 0300", .badLength(5, at: 8)),
    ])
  func malformed(hex: String, expected: NetlinkError) {
    #expect(throws: expected) { try Attributes<LinkSpace>(octets(hex)[...]) }
  }

  @Test("less than a header at the end is padding")
  func trailing() throws {
    let attributes = try Attributes<LinkSpace>(octets("0800 0400 78050000 000000")[...])
    #expect(try attributes[.mtu] == 1400)
  }

  @Test("a payload that is not of its type is told, and is only a fault where it is read")
  func badValue() throws {
    let attributes = try Attributes<LinkSpace>(octets("0600 0400 7805 0000")[...])
    #expect(try attributes[.name] == nil)
    #expect(throws: NetlinkError.badValue(attribute: 4, size: 2)) { try attributes[.mtu] }
    #expect(
      NetlinkError.badValue(attribute: 4, size: 2).description
        == "attribute number 4: 2 octets are not a value of its type")
    #expect(
      NetlinkError.badLength(255, at: 32).description
        == "a length of 255 octets at octet 32 does not fit the message")
  }
}
