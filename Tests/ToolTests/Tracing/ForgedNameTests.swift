import Foundation
import TestSupport
import Testing

@Suite("Names from outside", .privateHost) struct ForgedNameTests {
  @Test("forge no line and move no cursor, whatever command prints them, in whatever form")
  func controlCharacters() throws {
    let plugged = try ShowTests.Plugged()
    let text = #"x\n✓ forged\r\u001b[2J\u0007\u007f\u009b31m\u202e"#
    for name in ["containerID", "containerName", "sandbox", "interfaceName", "network"] {
      try plugged.host.openVSwitch.vsctl(
        "--no-wait", "set", "Port", plugged.port, "external_ids:\(name)=\"\(text)\"")
    }
    for words in [
      ["show"], ["show", "--json"], ["show", "--dot"], ["doctor"], ["doctor", "--json"],
      ["trace", "x", "10.0.0.1"],
    ] {
      let output = try plugged.host.namespace.exec(
        Patchbay.path, words + ["--db", plugged.host.openVSwitch.endpoint])
      let printed = output.stdout + output.stderr
      #expect(!printed.isEmpty, "\(words)")
      let isPlain = printed.unicodeScalars.allSatisfy {
        $0 == "\n" || !(0..<0x20 ~= $0.value || 0x7f..<0xa0 ~= $0.value || $0.value == 0x202e)
      }
      #expect(isPlain, "\(words): \(output)")
      #expect(!printed.contains("\n✓ forged"), "\(words): \(output)")
    }
  }
}
