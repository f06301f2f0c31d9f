import CNI
import CNIRuntime
import JSON
import Linux
import Netavark

/// The ports of a container, which podman gives to each of its networks, and which one of them
/// publishes.
struct PublishedByContainer {
  private let request: ContainerRequest
  private let host: Host
  /// The container's attachments to other networks, or to this one by other interfaces.
  private let others: [CachedAttachment]

  init(_ request: ContainerRequest, _ host: Host) {
    self.request = request
    self.host = host
    guard !request.portMappings.isEmpty else {
      others = []
      return
    }
    others = ((try? host.runtime.cache.entries()) ?? []).filter {
      $0.attachment.containerID == request.containerID && $0.attachment != request.attachment
        && !$0.sandboxIsGone
    }
  }

  /// Whether another attachment publishes them.
  private var arePublished: Bool { others.contains { Self.publishes($0) } }

  private static func publishes(_ entry: CachedAttachment) -> Bool {
    !(entry.capabilities["portMappings"]?.array ?? []).isEmpty
  }

  /// The capability of an attachment by `list`: the ports where it is to publish them; nil where
  /// another one of the container does so; none at all where it never is to.
  func capability(_ isToPublish: Bool, _ list: NetworkList) -> JSONValue? {
    guard !request.portMappings.isEmpty, list.publishes else { return nil }
    guard isToPublish else { return [] }
    return arePublished ? nil : request.portMappingsCapability
  }

  /// Has another attachment publish them where `past`, which is gone, did.
  func handOver(_ past: CachedAttachment) {
    guard Self.publishes(past), !arePublished else { return }
    for other in others where other.capabilities["portMappings"] == nil {
      guard let list = try? NetworkList(parsing: other.configuration), list.publishes,
        let type = list.plugins.first(where: { $0.capabilities.contains("portMappings") })?.type
      else { continue }
      var entry = other
      entry.capabilities["portMappings"] = request.portMappingsCapability
      do throws(RuntimeError) {
        guard try host.runtime.repeatADD(of: type, in: list, entry) else { continue }
      } catch {
        Host.warn("network \"\(other.network)\" cannot publish ports: \(DriverError(error))")
        continue
      }
      try? host.runtime.cache.store(entry)
      return
    }
  }
}
