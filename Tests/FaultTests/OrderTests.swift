import Foundation
import TestSupport
import Testing

/// On a host with many links ADD asks for the port, and makes its link before ovs-vswitchd has come
/// to look for it. Where that was faster, it has found no link.
@Suite("ADD whose port is there before its link", .privateHost)
struct OrderTests {
  private let faults: FaultHost
  private let sandbox: Sandbox
  private let configuration: Document
  private let marker: String

  init() throws {
    faults = try FaultHost()
    sandbox = try Sandbox()
    configuration = faults.configuration()
    marker = "\(faults.host.directory.path)/marker"
    try faults.host.namespace.addManyLinks()
  }

  /// Runs ADD. Before its system call `number`, where there is a port of it by then, which has got
  /// so far as `column` says, the shell command `command` is run: whether it was.
  private func add(
    at number: Int, where column: String, _ command: String = "true"
  ) throws -> (stepped: Stepped, wasRun: Bool) {
    unlink(marker)
    let script = """
      vsctl="ovs-vsctl --db=\(faults.host.openVSwitch.endpoint) --timeout=20"
      # It ends when ovs-vswitchd has looked.
      $vsctl set Open_vSwitch . external_ids:looked=yes
      $vsctl --bare --columns=\(column) find Interface external_ids:containerID=c1 | grep -q . \
      && touch \(marker) && \(command)
      """
    let stepped = try faults.step(
      .run(script), at: number, "ADD", configuration, "c1", sandbox)
    return (stepped, FileManager.default.fileExists(atPath: marker))
  }

  private func del() throws {
    try faults.plugin.del(configuration, containerID: "c1", sandbox: sandbox).checked()
  }

  /// About the system call that makes the link: the first before which there is a port. Two runs
  /// may differ by a call or two.
  private func callOfLink() throws -> Int {
    var (below, above) = (
      0, try faults.step(.none, at: 0, "ADD", configuration, "c1", sandbox).count
    )
    try del()
    while above - below > 1 {
      let middle = (below + above) / 2
      let (stepped, wasRun) = try add(at: middle, where: "name")
      try stepped.result.checked()
      try del()
      if wasRun { above = middle } else { below = middle }
    }
    return above
  }

  @Test("ovs-vswitchd looks once more, and ADD succeeds; another ADD leaves the port alone")
  func late() throws {
    let other = try Sandbox()
    let input = "\(faults.host.directory.path)/configuration"
    try Data(configuration.encoded).write(to: URL(fileURLWithPath: input))
    let another = """
      ip netns exec \(faults.host.namespace.name) env CNI_COMMAND=ADD CNI_CONTAINERID=c2 \
      CNI_NETNS=\(other.path) CNI_IFNAME=eth0 CNI_PATH=\(faults.plugin.searchPath) \
      \(faults.plugin.path) <\(input) >\(input).result
      """
    let about = try callOfLink()
    var late: PluginResult?
    for number in [about, about - 1, about + 1, about - 2, about + 2, about - 3, about + 3, about] {
      let (stepped, wasRun) = try add(at: number, where: "error", another)
      try stepped.result.checked()
      if wasRun {
        late = stepped.result
        break
      }
      try del()
    }
    let result = try #require(late, "ovs-vswitchd has found the link each time")
    let rows = try faults.host.openVSwitch.rows("Interface").filter {
      ["c1", "c2"].contains($0["external_ids"]["containerID"].text)
    }
    #expect(rows.count == 2)
    for row in rows {
      #expect(row["error"].text == nil, "\(row)")
      #expect((row["ofport"].integer ?? 0) > 0, "\(row)")
    }
    try faults.plugin.check(
      configuration, previous: result.json, containerID: "c1", sandbox: sandbox
    ).checked()
    try del()
    try faults.plugin.del(configuration, containerID: "c2", sandbox: other).checked()
  }
}
