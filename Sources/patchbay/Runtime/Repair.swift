import Addresses
import ArgumentParser
import Attachments
import CNI
import CNIRuntime
import JSON
import Linux
import Netlink
import OVSDB
import OpenVSwitch
import PluginConfigurations
import PluginCore
import SandboxRemains

/// `patchbay repair`
struct Repair: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "repair",
    abstract: "Put back what a firewall's reload or a restart of ovs-vswitchd took.",
    usage: "patchbay repair [<network>] [<options>]",
    discussion: """
      Puts back, for the attachments of a network, or of all, and without touching containers: the \
      rule that closes host ends to the host, guards, the gateway's settings and addresses, what \
      lets its traffic pass the host's forward chains, masquerading and isolation, as the rows of \
      Open vSwitch remember them, and the published ports, by another ADD of portmap with the \
      result that the runtime kept. What is there stays as it is.

      Examples:
        patchbay repair ovs-1
        patchbay repair
      """)

  @Argument(
    help: ArgumentHelp("Name of the network; all without one.", valueName: "network"),
    completion: .networks)
  var network: String?

  @OptionGroup var database: DatabaseOptions

  @OptionGroup(title: "Runtime options") var options: RuntimeOptions

  func run() throws {
    let connection: Connection
    do {
      connection = try Connection(Endpoint(database.endpoint), until: .after(.seconds(10)))
    } catch { throw Failure(error.description) }
    if let network { return try repair(network, connection) }
    var hasFailed = false
    for network in try attachedNetworks(connection) {
      do { try repair(network, connection) } catch let failure as Failure {
        say(failure.description, .error)
        hasFailed = true
      }
    }
    if hasFailed { throw ExitCode(1) }
  }

  /// Those of which there are attachments, in the order of their names.
  private func attachedNetworks(_ connection: Connection) throws -> [String] {
    var question = Transaction()
    let ports = question.select(from: .port, .columns(.externalIDs))
    do {
      let rows = try connection.transact(question, until: .after(.seconds(10)))[ports]
      let kept = runtimes.flatMap { (try? $0.cache.entries()) ?? [] }.map(\.network)
      let attached = rows.compactMap { row in
        AttachmentRecord(externalIDs: { row[.externalIDs][$0] })?.network
      }
      return Set(attached + kept).sorted()
    } catch { throw Failure("\(error)") }
  }

  private func repair(_ network: String, _ connection: Connection) throws {
    let rows: NetworkRows
    do { rows = try NetworkRows(of: network, connection, until: .after(.seconds(10))) } catch {
      throw Failure(error.description)
    }
    try require(network, rows)
    var failures: [String] = []
    do throws(AttachmentError) {
      if try HostShield.restore(until: .after(.seconds(10))) != nil {
        show("put back the rule that closes host ends to the host")
      }
    } catch { failures.append(error.description) }
    for (record, port, pairs) in rows.guarded {
      do throws(AttachmentError) {
        if try AttachmentGuard.restore(
          port, pairs, connection, until: .after(.seconds(10)))
        {
          show("put back the guard of \(name(record.attachment))")
        }
      } catch { failures.append(error.description) }
    }
    for (link, prefixes) in Dictionary(grouping: rows.gatewayAddresses, by: \.link).sorted(by: {
      $0.key < $1.key
    }) {
      do throws(AttachmentError) {
        let families = Set(prefixes.map(\.prefix.address.family))
        let settings = try Forwarding.restore(link, families)
        if !settings.isEmpty {
          show("put back settings of \(link): \(Set(settings).sorted().joined(separator: ", "))")
        }
      } catch { failures.append(error.description) }
    }
    for (link, prefix) in rows.gatewayAddresses {
      do throws(RouteError) {
        if try Self.restore(prefix, on: link) { show("put back address \(prefix) on \(link)") }
      } catch { failures.append("the gateway \"\(link)\": \(error)") }
    }
    for (gateway, families) in rows.forwarding.sorted(by: { $0.key < $1.key }) {
      do throws(AttachmentError) {
        let chains = try Forward.restore(gateway, families, until: .after(.seconds(10)))
        for chain in chains { show("put back what lets \(gateway) pass chain \(chain)") }
      } catch { failures.append(error.description) }
    }
    for record in rows.masqueraded {
      do throws(AttachmentError) {
        if try Masquerading.restore(record, until: .after(.seconds(10))) {
          show("put back masquerading of \(name(record.attachment))")
        }
      } catch { failures.append(error.description) }
    }
    for (record, gateway) in rows.isolated {
      do throws(AttachmentError) {
        if try GatewayIsolation.restore(record, gateway, until: .after(.seconds(10))) {
          show("put back isolation of \(name(record.attachment))")
        }
      } catch { failures.append(error.description) }
    }
    failures += publish(network)
    if !failures.isEmpty {
      throw Failure(
        "not all of network \"\(network)\" was put back: "
          + failures.joined(separator: "; "))
    }
  }

  /// Where something is put back from: the runtimes' results.
  private var runtimes: [Runtime] {
    [options.runtime, PodmanRemains.runtime(like: options.runtime)]
  }

  /// Refuses a name of which there is neither a configuration nor an attachment.
  private func require(_ network: String, _ rows: NetworkRows) throws {
    let isKnown =
      rows.areAny
      || runtimes.contains { runtime in
        ((try? runtime.cache.entries()) ?? []).contains { $0.network == network }
          || !runtime.cache.faults(of: network).isEmpty
      }
    guard !isKnown else { return }
    do throws(RuntimeError) { _ = try options.directory.network(network) } catch {
      throw Failure(error)
    }
  }

  private func name(_ attachment: Attachment) -> String {
    "\(attachment.containerID)/\(attachment.interfaceName)".controlCharactersEscaped
  }

  /// Gives the link the address and switches it on; false where it was so.
  private static func restore(_ prefix: IPPrefix, on name: String) throws(RouteError) -> Bool {
    let deadline = Deadline.after(.seconds(10))
    let socket = try RouteSocket()
    let link = try socket.link(.named(name), until: deadline)
    let found = try socket.addresses(of: link.index, until: deadline).map { $0.prefix }
    guard !found.contains(prefix) || !link.isUp else { return false }
    if !link.isUp {
      try socket.request(until: deadline) { $0.setLink(.index(link.index), isUp: true) }
    }
    if !found.contains(prefix) {
      try socket.request(until: deadline) {
        $0.addAddress(prefix, to: link.index, detectsDuplicates: false)
      }
    }
    return true
  }

  /// Runs ADD of portmap for what is kept of the network's attachments; returns what failed.
  private func publish(_ network: String) -> [String] {
    var failures: [String] = []
    let list = try? options.directory.network(network)
    let mayPublish = list?.plugins.contains { $0.type == "portmap" } ?? true
    for runtime in runtimes {
      if mayPublish { failures += runtime.cache.faults(of: network).map(\.description) }
      for entry in (try? runtime.cache.entries()) ?? []
      where entry.network == network
        && entry.capabilities[Capability.portMappings]?.array?.isEmpty == false
      {
        do throws(RuntimeError) {
          let (list, _) = try runtime.list(
            of: network, attachedAs: entry.attachment, in: options.directory)
          if try runtime.repeatADD(of: "portmap", in: list, entry) {
            show("put back the published ports of \(name(entry.attachment))")
          }
        } catch { failures.append(Failure(error).description) }
      }
    }
    return failures
  }
}

