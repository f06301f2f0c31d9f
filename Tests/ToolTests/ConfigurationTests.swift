import Foundation
import TestSupport
import Testing

@Suite("Every file in conf", .privateHost)
struct ConfigurationTests {
  static let files =
    (try? FileManager.default.contentsOfDirectory(atPath: Patchbay.configurations))?
    .filter { $0.hasSuffix(".conflist") }.sorted() ?? []

  @Test("there are examples") func examples() { #expect(Self.files.count >= 4) }

  @Test("two sandboxes are attached, checked and detached, and nothing is left", arguments: files)
  func works(_ file: String) throws {
    let text = try Data(
      contentsOf: URL(fileURLWithPath: "\(Patchbay.configurations)/\(file)"))
    let name = try #require(try Document(parsing: text)["name"].text)
    let output = try Patchbay.play(
      """
      set -e
      patchbay netns add a b
      patchbay add \(name) a >/dev/null
      patchbay add \(name) b >/dev/null
      patchbay check \(name) a
      patchbay check \(name) b
      patchbay show
      patchbay del \(name) a
      patchbay del \(name) b
      echo "links: $(ip -br link show type veth | wc -l)"
      echo "ports: $(ovs-vsctl -- --columns=name --format=csv --no-headings find Port \\
        external_ids:owner=patchbay | wc -l)"
      echo "leases: $(find /var/lib/cni/networks -name '[0-9a-f]*[.:]*' 2>/dev/null | wc -l)"
      """, environment: ["NETCONFPATH": Patchbay.configurations])
    #expect(output.status == 0, "\(output)")
    #expect(output.stdout.contains(", no problem\n"), "\(output)")
    #expect(output.stdout.hasSuffix("links: 0\nports: 0\nleases: 0\n"), "\(output)")
  }
}
