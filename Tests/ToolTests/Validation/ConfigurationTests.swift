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
    try attach(
      try Data(contentsOf: URL(fileURLWithPath: "\(Patchbay.configurations)/\(file)")),
      in: Patchbay.configurations)
  }

  @Test("the configuration in README.md does likewise")
  func readme() throws {
    let text = try Project.text("README.md")
    let parts = text.components(separatedBy: "```json\n")
    try #require(parts.count == 2)
    let configuration = parts[1].components(separatedBy: "```\n")[0]
    let directory = try TemporaryDirectory()
    try directory.write(configuration, to: "10-ovs-1.conflist")
    let validated = try Patchbay.run("validate", "\(directory.path)/10-ovs-1.conflist")
    #expect(validated.status == 0, "\(validated)")
    // Below /run, it is hidden in a playground.
    try attach(Data(configuration.utf8), in: nil)
  }

  @Test("what the workshop types prints what the page says")
  func workshop() throws {
    let page = try Page("conf/workshop/README.md")
    #expect(page.blocks.allSatisfy { $0.language == "console" })
    #expect(page.indented == ["patchbay playground"])
    let transcript = Transcript(page.blocks.map(\.text).joined())
    let script = "ovs-vsctl --timeout=10 get Open_vSwitch . ovs_version\n" + transcript.script
    let output = try Patchbay.play(script)
    let version = output.stdout.prefix { $0 != "\n" }.filter { $0 != "\"" }
    transcript.expect(output.stdout, version: String(version))
  }

  /// Attaches, checks and detaches in a playground.
  private func attach(_ text: Data, in directory: String?) throws {
    let name = try #require(try Document(parsing: text)["name"].text)
    let output = try Patchbay.play(
      """
      set -e
      [ -d "$NETCONFPATH" ] || mkdir "$NETCONFPATH"
      [ -z "$TEXT" ] || printf %s "$TEXT" >"$NETCONFPATH/10.conflist"
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
      """,
      environment: [
        "NETCONFPATH": directory ?? "/run/net.d",
        "TEXT": directory == nil ? String(decoding: text, as: UTF8.self) : "",
      ])
    #expect(output.status == 0, "\(output)")
    #expect(output.stdout.contains(", no problem\n"), "\(output)")
    #expect(output.stdout.hasSuffix("links: 0\nports: 0\nleases: 0\n"), "\(output)")
  }
}
