package import CNI
internal import JSON
internal import OVNNorthbound
internal import OVSDB
internal import PluginConfigurations
package import PluginCore

extension LogicalPort {
  /// Removes the port of an attachment; whether it is gone.
  ///
  /// - Parameter recorded: What the rows of the attachment remember; nil where there are none.
  package static func release(
    _ detachment: Detachment, recorded: String?, _ context: Context, _ failures: inout Failures
  ) -> Bool {
    // One that was made beforehand stays.
    if recorded == NorthboundPlace.presetText { return true }
    do throws(AttachmentError) {
      let place: NorthboundPlace
      if let known = recorded.flatMap({ NorthboundPlace(text: $0) }) {
        place = known
      } else {
        place = try Self.place(detachment, context)
      }
      let northbound = NorthboundSession(place, context)
      let ports = try northbound.ports(place.externalIDs(detachment.key))
      try northbound.remove(ports.map { $0[.uuid] })
      if !ports.isEmpty { context.log.write(.debug, "removed the logical port") }
      return true
    } catch {
      failures.add(error)
      return false
    }
  }

  /// Where the configuration says that the ports of this host are. Its members may be anything.
  fileprivate static func place(_ detachment: Detachment, _ context: Context)
    throws(AttachmentError) -> NorthboundPlace
  {
    let configuration: OVNConfiguration.Place
    do throws(JSONDecodingError) {
      configuration = try OVNConfiguration.place(detachment.json)
    } catch {
      throw AttachmentError(.invalid, error.description)
    }
    let host: String
    if let name = configuration.host {
      host = name
    } else {
      host = try Chassis(detachment, context).name
    }
    return NorthboundPlace(configuration.northbound, host: host)
  }
}

/// The logical ports of a network on this host, of which GC removes those of attachments that are
/// not valid. Those of other hosts are none of this runtime's.
package final class CollectedLogicalPorts {
  private let network: String
  private let began: Int64
  private var found: [(northbound: NorthboundSession, port: Reference, attachment: Attachment)] = []

  /// Looks for them where the configuration says, and where rows remember; nil where they cannot be
  /// read.
  package init?(
    _ detachment: Detachment, recorded: Set<String>, _ context: Context,
    _ failures: inout Failures
  ) {
    network = detachment.key.network
    began = context.began
    do throws(AttachmentError) {
      var places = [try LogicalPort.place(detachment, context)]
      for place in recorded.compactMap({ NorthboundPlace(text: $0) }) where !places.contains(place)
      {
        places.append(place)
      }
      for place in places {
        let northbound = NorthboundSession(place, context)
        for row in try northbound.ports(place.externalIDs(network: network)) {
          guard let record = AttachmentRecord(row[.externalIDs]), !isLater(record) else { continue }
          found.append((northbound, row[.uuid], record.attachment))
        }
      }
    } catch {
      failures.add(error)
      return nil
    }
  }

  /// Whether it began after this GC.
  private func isLater(_ record: AttachmentRecord) -> Bool {
    record.began.map { $0 >= began } ?? false
  }

  /// All attachments that have some.
  package var attachments: Set<Attachment> { Set(found.map { $0.attachment }) }

  /// Removes those of `attachments`; whether they are gone.
  package func remove(
    _ attachments: Set<Attachment>, _ context: Context, _ failures: inout Failures
  ) -> Bool {
    var isDone = true
    for (northbound, port, attachment) in found where attachments.contains(attachment) {
      do throws(AttachmentError) {
        try northbound.remove([port])
        context.log.write(
          .info,
          "freed the logical port of \(attachment.containerID)/\(attachment.interfaceName)")
      } catch {
        failures.add(error)
        isDone = false
      }
    }
    return isDone
  }
}
