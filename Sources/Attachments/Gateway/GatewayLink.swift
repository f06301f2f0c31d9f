internal import Addresses
internal import CNI
internal import Linux
internal import Netlink
internal import PluginConfigurations
internal import PluginCore

/// The link of a gateway's port: what it has, and what is done to it.
struct GatewayLink {
  let index: Int32
  let name: String
  let mac: String?
  let mtu: UInt32
  let isUp: Bool
  /// Without those that the kernel made for the link alone.
  let addresses: [IPPrefix]

  /// Nil where there is no such link.
  init?(_ name: String, _ socket: RouteSocket, until deadline: Deadline) throws(RouteError) {
    let link: Link
    do throws(RouteError) { link = try socket.link(.named(name), until: deadline) } catch {
      if error.errno == .noSuchDevice { return nil }
      throw error
    }
    index = link.index
    self.name = name
    mac = link.mac?.description
    mtu = link.mtu
    isUp = link.isUp
    addresses = try socket.addresses(of: link.index, until: deadline).filter {
      $0.scope != .link
    }.map { $0.prefix }
  }

  /// Addresses that cannot stay beside those of `gateway`: others of IPv4, and of IPv6 those of an
  /// overlapping subnet.
  func conflicts(with gateway: Gateway) -> [IPPrefix] {
    addresses.filter { present in
      guard !gateway.addresses.contains(present) else { return false }
      return gateway.addresses.contains { wanted in
        wanted.address.family == present.address.family
          && (!present.address.isIPv6 || wanted.overlaps(present))
      }
    }
  }
}

/// A gateway that an attachment is about to get, and its link as it is; nil where there is none
/// yet.
package struct GatewayTarget {
  let gateway: Gateway
  let link: GatewayLink?
  let presence: GatewayPresence
}

extension Gateway {
  /// Refuses addresses that are not ours, unless they are to give way.
  func checkAddresses(_ link: GatewayLink?, _ plan: Plan) throws(AttachmentError) {
    guard let conflict = link?.conflicts(with: self).first, !plan.configuration.forceAddress else {
      return
    }
    let wanted = addresses.first { $0.address.family == conflict.address.family } ?? conflict
    throw AttachmentError(
      .failed, "\"\(port.name)\" already has an IP address different from \(wanted)",
      details: "it has \(conflict); take that away, or let \"forceAddress\": true do so")
  }

  /// Its link as it is, whose addresses leave room for those of the gateway.
  func target(_ socket: RouteSocket, _ plan: Plan, _ context: Context) throws(AttachmentError)
    -> GatewayTarget
  {
    let presence = try GatewayPresence(port, until: context.deadline)
    let link: GatewayLink?
    do { link = try GatewayLink(port.name, socket, until: context.deadline) } catch {
      throw AttachmentError(error, "cannot read the gateway \"\(port.name)\"")
    }
    try checkAddresses(link, plan)
    return GatewayTarget(gateway: self, link: link, presence: presence)
  }

  /// Makes the gateway work: link up, addresses there, forwarding on. Returns its link.
  ///
  /// Addresses that are not ours and give way come back when the command fails.
  ///
  /// - Parameter index: That of the link which ovs-vswitchd has made.
  func bringUp(
    _ index: Int64, _ socket: RouteSocket, _ plan: Plan, _ context: Context,
    _ rollback: inout Rollback
  ) throws(AttachmentError) -> GatewayLink {
    let attempt = "cannot set up the gateway \"\(port.name)\""
    let deadline = context.deadline
    try Forwarding.switchOn(self, socket, context, attempt)
    do throws(RouteError) {
      guard let link = try GatewayLink(port.name, socket, until: deadline),
        link.index == index
      else {
        throw .refused(
          .readLink(.named(port.name)), .noSuchDevice,
          words: "ovs-vswitchd has made it with index \(index)")
      }
      for conflict in link.conflicts(with: self) where plan.configuration.forceAddress {
        try socket.request(until: deadline) { $0.deleteAddress(conflict, from: link.index) }
        rollback.onFailure("give \(conflict) back to \"\(port.name)\"") { deadline in
          do throws(RouteError) {
            try add(conflict, link.index, socket, until: deadline)
            return nil
          } catch { return error.description }
        }
      }
      if !link.isUp {
        try socket.request(until: deadline) { $0.setLink(.index(link.index), isUp: true) }
      }
      for address in addresses where !link.addresses.contains(address) {
        try add(address, link.index, socket, until: deadline)
      }
      return link
    } catch { throw AttachmentError(error, attempt) }
  }
}

/// Adds an address, unless it is there by now.
private func add(
  _ address: IPPrefix, _ index: Int32, _ socket: RouteSocket, until deadline: Deadline
) throws(RouteError) {
  do throws(RouteError) {
    try socket.request(until: deadline) {
      $0.addAddress(address, to: index, detectsDuplicates: false)
    }
  } catch { if error.errno != .fileExists { throw error } }
}

/// Addresses on a gateway's port that no attachment needs any more.
struct AbandonedAddresses {
  let port: String
  let addresses: [IPPrefix]
  /// Whether the link is switched off, too, unless it has other addresses: a link that is up takes
  /// what is sent to it, for whatever address of this host.
  let isLowered: Bool

  private var attempt: String { "cannot take the addresses of the gateway \"\(port)\" away" }

  /// Takes them away; returns why not.
  func remove(until deadline: Deadline) -> AttachmentError? {
    do throws(RouteError) {
      let socket = try RouteSocket()
      guard let link = try GatewayLink(port, socket, until: deadline) else { return nil }
      for address in addresses where link.addresses.contains(address) {
        do throws(RouteError) {
          try socket.request(until: deadline) { $0.deleteAddress(address, from: link.index) }
        } catch {
          guard error.errno == .addressNotAvailable || error.errno == .noSuchDevice else {
            throw error
          }
        }
      }
      if isLowered, link.isUp, link.addresses.allSatisfy({ addresses.contains($0) }) {
        try socket.request(until: deadline) { $0.setLink(.index(link.index), isUp: false) }
      }
      return nil
    } catch { return AttachmentError(error, attempt) }
  }

  /// Puts those back that are marked again; returns why not.
  func restore(_ marks: GatewayMarks, until deadline: Deadline) -> AttachmentError? {
    let wanted = marks.addresses(of: nil)
    do throws(RouteError) {
      let socket = try RouteSocket()
      guard let link = try GatewayLink(port, socket, until: deadline) else { return nil }
      if isLowered, !wanted.isEmpty {
        try socket.request(until: deadline) { $0.setLink(.index(link.index), isUp: true) }
      }
      for address in addresses where wanted.contains(address) {
        try add(address, link.index, socket, until: deadline)
      }
      return nil
    } catch { return AttachmentError(error, attempt) }
  }
}
