public import Addresses
public import PluginConfigurations

/// What is known of an attachment that bears on the addresses it gets.
public struct AddressPreferences {
  /// Who asks.
  public struct Subject: Hashable, Sendable {
    /// `CNI_CONTAINERID`
    public let containerID: String
    /// `CNI_IFNAME`
    public let interfaceName: String
    /// The pod's name; nil where the runtime does not say.
    public let pod: PodName?
    /// The hardware address that the attachment will have, where that is known.
    public let mac: MACAddress?

    /// A subject.
    public init(
      containerID: String, interfaceName: String, pod: PodName?, mac: MACAddress?
    ) {
      self.containerID = containerID
      self.interfaceName = interfaceName
      self.pod = pod
      self.mac = mac
    }
  }

  /// The address that is asked for in each range set; nil: any.
  let requests: [AddressRequest?]
  private let subject: Subject
  private let sticky: HostLocalConfiguration.Sticky?

  /// The preferences of `subject`.
  ///
  /// - Parameter requests: The addresses that are asked for, those that count more first.
  public init(
    _ subject: Subject, requests: [AddressRequest], _ configuration: HostLocalConfiguration
  ) throws(AllocationFailure) {
    self.subject = subject
    sticky = configuration.sticky
    self.requests = try Self.distribute(requests, configuration)
  }

  /// Gives each request to the range set that it lies in.
  ///
  /// Where several sources ask for an address of one set, the first of them wins: `runtimeConfig`,
  /// `args.cni`, `CNI_ARGS`. Where they speak of different sets, each is heard.
  private static func distribute(
    _ all: [AddressRequest], _ configuration: HostLocalConfiguration
  ) throws(AllocationFailure) -> [AddressRequest?] {
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
      throw AllocationFailure(
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
      subject.pod?.description == name
        || (!name.utf8.contains(UInt8(ascii: "/")) && subject.pod?.name == name)
    case .mac(let mac): subject.mac == mac
    case .containerID(let id): subject.containerID == id
    }
  }

  /// By what the address of the range set number `set` is found again; nil: it is not.
  func subject(of set: Int) -> String? {
    switch sticky {
    case .name: subject.pod.map { "name \($0) \(subject.interfaceName) \(set)" }
    case .mac: subject.mac.map { "mac \($0) \(set)" }
    case nil: nil
    }
  }
}

extension HostLocalConfiguration {
  /// The range set and the range that `address` is given from: the one that it lies in, or for a
  /// reservation beside the ranges the one of its subnet.
  public func place(of address: IPAddress) -> (set: Int, range: AddressRange)? {
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
