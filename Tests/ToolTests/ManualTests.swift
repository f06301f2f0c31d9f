import Foundation
import TestSupport
import Testing

@Suite("the manual patchbay(8)") struct ManualTests {
  static let path = Project.path("Sources/patchbay/patchbay.8")
  /// What a person reads, line by line.
  private let lines: [String]

  init() throws {
    // So wide that no line is broken; what is struck twice is bold.
    let text = try run("mandoc", ["-T", "utf8", "-O", "width=1000", Self.path]).checked().stdout
    lines = text.replacing(/.\u{8}/, with: "").components(separatedBy: "\n")
  }

  /// The lines of a section, without their indentation.
  private func section(_ name: String) -> [String] {
    let rest = lines.drop { $0 != name }.dropFirst()
    return rest.prefix { $0.isEmpty || $0.hasPrefix(" ") }.map {
      $0.trimmingCharacters(in: .whitespaces)
    }
  }

  @Test("has no fault")
  func lint() throws {
    let output = try run("mandoc", ["-T", "lint", Self.path])
    #expect(output.status == 0 && output.stdout.isEmpty, "\(output)")
  }

  @Test("has every subcommand and every option")
  func commands() throws {
    let all = try Subcommand.all()
    #expect(all.count > 18)
    let synopsis = section("SYNOPSIS").map { $0.split(separator: " ").dropFirst() }
    // What a line begins with: `-n, --dry-run`.
    let terms = Set(
      lines.map { $0.trimmingCharacters(in: .whitespaces) }.filter { $0.hasPrefix("-") }
        .flatMap { $0.split { " ,".contains($0) }.map { String($0) } })
    for command in all {
      // Several may share a line: `patchbay check|del network`.
      let isThere = synopsis.contains { words in
        words.count >= command.path.count
          && zip(words, command.path).allSatisfy {
            $0.split(separator: "|").map(String.init).contains($1)
          }
      }
      #expect(isThere, "\(command.path)")
      let missing = command.options.filter { !terms.contains($0) }
      #expect(missing.isEmpty, "\(command.path)")
    }
  }

  @Test("has the exit statuses, the variables and the files")
  func others() {
    let statuses = section("EXIT STATUS").compactMap { $0.split(separator: " ").first }
    #expect(statuses.filter { Int($0) != nil }.prefix(3) == ["0", "1", "2"])
    let variables = section("ENVIRONMENT").joined(separator: " ")
    for name in [
      "NETCONFPATH", "CNI_PATH", "CNI_IFNAME", "CNI_ARGS", "CAP_ARGS", "CNI_TRACE", "NO_COLOR",
      "SHELL", "LXC_NAME", "LXC_HOOK_TYPE", "LXC_HOOK_VERSION", "LXC_PID", "LXC_NET_NS",
      "LXC_LOG_LEVEL",
    ] {
      #expect(variables.contains(name), "\(name)")
    }
    let files = section("FILES").joined(separator: " ")
    for path in [
      "/etc/cni/net.d/", "/opt/cni/bin", "/var/lib/cni/results/", "/var/lib/cni/networks/",
      "/run/netns/",
    ] {
      #expect(files.contains(path), "\(path)")
    }
  }
}
