import CNI
import CNIRuntime
import JSON
import Linux
import OVSDB
import OpenVSwitch
import PluginConfigurations
import PluginCore

extension NetworkList {
  /// Stand for networks of which neither the configuration nor a result is kept, but ports: the
  /// rows of Open vSwitch remember what DEL of `ovs-bridge` needs. By their names; none where the
  /// database cannot be read.
  static func ofPorts() -> [NetworkList] {
    let deadline = Deadline.after(.seconds(10))
    var question = Transaction()
    let ports = question.select(from: .port, .columns(.externalIDs))
    guard let connection = try? Connection(.standard, until: deadline),
      let rows = try? connection.transact(question, until: deadline)[ports]
    else { return [] }
    let names = rows.compactMap { row -> String? in
      let pairs = row[.externalIDs]
      // Podman keeps those of its own; and of a logical port it is not known which database of OVN
      // has it.
      guard let record = AttachmentRecord(externalIDs: { pairs[$0] }), record.runtime == nil,
        pairs[ExternalIDKey.logicalPort.rawValue] == nil,
        (try? Names.checkNetworkName(record.network)) != nil
      else { return nil }
      return record.network
    }
    return Set(names).sorted().compactMap { name in
      let list: JSONValue = [
        "cniVersion": .string(SpecificationVersion.v1_0_0.rawValue), "name": .string(name),
        "plugins": [["type": "ovs-bridge"]],
      ]
      return try? NetworkList(parsing: list.encoded())
    }
  }
}
