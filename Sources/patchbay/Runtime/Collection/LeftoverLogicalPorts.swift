import Attachments
import CNI
import CNIRuntime
import JSON
import Linux
import OVSDB
import PluginConfigurations
import PluginCore

/// Logical ports of OVN that attachments of this host have left and that neither a result nor a row
/// of Open vSwitch knows of: the row goes with the link, by whichever ADD comes next.
extension Leftovers {
  /// Those beside the attachments that are known.
  ///
  /// Their sandboxes' paths are not known any more; the host end is by its name, which the kernel
  /// has deleted with the sandbox.
  func logicalPorts(beside known: Set<Attachment>) -> [StaleAttachment] {
    var stale: [StaleAttachment] = []
    let places: [LogicalPortPlace]
    do { places = try list.logicalPortPlaces() } catch {
      failures.append(.survey("\(error)"))
      return []
    }
    let newest = Clock.nanosecondsSinceEpoch - longestADD.nanoseconds
    for place in places {
      guard let host = place.ownName else { continue }
      let ports = HostLogicalPorts(
        NorthboundPlace(place.configured.northbound, host: host), network: list.name,
        until: .after(.seconds(10)))
      do throws(AttachmentError) {
        for port in try ports.held() where port.began ?? 0 < newest {
          guard !known.contains(port.attachment), !(valid ?? []).contains(port.attachment),
            !stale.contains(where: { $0.parameters.attachment == port.attachment })
          else { continue }
          addHostEnd(port.hostEnd, of: port.attachment)
          guard valid != nil || !hasHostEnd(port.attachment) else { continue }
          stale.append(
            StaleAttachment(
              AttachmentParameters(port.attachment, sandboxPath: ""),
              reason: "logical port \(port.name) is there, and neither its port nor its link is"))
        }
      } catch {
        failures.append(
          .survey("cannot read the logical ports of network \"\(list.name)\": \(error)"))
      }
    }
    return stale
  }

  /// Longer than an ADD with its rollback takes, by the times that the plugins have.
  private var longestADD: Duration {
    let seconds = list.plugins.compactMap { plugin -> Int64? in
      guard case .integer(let seconds)? = plugin.json[NetworkConfiguration.Member.timeout] else {
        return nil
      }
      return seconds
    }.max()
    return max(Self.longestADD, .seconds(min(seconds ?? 0, 3600) + 30))
  }
}

/// Where a plugin `ovn` has the logical ports of a network.
struct LogicalPortPlace: Hashable {
  let configured: OVNConfiguration.Place
  /// The database of Open vSwitch.
  let openVSwitch: String

  /// The name that this host has there; nil where there is no Open vSwitch, and so no port.
  var ownName: String? {
    if let name = configured.host { return name }
    guard let endpoint = try? Endpoint(openVSwitch) else { return nil }
    return (try? Chassis(at: endpoint, until: .after(.seconds(5))))?.name
  }

  /// Whether `host` is this one. Where there is no Open vSwitch there are no ports of this host.
  func isHere(_ host: String) -> Bool { ownName == host }
}

extension NetworkList {
  /// Where its logical ports are; each place once.
  func logicalPortPlaces() throws -> [LogicalPortPlace] {
    var places: [LogicalPortPlace] = []
    for plugin in plugins where plugin.type == "ovn" {
      do throws(JSONDecodingError) {
        let socket = plugin.json[OVSBridgeConfiguration.PortMember.socketFile]?.text ?? ""
        let place = LogicalPortPlace(
          configured: try OVNConfiguration.place(JSONCursor(.object(plugin.json))),
          openVSwitch: socket.isEmpty ? Endpoint.standard.description : socket)
        if !places.contains(place) { places.append(place) }
      } catch { throw Failure("network \"\(name)\": \(error.description)") }
    }
    return places
  }
}