/// What Open vSwitch's rows say of a network.
private struct NetworkRows {
  /// Whether there are any of it.
  private(set) var areAny = false
  /// The gateway's addresses, and the links that have them.
  private(set) var gatewayAddresses: [(link: String, prefix: IPPrefix)] = []
  /// The gateways that attachments send by which do not leave the host's forward chains alone, and
  /// the families of their addresses.
  private(set) var forwarding: [String: Set<IPAddress.Family>] = [:]
  /// The attachments that are masqueraded.
  private(set) var masqueraded: [AttachmentRecord] = []
  /// The attachments that do not reach each other through their gateway.
  private(set) var isolated: [(record: AttachmentRecord, gateway: String)] = []
  /// The attachments that are guarded, their ports, and the `external_ids` of these.
  private(set) var guarded: [(record: AttachmentRecord, port: String, pairs: [String: String])] = []

  init(of network: String, _ connection: Connection, until deadline: Deadline) throws(OVSDBError) {
    var question = Transaction()
    let ports = question.select(from: .port, .columns(.name, .externalIDs))
    for row in try connection.transact(question, until: deadline)[ports] {
      let pairs = row[.externalIDs]
      let mark = "\(ExternalIDKey.gatewayMark)\(network)/"
      for key in pairs.keys.sorted() where key.hasPrefix(mark) {
        guard let prefix = try? IPPrefix(String(key.dropFirst(mark.count))) else { continue }
        gatewayAddresses.append((row[.name], prefix))
        areAny = true
      }
      guard let record = AttachmentRecord(externalIDs: { pairs[$0] }), record.network == network
      else { continue }
      areAny = true
      if pairs[AttachmentGuard.key] != nil { guarded.append((record, row[.name], pairs)) }
      if Masquerading.isRecorded(pairs) { masqueraded.append(record) }
      if let gateway = pairs[ExternalIDKey.gateway.rawValue],
        pairs[ExternalIDKey.isolation.rawValue] == "true"
      {
        isolated.append((record, gateway))
      }
      if let gateway = pairs[ExternalIDKey.gateway.rawValue], !Forward.isLeft(pairs) {
        let families = record.addresses.compactMap { try? IPPrefix($0).address.family }
        forwarding[gateway, default: []].formUnion(families)
      }
    }
  }
}
