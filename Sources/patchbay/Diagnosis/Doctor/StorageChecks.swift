import Addresses
import CNI
import CNIRuntime
import JSON
import LeaseDatabase
import LeaseFiles
import Linux
import OVSDB
import PluginConfigurations
import PluginCore
import PluginExecution

/// Checks of what is kept of attachments besides the rows of Open vSwitch: results and leases, and
/// whether there is room for more.
struct StorageChecks {
  private let cache: ResultCache
  private let networks: [NetworkList]
  /// Nil where Open vSwitch cannot be read: then nothing is known of attachments.
  private let host: HostReading?

  /// Lease files that are read of one network: those of attachments are known without.
  private static let limit = 1000

  init(_ cache: ResultCache, of networks: [NetworkList], _ host: HostReading?) {
    (self.cache, self.networks, self.host) = (cache, networks, host)
  }

  func check(_ findings: inout Findings) {
    checkRoom(&findings)
    let results: [CachedAttachment]
    do throws(SystemError) { results = try cache.entries() } catch {
      Self.report(
        "results", cache.path, "The results in \(cache.path) cannot be read", error, &findings)
      return
    }
    for entry in results where entry.sandboxIsGone {
      findings.doubt(
        "stale-result", entry.network,
        "Container \(entry.attachment.containerID) is still known on network \(entry.network), and "
          + "its sandbox is gone.", remedy: "patchbay gc \(entry.network)")
    }
    guard let host else { return }
    for network in networks { checkLeases(of: network, results, host, &findings) }
    for attachment in host.attachments { Self.checkLease(of: attachment, &findings) }
  }

  /// What root cannot do either is a fault.
  private static func report(
    _ id: String, _ subject: String, _ text: String, _ error: SystemError,
    _ findings: inout Findings
  ) {
    if Failure.privilege(for: error.description) == nil {
      findings.fault(id, subject, "\(text): \(error).")
    } else {
      findings.skipped(id, subject, "\(text): \(error).")
    }
  }

  // MARK: - Room

  /// Whether ADD could lock, lease and keep its result.
  private func checkRoom(_ findings: inout Findings) {
    var places = [LockHolder.directory, cache.path]
    for network in networks {
      for plugin in network.plugins
      where plugin.json[PluginMember.ipam]?[IPAMMember.type]?.text == "host-local" {
        places.append(LeaseLocation(of: plugin.json, network: network.name).path)
      }
    }
    var seen: Set<UInt64> = []
    for place in places {
      let directory = Directory.nearest(to: place)
      // One that is full is so for all that is in it.
      guard let device = try? FileStatus(path: directory).device, seen.insert(device).inserted
      else { continue }
      do throws(SystemError) { try Directory.checkRoom(at: directory) } catch {
        guard error.errno == .noSpace else {
          // What is in the place of the other directories is seen where they are read.
          guard error.errno == .readOnlyFileSystem || place == LockHolder.directory else {
            continue
          }
          Self.report("not-writable", place, "Nothing can be kept in \(place)", error, &findings)
          continue
        }
        findings.fault(
          "disk-full", place,
          "The file system of \(place) is full, so nothing more can be attached.",
          remedy: "df \(directory.shellWord); df -i \(directory.shellWord)")
      }
    }
  }

  // MARK: - Leases

  /// Whether what host-local gave a container that is up is leased still: else another one gets it.
  /// By the configuration that its port's row remembers for DEL.
  private static func checkLease(of attachment: AttachmentReading, _ findings: inout Findings) {
    let record = attachment.record
    guard attachment.end != nil, record.runtime == nil,
      let text = attachment.port.externalIDs[AttachmentRecord.Key.ipam],
      let ipam = try? JSONValue(parsing: Array(text.utf8)),
      ipam[IPAMMember.type]?.text == "host-local"
    else { return }
    let location = LeaseLocation(
      of: JSONObject([(PluginMember.ipam.rawValue, ipam)]), network: record.network)
    let lost = record.addresses.compactMap { try? IPPrefix($0).address }.filter { address in
      do throws(SystemError) {
        _ = try FileStatus(path: "\(location.path)/\(address)", follow: false)
        return false
      } catch { return error.errno == .noSuchFileOrDirectory }
    }
    guard !lost.isEmpty else { return }
    findings.fault(
      "lease-missing", attachment.name,
      "\(attachment.name) has \(lost.map { "\($0)" }.joined(separator: ", ")), which is not leased "
        + "in \(location.path): another container may get it.", remedy: attachment.reattaching)
  }

