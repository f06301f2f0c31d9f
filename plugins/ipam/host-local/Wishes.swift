import Addresses
import CNI
import JSON
import PluginConfigurations

/// What is known of an attachment that bears on the addresses it gets.
struct Wishes {
  /// The address that is asked for in each range set; nil: any.
  let requests: [AddressRequest?]
  /// `NAMESPACE/NAME`, or `NAME` where the runtime tells no namespace; nil where it tells no name.
  let podName: String?
  let mac: MACAddress?
  private let request: Request
  private let sticky: HostLocalConfiguration.Sticky?

  init(_ request: Request, _ configuration: HostLocalConfiguration) throws(CNIError) {
    self.request = request
    sticky = configuration.sticky
    let arguments = request.arguments
    podName = arguments["K8S_POD_NAME"].map { name in
      arguments["K8S_POD_NAMESPACE"].map { "\($0)/\(name)" } ?? name
    }
    mac =
      configuration.mac ?? arguments["MAC"].flatMap { MACAddress($0) }
      ?? request.network.json["mac"].value?.text.flatMap { MACAddress($0) }
    var all = configuration.requests
    if let text = arguments["IP"] {
      guard let address = AddressRequest.parse(text) else {
        throw CNIError(
          .invalidEnvironment,
          "ARGS: error parsing value of pair \"IP=\(text)\": invalid IP address \(text)",
          details: "write it as IP=ADDRESS or IP=ADDRESS/LENGTH")
      }
      all.append(AddressRequest(address, source: "CNI_ARGS IP"))
    }
    requests = try Self.distribute(all, configuration)
  }

  /// Gives each request to the range set that it lies in.
  ///
  /// Where several sources ask for an address of one set, the first of them wins: `runtimeConfig`,
  /// `args.cni`, `CNI_ARGS`. Where they speak of different sets, each is heard.
  private static func distribute(
    _ all: [AddressRequest], _ configuration: HostLocalConfiguration
  ) throws(CNIError) -> [AddressRequest?] {
    var requests = [AddressRequest?](repeating: nil, count: configuration.sets.count)
    var left: [AddressRequest] = []
    for request in all {
      guard let place = configuration.place(of: request.address) else {
        left.append(request)
        continue
      }
      if let first = requests[place.set] {
        if first.source == request.source, first.address != request.address {
          left.append(request)
        }
      } else {
        requests[place.set] = request
      }
    }
    guard left.isEmpty else {
      let sets = configuration.sets.map { "\($0.path): \($0.text)" }
      throw CNIError(
        .internalFailure,
        "failed to allocate all requested IPs: "
          + left.map { $0.address.description }.joined(separator: " "),
        details: "asked for by \(left.first?.source ?? ""); each range set gives one address: "
          + sets.joined(separator: "; "))
    }
    return requests
  }

  /// Whether a reservation is for this attachment.
  func matches(_ reservation: Reservation) -> Bool {
    switch reservation.subject {
    case .name(let name):
      podName == name
        || (!name.utf8.contains(UInt8(ascii: "/")) && request.arguments["K8S_POD_NAME"] == name)
    case .mac(let mac): self.mac == mac
    case .containerID(let id): request.invocation.containerID == id
    }
  }

  /// By what the address of the range set number `set` is found again; nil: it is not.
  func memory(of set: Int) -> String? {
    switch sticky {
    case .name: podName.map { "name \($0) \(request.invocation.interfaceName) \(set)" }
    case .mac: mac.map { "mac \($0) \(set)" }
    case nil: nil
    }
  }
}

extension HostLocalConfiguration {
  /// The range set and the range that `address` is given from: the one that it lies in, or for a
  /// reservation beside the ranges the one of its subnet.
  func place(of address: IPAddress) -> (set: Int, range: AddressRange)? {
    for (position, set) in sets.enumerated() {
      if let range = set.range(with: address) { return (position, range) }
    }
    guard reservations.contains(where: { $0.address == address }) else { return nil }
    for (position, set) in sets.enumerated() {
      if let range = set.ranges.first(where: { $0.subnet.contains(address) }) {
        return (position, range)
      }
    }
    return nil
  }
}
