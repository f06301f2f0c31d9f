import CNIRuntime
import SandboxRemains

/// What `gc` frees of containers that podman attached by the drivers of netavark.
struct PodmanCollection {
  private let remains: PodmanRemains

  init(_ options: RuntimeOptions) {
    remains = PodmanRemains(
      PodmanRemains.runtime(like: options.runtime), options.directory, patience: .seconds(2))
  }

  /// Whether podman has attached something to `network`.
  func knows(_ network: String) -> Bool { remains.knows(network) }

  /// Removes what is left of attachments to `network`; returns which these are, and what failed.
  ///
  /// - Parameter list: Says where Open vSwitch is, besides what is kept.
  func collect(_ network: String, besides list: NetworkList?, isDryRun: Bool)
    -> ([StaleAttachment], [RuntimeError])
  {
    var sentences: [String] = []
    let all = remains.all(
      of: network, endpoints: list.map { PodmanRemains.endpoints(of: $0) } ?? [], &sentences)
    guard !isDryRun else { return (all.map(\.stale), sentences.map { .survey($0) }) }
    var failures = sentences.map { RuntimeError.survey($0) }
    var removed: [StaleAttachment] = []
    for one in all {
      do throws(RuntimeError) {
        if try remains.remove(one) { removed.append(one.stale) }
      } catch { failures.append(error) }
    }
    return (removed, failures)
  }
}
