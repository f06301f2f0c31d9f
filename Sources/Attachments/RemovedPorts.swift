internal import OVSDB
internal import OpenVSwitch
internal import PluginCore

/// Ports of attachments that were taken off.
struct RemovedPorts {
  /// By what is known when ovs-vswitchd has let go of the links: of gateways, and of others where
  /// that was asked for.
  var commits: [ConfirmedCommit] = []
  /// Whether a port of a gateway went with them, and with it a link of ovs-vswitchd.
  var hasRemovedGateway = false
  /// Why a gateway could not be removed as well.
  var failures: [AttachmentError] = []
}

/// Ports, taken off whatever bridges they are on.
enum Detaching {
  /// The rows of ports that have these pairs.
  static func find(_ pairs: [String: String]) -> (Transaction, Transaction.Selected<PortTable>) {
    var transaction = Transaction()
    let ports = transaction.select(
      from: .port, where: [.includes(.externalIDs, pairs)], .columns(.uuid, .name, .externalIDs))
    return (transaction, ports)
  }

  /// Takes `ports` off their bridges; ovsdb-server then removes the rows, which nothing refers to
  /// any more, and those of their interfaces.
  static func remove(_ ports: [Reference], _ comment: String) -> Transaction {
    var transaction = Transaction()
    for port in ports { transaction.removePort(port) }
    transaction.append(.comment("patchbay: \(comment)"))
    return transaction
  }
}
