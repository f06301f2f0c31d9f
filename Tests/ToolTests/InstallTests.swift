import Foundation
import TestSupport
import Testing

@Suite("make install") struct InstallTests {
  private let files: TemporaryDirectory

  /// Installs from a `dist` that has stand-ins for programs, and what comes with the tool.
  init() throws {
    files = try TemporaryDirectory()
    try run("install", ["-D", "-t", "\(files.path)/.ci", Project.path(".ci/install")]).checked()
    for program in ["ovs-bridge", "netavark-driver", "patchbay"] {
      try files.write("#!/bin/sh\n", to: "dist/\(program)", mode: 0o755)
    }
    try run("cp", [ManualTests.path, "\(files.path)/dist"]).checked()
    for shell in ["bash", "zsh", "fish"] {
      let script = try Patchbay.run("--generate-completion-script", shell).checked().stdout
      try files.write(script, to: "dist/patchbay.\(shell)")
    }
    let environment = ProcessInfo.processInfo.environment.filter {
      !["CNI_BIN", "PREFIX"].contains($0.key)
    }
    try run(
      "\(files.path)/.ci/install", [],
      environment: environment.merging(["DESTDIR": "\(files.path)/root"]) { $1 }
    ).checked()
  }

  @Test("puts each file where its reader looks for it")
  func places() throws {
    let found = files.files().keys.filter { $0.hasPrefix("root/") }.sorted()
    #expect(
      found == [
        "root/opt/cni/bin/ovs-bridge", "root/usr/local/bin/patchbay",
        "root/usr/local/libexec/netavark/cni", "root/usr/local/libexec/netavark/ovs",
        "root/usr/local/sbin/patchbay",
        "root/usr/local/share/bash-completion/completions/patchbay",
        "root/usr/local/share/fish/vendor_completions.d/patchbay.fish",
        "root/usr/local/share/man/man8/patchbay.8",
        "root/usr/local/share/zsh/site-functions/_patchbay",
      ])
  }

  @Test("keeps a link where bundles and hooks of running containers have the tool")
  func link() throws {
    let link = "\(files.path)/root/usr/local/sbin/patchbay"
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: link) == "../bin/patchbay")
    #expect(FileManager.default.isExecutableFile(atPath: link))
  }

  @Test("can be taken back, but for what others put there")
  func uninstall() throws {
    try files.write("", to: "root/opt/cni/bin/bridge", mode: 0o755)
    try run(
      "\(files.path)/.ci/install", ["--remove"],
      environment: ProcessInfo.processInfo.environment.filter {
        !["CNI_BIN", "PREFIX"].contains($0.key)
      }.merging(["DESTDIR": "\(files.path)/root"]) { $1 }
    ).checked()
    let left = try run("find", ["\(files.path)/root", "!", "-type", "d"]).checked().stdout
    #expect(left == "\(files.path)/root/opt/cni/bin/bridge\n")
  }

  /// What a shell offers after `patchbay netns `, by the script that is installed for it.
  private static let questions = [
    (
      "bash",
      """
      . "$1/bash-completion/completions/patchbay"
      complete -p patchbay
      COMP_WORDS=(patchbay netns '') COMP_CWORD=2 COMP_LINE='patchbay netns ' COMP_POINT=15
      _patchbay patchbay '' netns
      printf '%s\\n' "${COMPREPLY[@]}"
      """
    ),
    (
      "zsh",
      """
      fpath=("$1/zsh/site-functions" $fpath)
      autoload -U compinit && compinit -D -u
      echo "$_comps[patchbay]"
      . "$1/zsh/site-functions/_patchbay"
      whence -f _patchbay_netns
      """
    ),
    (
      "fish",
      """
      set PATH $argv[1]/../bin $PATH
      source $argv[1]/fish/vendor_completions.d/patchbay.fish
      complete -C 'patchbay netns '
      """
    ),
  ]

  @Test("lets the shells complete commands", arguments: questions)
  func completions(shell: String, script: String) throws {
    let share = "\(files.path)/root/usr/local/share"
    let options = ["zsh": ["-f"], "fish": ["--no-config"], "bash": ["--norc"]][shell] ?? []
    let name = shell == "fish" ? [] : [shell]
    let output = try run(shell, options + ["-c", script] + name + [share]).checked()
    for word in ["add", "list", "del", "exec"] {
      #expect(output.stdout.contains(word), "\(output)")
    }
    if shell == "bash" { #expect(output.stdout.contains(" -F _patchbay patchbay\n")) }
    if shell == "zsh" { #expect(output.stdout.hasPrefix("_patchbay\n")) }
    #expect(output.stderr.isEmpty, "\(output)")
  }

  @Test("lets them complete the networks and namespaces that there are")
  func names() throws {
    let output = try Patchbay.play(
      """
      patchbay netns add ns1
      . <(patchbay --generate-completion-script bash)
      offers() {
        COMPREPLY=() COMP_WORDS=("$@" '') COMP_CWORD=$# COMP_LINE="$* " COMP_POINT=$((${#COMP_LINE}))
        _patchbay patchbay '' "${@: -1}"
        echo "${COMPREPLY[@]}"
      }
      offers patchbay add
      offers patchbay add ovs-1
      offers patchbay netns exec
      patchbay add ovs-1 ns1 --container-id web >/dev/null
      offers patchbay show
      offers patchbay show --container
      offers patchbay trace
      offers patchbay trace ns1
      fish --no-config -c '
        patchbay --generate-completion-script fish | source
        complete -C "patchbay add "
        complete -C "patchbay add ovs-1 "
        complete -C "patchbay netns exec "
        complete -C "patchbay show --container " | cut -f 1'
      """)
    #expect(
      output.stdout == "ovs-1\nns1\nns1\nOVS-1\nweb\nns1\nns1\novs-1\nns1\nns1\nweb\n", "\(output)")
  }
}
