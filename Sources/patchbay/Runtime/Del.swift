import ArgumentParser
import CNI
import CNIRuntime

struct Del: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "del",
    abstract: "Detach a network namespace from a network.",
    usage: "patchbay del <network> [<netns>] [<options>]",
    discussion: """
      Runs DEL of the plugins in reverse order, with the configuration and the result that were \
      kept. The namespace may be gone; nothing need be kept. To repeat it does no harm.

      Examples:
        patchbay del ovs-1 ns1
        patchbay del ovs-1 ns1 --ifname eth1
        patchbay del ovs-1 --container-id web
      """)

  @OptionGroup var made: RememberedAttachment

  func run() throws {
    let (list, parameters, isKept) = try made.recall()
    do throws(RuntimeError) { try made.runtime.del(list, parameters) } catch {
      throw Failure(error)
    }
    if !isKept {
      let attachment = parameters.attachment
      say(
        "no result was kept of \(attachment.containerID)/\(attachment.interfaceName) on network "
          + "\"\(list.name)\"; if anything of it was left, it is gone now", .warning)
    }
  }
}