  /// Leases of our attachments that have neither a port nor a result, as `gc` finds them. Those of
  /// an earlier boot are free already.
  private func checkLeases(
    of network: NetworkList, _ results: [CachedAttachment], _ host: HostReading,
    _ findings: inout Findings
  ) {
    var known = Set(results.filter { $0.network == network.name }.map(\.attachment))
    var addresses: Set<IPAddress> = []
    for attachment in host.attachments where attachment.record.network == network.name {
      known.insert(attachment.record.attachment)
      addresses.formUnion(
        attachment.record.addresses.compactMap { (try? IPPrefix($0))?.address })
    }
    var lost: [(address: IPAddress, holder: Attachment)] = []
    var isWhole = true
    for plugin in network.plugins where plugin.type == "ovs-bridge" || plugin.type == "ovn" {
      // Its ports are where nothing was read.
      guard host.isDatabase(plugin.json[OVSBridgeConfiguration.PortMember.socketFile]?.text ?? "")
      else { continue }
      let entries: [LeaseEntry]
      let keepsStale: Bool
      switch plugin.json[PluginMember.ipam]?[IPAMMember.type]?.text {
      case "host-local":
        let location = LeaseLocation(of: plugin.json, network: network.name)
        keepsStale =
          plugin.json[PluginMember.ipam]?[HostLocalConfiguration.Member.reclaimAfterReboot]
          == .bool(false)
        do throws(SystemError) {
          let found = try LeaseList.entries(at: location, limit: Self.limit) {
            !addresses.contains($0)
          }
          entries = found.entries
          isWhole = isWhole && found.isWhole
        } catch {
          Self.report(
            "leases", network.name, "The leases of network \(network.name) cannot be read", error,
            &findings)
          continue
        }
      case "cluster":
        // What is wrong with the database STATUS says.
        guard let found = try? network.ownLeases(until: min(host.deadline, .after(.seconds(1))))
        else { continue }
        keepsStale = false
        entries = found
      default: continue
      }
      for entry in entries where entry.state == .held || keepsStale {
        guard let holder = Leftovers.attachment(of: entry, before: Leftovers.newest),
          !known.contains(holder)
        else { continue }
        lost.append((address: entry.address, holder: holder))
      }
    }
    guard let first = lost.min(by: { $0.address < $1.address }) else { return }
    let amount =
      (isWhole ? "" : "at least ") + "\(lost.count) address\(lost.count == 1 ? "" : "es")"
    findings.doubt(
      "stale-lease", network.name,
      "\(amount) of network \(network.name) \(lost.count == 1 ? "is" : "are") leased and of no "
        + "attachment: \(first.address) of container \(first.holder.containerID)"
        + (lost.count == 1 ? "." : ", for one."),
      remedy: "patchbay gc \(network.name)")
  }
}

extension HostReading {
  /// Whether a plugin with this `socket_file` has its ports in the database that was read.
  func isDatabase(_ text: String) -> Bool {
    guard !text.isEmpty else { return endpoint.isSame(as: .standard) }
    return (try? Endpoint(text))?.isSame(as: endpoint) ?? false
  }
}

extension Endpoint {
  /// `/var/run` is `/run`.
  fileprivate func isSame(as other: Endpoint) -> Bool {
    func path(_ endpoint: Endpoint) -> String {
      let text = endpoint.description
      return text.hasPrefix("unix:/var/run/") ? "unix:/run/" + text.dropFirst(14) : text
    }
    return path(self) == path(other)
  }
}
