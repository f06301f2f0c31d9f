package import Addresses
package import CNI
package import Linux
internal import Netlink
internal import PluginConfigurations
package import PluginCore

/// What the rows of an attachment tell of its container end, known before that is made.
package struct ContainerEnd {
  let mac: MACAddress
  /// The path by which the sandbox was opened.
  let sandboxPath: String

  /// The end that a pair is made with.
  ///
  /// Its MAC address is the requested one. Without that it follows from the first of `addresses`,
  /// and without any, it is random.
  ///
  /// - Parameter addresses: Those that the container gets, as far as they are known.
  package init(
    _ plan: Plan, _ addresses: [AttachmentResult.Address], in sandbox: borrowing NetworkNamespace
  ) throws(AttachmentError) {
    let wanted =
      plan.mac ?? addresses.first.flatMap { MACAddress.derived(from: $0.address.address) }
    do throws(SystemError) { mac = if let wanted { wanted } else { try .random() } } catch {
      throw AttachmentError(error, "cannot choose a MAC address")
    }
    sandboxPath = sandbox.path
  }
}

/// Both ends of an attachment's veth pair, and the sockets of the namespaces they are in.
package struct ContainerLink {
  let outside: RouteSocket
  let inside: RouteSocket
  let host: Link
  /// The index of the container end in the sandbox.
  let containerIndex: Int32
  let containerName: String
  package let end: ContainerEnd
  /// What the container end has.
  package var mac: MACAddress { end.mac }

  /// Makes the pair, in the place of `leftovers`, by one message: both ends have their names,
  /// addresses and sizes, and the host end is up from the first moment on.
  ///
  /// ovs-vswitchd looks at all its ports again whenever something changes at a link, and when it
  /// lets go of an earlier link of this name, it changes the flags of the one that it finds. So
  /// this is one change, and the rest comes while ovs-vswitchd is at work: `settle`.
  init(
    _ plan: Plan, _ end: ContainerEnd, _ links: LinkSurvey,
    replacing leftovers: Leftovers, in sandbox: borrowing NetworkNamespace, _ context: Context,
    _ rollback: inout Rollback
  ) throws(AttachmentError) {
    let outside = links.outside
    let deadline = context.deadline
    do throws(RouteError) {
      if let link = leftovers.link { try Self.delete(link.index, outside, until: deadline) }
      let made = try Self.addPair(plan, end.mac, sandbox, outside, until: deadline)
      rollback.onFailure("delete link \"\(made.name)\"") { deadline in
        do throws(RouteError) {
          try Self.delete(made.index, outside, until: deadline)
          return nil
        } catch { return error.description }
      }
      guard let peer = made.peerIndex else {
        throw .malformed(
          .addVeth(made.name, peer: plan.attachment.interfaceName), .badLength(0, at: 0))
      }
      self.outside = outside
      inside = links.inside
      host = made
      containerIndex = peer
      containerName = plan.attachment.interfaceName
      self.end = end
      context.log.write(.debug, "made the veth pair")
    } catch {
      // Since it was looked for, another has made a link of one of the names.
      if error.isRefusal, error.errno == .fileExists {
        throw Leftovers.refusal(
          "interface \"\(plan.attachment.interfaceName)\" exists already", error.description)
      }
      throw AttachmentError(error, "cannot set up interface \"\(plan.attachment.interfaceName)\"")
    }
  }

  /// Gives the host end its alias, and closes it to the host's own IP stack for its part: to be
  /// done before the container end is up, and so before there is a carrier.
  package func settle(_ plan: Plan, _ context: Context) throws(AttachmentError) {
    do throws(RouteError) {
      try outside.silence(
        .index(host.index), alias: plan.hostLink.alias(network: plan.network),
        until: context.deadline)
    } catch {
      throw AttachmentError(error, "cannot set up interface \"\(containerName)\"")
    }
    HostShield.writeSettings(of: host.name, context.log)
    context.log.write(.debug, "settled the host end")
  }

  private static func addPair(
    _ plan: Plan, _ mac: MACAddress, _ sandbox: borrowing NetworkNamespace,
    _ outside: RouteSocket, until deadline: Deadline
  ) throws(RouteError) -> Link {
    let name = plan.hostLink.name
    let descriptor = sandbox.fileDescriptor
    do throws(RouteError) {
      let made = try outside.request(until: deadline) {
        $0.addVeth(
          VethEnd(
            name, mtu: plan.mtu, mac: plan.hostLink.mac,
            group: HostLink.group(network: plan.network), queues: 1,
            queueLength: plan.rates?.hostQueueLength),
          peer: VethEnd(
            plan.attachment.interfaceName, mtu: plan.mtu, mac: mac,
            group: HostLink.unfinishedGroup, queues: 1),
          in: descriptor, isUp: true)
      }
      guard let link = made.first else {
        throw .malformed(.readLink(.named(name)), .badLength(0, at: 0))
      }
      return link
    } catch {
      // An answer that was lost may have been a good one. There was no such link before.
      if !error.isRefusal {
        try? release(plan.detachment, outside, until: .after(Rollback.duration))
      }
      throw error
    }
  }

  private static func delete(_ index: Int32, _ outside: RouteSocket, until deadline: Deadline)
    throws(RouteError)
  {
    do throws(RouteError) {
      try outside.request(until: deadline) { $0.deleteLink(.index(index)) }
    } catch { if error.errno != .noSuchDevice { throw error } }
  }

  /// The index of the host end of an attachment; nil where there is none. A link of the same name
  /// that is another's is none. One that has another name by now has its alias still.
  static func hostEnd(
    of detachment: Detachment, _ outside: RouteSocket, until deadline: Deadline
  ) throws(RouteError) -> Int32? {
    let (hostLink, network) = (detachment.hostLink, detachment.key.network)
    if let link = try outside.linkIfPresent(.named(hostLink.name), until: deadline),
      hostLink.owner(of: link, network: network) == .ours
    {
      return link.index
    }
    let alias = hostLink.alias(network: network)
    return try outside.links(until: deadline).first {
      $0.kind == "veth" && $0.alias == alias
    }?.index
  }

  /// Deletes the host end of an attachment, and with it the container end, wherever that is.
  private static func release(
    _ detachment: Detachment, _ outside: RouteSocket, until deadline: Deadline
  ) throws(RouteError) {
    guard let index = try hostEnd(of: detachment, outside, until: deadline) else { return }
    try delete(index, outside, until: deadline)
  }

  func bringHostEndUp(until deadline: Deadline) throws(RouteError) {
    try outside.request(until: deadline) { $0.setLink(.index(host.index), isUp: true) }
  }

  // MARK: - The container end

  /// Gives the container end its address and routes, and switches it on.
  func configure(_ plan: Plan, _ result: AttachmentResult, until deadline: Deadline)
    throws(RouteError)
  {
    try inside.request(until: deadline) { batch in
      batch.setLink(
        .index(containerIndex), isUp: plan.configuration.disableContainerInterface ? nil : true)
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

extension ContainerLink {
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
  /// or less: the kernel refuses a gateway there. Table 0 is the main one to it.
  func onLink(_ index: Int32, _ addresses: [AttachmentResult.Address]) -> Netlink::Route {
    let family = destination.address.family
    let sameFamily = addresses.filter { $0.address.address.family == family }
    let isDirect = scope.map { $0 >= Scope.link.rawValue } ?? false
    let implied = isDirect ? nil : sameFamily.lazy.compactMap { $0.gateway }.first
    return Netlink::Route(
      to: destination, via: gateway ?? implied, link: index,
      mtu: mtu, advertisedMSS: advertisedMSS, priority: priority,
      table: table.flatMap { $0 == 0 ? nil : $0 } ?? Netlink::Route.mainTable,
      scope: scope.map { Scope(rawValue: $0) })
  }
}
