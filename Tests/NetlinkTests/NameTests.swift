import Foundation
import TestSupport
import Testing

@testable import Netlink

@Suite("Names of attributes")
struct NameTests {
  @Test("every attribute that is declared has its name in its space, once")
  func names() throws {
    let spaces: [(String, [AttributeName])] = [
      ("LinkSpace", LinkSpace.names), ("LinkInfoSpace", LinkInfoSpace.names),
      ("VethSpace", VethSpace.names), ("XDPSpace", XDPSpace.names),
      ("FamilySpace", FamilySpace.names),
      ("LinkIPv4Space", LinkIPv4Space.names),
      ("LinkIPv4SettingSpace", LinkIPv4SettingSpace.names),
      ("LinkIPv6Space", LinkIPv6Space.names), ("AddressSpace", AddressSpace.names),
      ("RouteSpace", RouteSpace.names), ("MetricSpace", MetricSpace.names),
      ("NeighbourSpace", NeighbourSpace.names),
      ("NamespaceSpace", NamespaceSpace.names),
    ]
    let sources = Project.root.appendingPathComponent("Sources/Netlink")
    var text = ""
    for folder in ["Links", "Routing"] {
      let directory = sources.appendingPathComponent(folder)
      for name in try FileManager.default.contentsOfDirectory(atPath: directory.path) {
        text += try String(contentsOf: directory.appendingPathComponent(name), encoding: .utf8)
      }
    }
    for (space, names) in spaces {
      #expect(Set(names.map(\.type)).count == names.count, "\(space)")
      #expect(Set(names.map(\.text)).count == names.count, "\(space)")
      // What stands between "where Space == …" and the end of that extension.
      let extensions = text.components(separatedBy: "Attribute where Space == \(space),")
        .dropFirst()
      let declared = extensions.flatMap { part in
        (part.components(separatedBy: "\n}").first ?? "").components(separatedBy: ".init(")
          .dropFirst().compactMap { $0.components(separatedBy: "\"").dropFirst().first }
      }
      #expect(!declared.isEmpty, "\(space)")
      for name in declared {
        #expect(names.contains { $0.text == name }, "\(space): \(name)")
      }
    }
  }
}
