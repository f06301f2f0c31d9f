import Addresses
import CNI
import Linux
import Netlink
import PluginConfigurations
import PluginCore

/// Both ends of an attachment's veth pair, and the sockets of the namespaces they are in.
struct Ends {
  let outside: RouteSocket
  let inside: RouteSocket
  let host: Link
  /// The index of the container end in the sandbox.
  let containerIndex: Int32
  let containerName: String
  /// What the container end has, or is to have; nil until it is decided.
  var mac: MACAddress?
  /// Whether it has to be given to it yet.
  private var isMACPending = false

  /// Makes the pair. Both ends have their names and sizes; the host end is up.
  init(
    _ plan: Plan, in sandbox: borrowing NetworkNamespace, _ context: Context,
    _ rollback: inout Rollback
  )
    throws(CNIError)
  {
    do throws(RouteError) {
      let outside = try RouteSocket()
      let inside = try RouteSocket(in: sandbox)
      let made = try Self.addPair(plan, sandbox, outside, until: context.deadline)
      rollback.onFailure("delete link \"\(made.name)\"") {
        Self.delete(made.index, outside)
      }
      guard let peer = made.peerIndex else {
        throw .malformed(
          .addVeth(made.name, peer: plan.attachment.interfaceName), .badLength(0, at: 0))
      }
      try outside.request(until: context.deadline) {
        $0.silenceLink(.index(made.index))
        $0.setLink(
          .index(made.index), isUp: true, alias: plan.hostLink.alias(network: plan.network))
      }
      self.outside = outside
      self.inside = inside
      host = made
      containerIndex = peer
      containerName = plan.attachment.interfaceName
      mac = plan.mac
    } catch {
      throw CNIError(error, "cannot set up interface \"\(plan.attachment.interfaceName)\"")
    }
  }

  private static func addPair(
    _ plan: Plan, _ sandbox: borrowing NetworkNamespace, _ outside: RouteSocket,
    until deadline: Deadline
  ) throws(RouteError) -> Link {
    let name = plan.hostLink.name
    let descriptor = sandbox.fileDescriptor
    var isSecondAttempt = false
    while true {
      do throws(RouteError) {
        let made = try outside.request(until: deadline) {
          $0.addVeth(
            VethEnd(
              name, mtu: plan.configuration.mtu, mac: plan.hostLink.mac,
              group: HostLink.group(network: plan.network), queues: 1,
              queueLength: plan.rates?.hostQueueLength),
            peer: VethEnd(
              plan.attachment.interfaceName, mtu: plan.configuration.mtu, mac: plan.mac, queues: 1),
            in: descriptor)
        }
        guard let link = made.first else {
          throw .malformed(.readLink(.named(name)), .badLength(0, at: 0))
        }
        return link
      } catch {
        // An answer that was lost may have been a good one.
        if !error.isRefusal { _ = try? deleteLeftover(plan, outside, until: .after(.seconds(5))) }
        guard error.errno == .fileExists, !isSecondAttempt,
          try deleteLeftover(plan, outside, until: deadline)
        else { throw error }
        isSecondAttempt = true
      }
    }
  }

  /// Deletes the pair that an earlier ADD of the same attachment left; false if there is none.
  private static func deleteLeftover(
    _ plan: Plan, _ outside: RouteSocket, until deadline: Deadline
  ) throws(RouteError) -> Bool {
    do throws(RouteError) {
      let link = try outside.link(.named(plan.hostLink.name), until: deadline)
      let isOurs =
        plan.hostLink.isNamed(by: link.alias)
        || link.alias == nil && link.group == HostLink.group(network: plan.network)
      guard isOurs else { return false }
      try outside.request(until: deadline) { $0.deleteLink(.index(link.index)) }
      return true
    } catch {
      if error.errno == .noSuchDevice { return false }
      throw error
    }
  }

  private static func delete(_ index: Int32, _ outside: RouteSocket) -> String? {
    do throws(RouteError) {
      try outside.request(until: .after(.seconds(5))) { $0.deleteLink(.index(index)) }
      return nil
    } catch { return error.errno == .noSuchDevice ? nil : error.description }
  }

  func switchHostEndOn(until deadline: Deadline) throws(RouteError) {
    try outside.request(until: deadline) { $0.setLink(.index(host.index), isUp: true) }
  }

  // MARK: - The container end

  /// Decides on the container end's MAC address: what somebody asked for, else what follows from
  /// the first address, else what the kernel chose.
  mutating func chooseMAC(_ addresses: [AttachmentResult.Address], until deadline: Deadline)
    throws(RouteError)
  {
    guard mac == nil else { return }
    if let first = addresses.first {
      mac = .derived(from: first.address.address)
      isMACPending = true
    } else {
      mac = try inside.link(.index(containerIndex), until: deadline).mac
    }
  }

  /// Gives the container end its address and routes, and switches it on.
  func configure(_ plan: Plan, _ result: AttachmentResult, until deadline: Deadline)
    throws(RouteError)
  {
    try inside.request(until: deadline) { batch in
      batch.setLink(
        .index(containerIndex), isUp: plan.configuration.disableContainerInterface ? nil : true,
        mac: isMACPending ? mac : nil)
      if let bucket = plan.rates?.containerBucket { batch.limit(containerIndex, by: bucket) }
      if !result.addresses.isEmpty { batch.enableAnnouncements(on: containerIndex) }
      for address in result.addresses {
        batch.addAddress(
          address.address, to: containerIndex,
          detectsDuplicates: plan.configuration.enableDAD)
      }
      for route in result.routes { batch.addRoute(route.onLink(containerIndex, result.addresses)) }
    }
  }
}

extension Ends {
  /// Waits until the kernel has found no duplicate of any address; one that has a duplicate is
  /// `EADDRINUSE`.
  func waitForAddresses(until deadline: Deadline) throws(RouteError) {
    while true {
      let addresses = try inside.addresses(of: containerIndex, until: deadline)
      if let duplicate = addresses.first(where: { $0.isDuplicate }) {
        throw .refused(
          .addAddress(duplicate.prefix, to: containerIndex), .addressInUse,
          words: "another host on the network has it")
      }
      if !addresses.contains(where: { $0.isTentative }) { return }
      guard !deadline.hasPassed else { throw .timedOut(.listAddresses(of: containerIndex)) }
      Clock.sleep(.milliseconds(20))
    }
  }
}

extension CNI::Route {
  /// The route as the kernel takes it: one without gateway leads to that of the first address of
  /// its family, or, where there is none, straight to the link. So does one whose scope is the link
  /// or less: the kernel refuses a gateway there.
  func onLink(_ index: Int32, _ addresses: [AttachmentResult.Address]) -> Netlink::Route {
    let family = destination.address.family
    let sameFamily = addresses.filter { $0.address.address.family == family }
    let isDirect = scope.map { $0 >= Scope.link.rawValue } ?? false
    let implied = isDirect ? nil : sameFamily.lazy.compactMap { $0.gateway }.first
    return Netlink::Route(
      to: destination, via: gateway ?? implied, link: index,
      mtu: mtu, advertisedMSS: advertisedMSS, priority: priority,
      table: table ?? Netlink::Route.mainTable, scope: scope.map { Scope(rawValue: $0) })
  }
}
