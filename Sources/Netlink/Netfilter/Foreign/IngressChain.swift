internal import CLinux
public import Linux

/// A chain of any program at the ingress of links: it sees what they receive before the rest of
/// this host does.
public struct IngressChain: Hashable, Sendable {
  /// The name of its table, of the family `netdev`.
  public let table: String
  /// Its name.
  public let name: String
  /// The names of the links.
  public let devices: [String]

  /// `nft netdev TABLE NAME`
  public var title: String { "nft netdev \(table) \(name)" }

  /// Nil for a chain that is at no ingress.
  fileprivate init?(_ body: ArraySlice<UInt8>) throws(NetlinkError) {
    let attributes = try Attributes<FilterChainSpace>(body)
    // NF_NETDEV_INGRESS of linux/netfilter.h is 0, NF_NETDEV_EGRESS 1.
    guard let hook = try attributes[.hook], try hook[.number]?.value == 0 else { return nil }
    table = try attributes[.table] ?? ""
    name = try attributes[.name] ?? ""
    var devices: [String] = []
    let list = hook.payload(UInt16(NFTA_HOOK_DEVS.rawValue)) ?? []
    var cursor = AttributeCursor(list)
    while let device = try cursor.next() {
      devices.append(String(decoding: list[device.payload].prefix { $0 != 0 }, as: UTF8.self))
    }
    // Kernels before 5.5 know one link only.
    self.devices = devices.isEmpty ? [try hook[.device]].compactMap { $0 } : devices
  }
}

extension NetfilterSocket {
  /// The chains at the ingress of links. nft(8) up to 1.0.6 leaves the links out of its JSON.
  public func ingressChains(until deadline: Deadline) throws(FilterError) -> [IngressChain] {
    let messages = FilterMessages(table: FilterTable(.netdev, "", []))
    var chains: [IngressChain] = []
    for body in try list(messages.listChains, FilterMessages.chainType, until: deadline) {
      do throws(NetlinkError) {
        if let chain = try IngressChain(body) { chains.append(chain) }
      } catch { throw .malformed(.read, error) }
    }
    return chains
  }
}
