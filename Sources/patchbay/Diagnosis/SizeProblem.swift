import CNI
import Linux
import Netlink
import PluginCore

extension Findings {
  /// A fault where `sender` may send more than a place on the way takes; returns whether it may.
  /// Neither end nor a bridge says that a frame is too long.
  ///
  /// - Parameter way: What a packet passes, by what people call it, and its MTU.
  mutating func checkSize(
    of sender: AttachmentReading, by way: [(place: String, size: UInt32?)]
  ) -> Bool {
    let sizes = way.compactMap { stop in stop.size.map { (place: stop.place, size: $0) } }
    guard let own = sender.end?.link, let narrow = sizes.min(by: { $0.size < $1.size }),
      own.mtu > narrow.size
    else { return false }
    fault(
      "mtu", sender.name,
      "\(sender.name) may send \(own.mtu) bytes, and \(narrow.place) takes \(narrow.size): small "
        + "packets pass, large ones vanish.",
      remedy: "\(sender.entering) ip link set \(own.name.shellWord) mtu \(narrow.size)")
    return true
  }
}

extension AttachmentReading {
  /// Its two ends, as a packet passes them.
  var sizes: [(place: String, size: UInt32?)] {
    [
      ("its port \(port.name)", hostLink?.mtu),
      ("\(record.attachment.interfaceName) in \(name)", end?.link.mtu),
    ]
  }
}
