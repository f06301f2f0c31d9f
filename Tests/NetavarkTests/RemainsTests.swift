import Foundation
import TestSupport
import Testing

@Suite("What podman's containers leave", .privateHost) struct DriverRemainsTests {
  /// How a container whose namespace is gone is removed.
  enum Way: CaseIterable {
    case teardown
    case nextSetup
    case gc
  }

  @Test("whose namespace is gone, is removed", arguments: Way.allCases)
  func gone(by way: Way) throws {
    let podman = try PodmanHost()
    try podman.writeList("n1")
    let network = podman.network("cni")
    let lost = try Sandbox()
    let container = podman.container("c1", network)
    try podman.setup(lost, container)
    let path = lost.path
    lost.delete()
    switch way {
    case .teardown: try podman.teardown(path, container)
    case .nextSetup:
      let next = try Sandbox()
      try podman.setup(next, podman.container("c2", network))
      #expect(try podman.records().map { $0["containerID"] } == ["c2"])
      try podman.teardown(next.path, podman.container("c2", network))
    case .gc:
      try Messages.expect(
        podman.patchbay("gc", "n1", "--dry-run").checked().stdout, of: "patchbay",
        on: "gc --dry-run, of podman's")
      #expect(try podman.traces() != [])
      try Messages.expect(
        podman.patchbay("gc", "n1").checked().stdout, of: "patchbay", on: "gc, of podman's")
    }
    #expect(try podman.traces() == [])
  }

  @Test("is known from the rows where nothing is kept, also of a network that podman alone has")
  func rows() throws {
    let podman = try PodmanHost()
    let network = podman.routed(
      ["subnet": "10.7.0.0/24"], ["subnets": .null, "ipam_options": ["driver": "none"]])
    let (lost, alive) = (try Sandbox(), try Sandbox())
    let ports: Document = [["container_port": 80, "host_port": 8080]]
    try podman.setup(lost, podman.container("c1", network, ["port_mappings": ports]))
    let other = podman.container("c2", network)
    try podman.setup(alive, other)
    let results = "\(podman.host.directory.path)/cache/netavark/results"
    for file in try FileManager.default.contentsOfDirectory(atPath: results)
    where file.contains("c1") { unlink("\(results)/\(file)") }
    lost.delete()
    #expect(try podman.records().count == 2)
    try Messages.expect(
      podman.patchbay("gc", "n1").checked().stdout, of: "patchbay",
      on: "gc, of podman's, of whose result nothing is kept")
    #expect(try podman.records().map { $0["containerID"] } == ["c2"])
    try podman.teardown(alive.path, other)
    #expect(try podman.traces() == [])
  }

  @Test("after a reboot, a container starts in a new namespace over the old")
  func reboot() throws {
    let podman = try PodmanHost()
    let network = podman.routed()
    let (before, after) = (try Sandbox(), try Sandbox())
    let container = podman.container("c1", network, ["static_ips": ["10.7.0.5"]])
    try podman.setup(before, container)
    try podman.setup(
      try Sandbox(), podman.container("c2", network, ["static_ips": ["10.7.0.6"]]))
    before.delete()
    try podman.setup(after, container)
    #expect(try after.reaches("10.7.0.1"))
    #expect(try podman.records().map { $0["containerID"] } == ["c1"])
    try podman.teardown(after.path, container)
    #expect(try podman.traces() == [])
  }

  @Test("a setup whose runtime has ended before it could read the status takes all back")
  func unread() throws {
    let podman = try PodmanHost()
    let sandbox = try Sandbox()
    let container = podman.container("c1", podman.routed(), ["static_ips": ["10.7.0.5"]])
    try podman.host.namespace.exec(
      "sh", ["-c", "\"$0\" setup \"$1\" | true", podman.driver("ovs"), sandbox.path],
      environment: podman.environment, input: container.encoded
    ).checked()
    #expect(try podman.traces() == [])
    #expect(try sandbox.ip("link").array.count == 1)
  }

  @Test("a setup that is interrupted goes on to its end")
  func interrupted() throws {
    let podman = try PodmanHost()
    // The plugin after the port interrupts the driver.
    try podman.host.directory.write(
      "#!/bin/sh\n[ $CNI_COMMAND != ADD ] || kill -INT $PPID\njq .prevResult\n", to: "bin/spy",
      mode: 0o755)
    try podman.writeList("n1", [["type": "spy"]])
    let sandbox = try Sandbox()
    let container = podman.container("c1", podman.network("cni"))
    try podman.setup(sandbox, container)
    try podman.teardown(sandbox.path, container)
    #expect(try podman.traces() == [])
  }

  @Test("a setup that is killed at any step leaves nothing once its namespace is gone")
  func killed() throws {
    let podman = try PodmanHost()
    // An IPAM plugin, the port, and a plugin after it, each of which can be the last that ran.
    try podman.host.directory.write(
      """
      #!/bin/sh
      [ $CNI_COMMAND != ADD ] || [ ! -e \(podman.host.directory.path)/kill ] || kill -KILL $PPID
      jq .prevResult
      """, to: "bin/spy", mode: 0o755)
    try podman.writeList("n1", [["type": "spy"]])
    let network = podman.network("cni")
    try podman.host.directory.write("", to: "kill")
    let sandbox = try Sandbox()
    let container = podman.container("c1", network)
    let killed = try podman.call("cni", ["setup", sandbox.path], container)
    #expect(killed.output.bytes.isEmpty)
    #expect(try podman.traces() != [])
    unlink("\(podman.host.directory.path)/kill")
    // The same container, in the same namespace: nothing says that it is up.
    try podman.setup(sandbox, container)
    try podman.teardown(sandbox.path, container)
    #expect(try podman.traces() == [])

    let input = "\(podman.host.directory.path)/container"
    try podman.host.directory.write(
      String(decoding: container.encoded, as: UTF8.self), to: "container")
    for delay in stride(from: 5, through: 75, by: 10) {
      let lost = try Sandbox()
      let script = "\"$0\" setup \"$1\" <\"$3\" & sleep 0.0$2; kill -KILL $!; wait"
      let delay = delay < 10 ? "0\(delay)" : "\(delay)"
      _ = try podman.host.namespace.exec(
        "bash", ["-c", script, podman.driver("cni"), lost.path, delay, input],
        environment: podman.environment)
      lost.delete()
    }
    try podman.setup(sandbox, container)
    #expect(try podman.records().count == 1)
    try podman.teardown(sandbox.path, container)
    #expect(try podman.traces() == [])
  }
}
