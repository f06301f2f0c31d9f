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

  @Test("documents every member of the JSON texts", .privateHost)
  func members() throws {
    let script =
      ShowFeatureTests.prelude + """
        patchbay netns add ns2; patchbay add all ns2 >/dev/null
        {
          for command in show list check "check all ns1" status "status all" leases "leases all" \
            version "validate all.conflist" "trace ns1 10.10.0.1" "trace ns1 ns2 --probe" doctor \
            "bench all -n 1" "netns list" "cluster status --database unix:/run/none.sock"; do
            patchbay $command --json
          done
        } 2>/dev/null | jq -r '.. | objects | keys[]' | sort -u
        """
    let names = try Patchbay.play(script).stdout.split(separator: "\n").map(String.init)
    #expect(names.count > 80, "\(names)")
    let documented = Set(section("JSON").flatMap { $0.split { !$0.isLetter && !$0.isNumber } })
    #expect(names.filter { !documented.contains(Substring($0)) } == [])
  }

  @Test("names every check of trace and doctor")
  func checks() throws {
    let named = Set(section("CHECKS").flatMap { $0.split { ", ".contains($0) } })
    let directory = Project.path("Sources/patchbay/Diagnosis")
    let files =
      FileManager.default.enumerator(atPath: directory)?.compactMap { $0 as? String } ?? []
    var count = 0
    for file in files where file.hasSuffix(".swift") {
      let text = try String(contentsOfFile: "\(directory)/\(file)", encoding: .utf8)
      for match in text.matches(of: /\.(?:fault|doubt|good|skipped)\(\s*"([a-z0-9-]+)"/) {
        count += 1
        #expect(named.contains(match.1), "\(match.1) of \(file)")
      }
    }
    #expect(count > 60)
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
