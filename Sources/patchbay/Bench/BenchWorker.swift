import ArgumentParser
import CNI
import CNIRuntime
import JSON
import Linux

/// One of the processes of `bench`: prints a line for each attachment.
struct BenchWorker: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench-worker", abstract: "One worker of bench.", shouldDisplay: false)

  @Argument var network: String
  @Argument var count: Int
  @Argument var prefix: String
  @OptionGroup var options: RuntimeOptions

  func run() throws {
    let list = try options.network(network)
    let runtime = options.runtime
    let sandbox: FileDescriptor
    do throws(SystemError) { sandbox = try Self.newNamespace() } catch {
      throw Failure("cannot make a network namespace: \(error)")
    }
    // Valid as long as this process is; nothing of it is left behind, whatever ends it.
    let path = "/proc/\(Process.identifier)/fd/\(sandbox.rawValue)"
    for index in 0..<count {
      let parameters = AttachmentParameters(
        Attachment(containerID: "\(prefix)-\(index)", interfaceName: "eth0"), sandboxPath: path)
      let line = measure(list, parameters, runtime).encoded() + [0x0a]
      // The counting program has ended.
      do { try StandardStream.output.write(line) } catch { return }
    }
  }

  private func measure(
    _ list: NetworkList, _ parameters: AttachmentParameters, _ runtime: Runtime
  ) -> JSONValue {
    var members: [(String, JSONValue?)] = []
    var started = Clock.monotonic
    func lap(_ name: String) {
      let now = Clock.monotonic
      members.append((name, .integer((now - started).nanoseconds)))
      started = now
    }
    do throws(RuntimeError) {
      _ = try runtime.add(list, parameters)
      lap("ADD")
      if list.has(.check), !list.isCheckDisabled {
        try runtime.check(attached: list, parameters)
        lap("CHECK")
      }
      try runtime.del(list, parameters)
      lap("DEL")
    } catch {
      members.append(("error", .string(error.description)))
      try? runtime.del(list, parameters)
    }
    return .object(members)
  }

  /// Makes a network namespace and comes back from it.
  private static func newNamespace() throws(SystemError) -> FileDescriptor {
    let home = try NetworkNamespace.current()
    try Process.unshare(.network)
    let made = Result { () throws(SystemError) in
      try FileDescriptor.open("/proc/thread-self/ns/net")
    }
    try home.enter()
    return try made.get()
  }
}
