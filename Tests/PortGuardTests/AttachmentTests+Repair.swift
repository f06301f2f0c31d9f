import PortGuard
import TestSupport
import Testing

extension AttachmentTests {
  @Test("is put back by the tool as it was, with what is allowed besides")
  func repair() throws {
    let network = try Guarded()
    let result = try network.attach()
    let host = network.host
    func repair() throws -> String {
      try host.namespace.exec(
        host.plugin("patchbay").path, ["repair", "net1", "--db", host.openVSwitch.endpoint]
      ).checked().stdout
    }
    #expect(try repair() == "")
    let name = result["interfaces"][0]["name"].text ?? ""
    let removal =
      switch Datapath.current {
      case .userspace: ["ip", "link", "set", name, "xdp", "off"]
      case .kernel: ["nft", "flush", "ruleset"]
      }
    try host.namespace.exec(removal[0], Array(removal.dropFirst())).checked()
    #expect(try network.check(result).code == 999)
    let lines = try repair().split(separator: "\n")
    try Messages.expect(
      String(#require(lines.first { $0.contains("guard") })), of: "patchbay",
      on: "repair, of a guard")
    try network.check(result).checked()
    try network.expect(Case.table)
    #expect(try repair() == "", "what is there is left alone")
  }
}
