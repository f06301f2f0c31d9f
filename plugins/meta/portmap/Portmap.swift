import Addresses
import CNI
import JSON
import Linux
import PluginConfigurations
import PluginCore
import PublishedPorts

/// `portmap`: ports of the host that lead to ports of the container, by nftables.
///
/// It goes into a chain after the plugin that makes the interface, and hands the result on as it
/// is.
@main enum Portmap: Plugin {
  static let name = "portmap"

  /// What DEL and GC do needs no configuration.
  static func configuration(_ request: Request) throws(JSONDecodingError) -> PortmapConfiguration? {
    request.invocation.command.isReleasing
      ? nil : try PortmapConfiguration(request.network.json)
  }

  static func refuseUnsupported(_ request: Request) throws(CNIError) {
    if let member = PortmapConfiguration.unsupported(in: request.network.json) {
      throw CNIError(.unsupportedField, member.fault.description, details: member.reason)
    }
  }

  static func owner(_ request: Request) -> PortOwner {
    PortOwner(network: request.network.name, request.attachment)
  }

  /// Publishes the ports instead of those that the attachment had.
  static func add(
    _ request: Request, _ configuration: PortmapConfiguration?, _ context: Context
  ) throws(CNIError) -> AttachmentResult {
    guard let previous = request.network.previousResult else {
      throw CNIError(
        .invalidConfiguration, "must be called as chained plugin",
        details: "prevResult is missing; \(name) goes after the plugin that makes the interface")
    }
    let plan = try Plan(request, configuration, previous)
    try publish(plan, request, Exclusion(request, context), context)
    return previous
  }

  private static func publish(
    _ plan: Plan?, _ request: Request, _ exclusion: borrowing Exclusion, _ context: Context
  ) throws(CNIError) {
    let owner = owner(request)
    do throws(PublishedPortsError) {
      guard let plan else {
        try PortFirewall(until: context.deadline).release(owner)
        return
      }
      let link = try plan.link(until: context.deadline)
      if plan.configuration.checksListeners {
        try plan.published.refuseListeners(until: context.deadline)
      }
      var rollback = Rollback(context.log)
      rollback.onFailure("release the ports") { deadline in
        do throws(PublishedPortsError) {
          try PortFirewall(until: deadline).release(owner)
          return nil
        } catch { return error.description }
      }
      let firewall = try PortFirewall(until: context.deadline)
      try firewall.publish(
        plan.published, owner, sandbox: request.invocation.sandboxPath, link: link)
      if let link { try plan.openLoopback(link, context.log) }
      // A flow that is remembered lasts half a minute after its last packet: no reason to fail.
      do throws(PublishedPortsError) {
        try firewall.forgetFlows(before: plan.published.ports)
      } catch { context.log.write(.warning, "cannot have the kernel forget flows: \(error)") }
      rollback.disarm()
    } catch { throw CNIError(error, "cannot publish the ports") }
  }

  /// Releases the ports by container ID and interface name alone.
  static func del(
    _ request: Request, _ configuration: PortmapConfiguration?, _ context: Context
  ) throws(CNIError) {
    try release(owner(request), Exclusion(forReleasing: request, context), context)
  }

  private static func release(
    _ owner: PortOwner, _ exclusion: borrowing Exclusion, _ context: Context
  ) throws(CNIError) {
    do throws(PublishedPortsError) {
      let firewall = try PortFirewall(until: context.deadline)
      let released = try firewall.release(owner)
      do throws(PublishedPortsError) { try firewall.forgetFlows(after: released) } catch {
        context.log.write(.warning, "cannot have the kernel forget flows: \(error)")
      }
    } catch {
      // A kernel that has no packet filter has no rules either.
      guard error.isUnsupported else { throw CNIError(error, "cannot release the ports") }
      context.log.write(.warning, "\(error)")
    }
  }

  /// Compares what the firewall has with what ADD made.
  static func check(
    _ request: Request, _ configuration: PortmapConfiguration?, _ context: Context
  ) throws(CNIError) {
    guard let previous = request.network.previousResult,
      let plan = try Plan(request, configuration, previous)
    else { return }
    let deviations: [String]
    do throws(PublishedPortsError) {
      deviations = try PortFirewall(until: context.deadline).deviations(
        plan.published, owner(request), link: try plan.link(until: context.deadline))
    } catch { throw CNIError(error, "cannot compare the ports") }
    guard deviations.isEmpty else {
      throw CNIError(
        .internalFailure, "the published ports are not as ADD made them",
        details: deviations.joined(separator: "; "))
    }
  }

  /// Releases the ports of attachments of this network that are not valid. It goes on past errors.
  static func gc(
    _ request: Request, _ configuration: PortmapConfiguration?, _ context: Context
  ) throws(CNIError) {
    guard let valid = request.network.validAttachments else { return }
    let network = request.network.name
    let collection = try Collection(request, context)
    var failures: [String] = []
    do throws(PublishedPortsError) {
      let firewall = try PortFirewall(until: context.deadline)
      let remains = try firewall.remains(of: network, except: valid)
      for stale in remains.attachments {
        do throws(CNIError) {
          // What is locked is being added or deleted: it is left to that.
          if let attachment = stale.attachment, try !collection.take(attachment) { continue }
        } catch {
          failures.append("\(error)")
          continue
        }
        do throws(PublishedPortsError) {
          try firewall.release(stale)
          context.log.write(.info, "released the ports of \(stale.name)")
        } catch { failures.append("\(stale.name): \(error)") }
      }
      if remains.hasOthers { try firewall.removeUnusedChains() }
      try firewall.removeTableIfUnused()
    } catch { failures.append("\(error)") }
    guard failures.isEmpty else {
      throw CNIError(
        .internalFailure, "cannot release all ports of network \"\(network)\"",
        details: failures.joined(separator: "; "))
    }
  }

  /// Whether the firewall can publish ports.
  static func status(
    _ request: Request, _ configuration: PortmapConfiguration?, _ context: Context
  ) throws(CNIError) {
    do throws(PublishedPortsError) { try PortFirewall(until: context.deadline).test() } catch {
      throw CNIError(
        .notAvailable, "ports cannot be published", details: error.description)
    }
  }
}
