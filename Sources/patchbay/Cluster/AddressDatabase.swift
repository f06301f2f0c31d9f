import CNI
import CNIRuntime
import JSON
import LeaseDatabase
import Linux
import OVSDB
import PluginConfigurations

/// Where the database is: by the network's configuration, or by an option.
struct AddressDatabase {
  /// Its members, or a relay to them.
  let remotes: [Endpoint]
  /// This host, as the database knows it.
  let host: ClusterHost
  /// As they were written.
  var endpoints: [String] { remotes.map(\.description) }

  /// The members in `text`, with commas between them.
  init(_ text: String, host name: String? = nil) throws {
    remotes = try text.split(separator: ",").map { part in
      do throws(OVSDBError) { return try SharedDatabase.addresses.endpoint(String(part)) } catch {
        throw Failure(error.description)
      }
    }
    host = .this(named: name)
  }

  /// The database of this host, or the relay to it, where nothing says where it is.
  init() {
    remotes = [ClusterConfiguration.defaultDatabase]
    host = .this(named: nil)
  }

  /// The database that the configuration of an IPAM plugin `cluster` names.
  init(_ configuration: ClusterConfiguration) {
    remotes = configuration.database
    host = .this(named: configuration.host)
  }

  /// The leases of `network`, as one attachment of it sees them; without one, as the host does.
  func leases(
    of network: String, _ attachment: (containerID: String, interfaceName: String) = ("", ""),
    takesAddresses: Bool = false, until deadline: Deadline
  ) -> DatabaseLeases {
    DatabaseLeases(
      remotes, host,
      ClusterHolder(
        host: host.name, network: network, containerID: attachment.containerID,
        interfaceName: attachment.interfaceName),
      sets: [], reclaims: true, takesAddresses: takesAddresses, until: deadline)
  }
}

extension NetworkList {
  /// What the plugins of the list say to the IPAM plugin `type`, each as a whole configuration.
  func configurations(ofIPAM type: String) -> [JSONCursor] {
    plugins.filter { $0.json[PluginMember.ipam]?[IPAMMember.type]?.text == type }.map { plugin in
      var object = plugin.json
      object[PluginMember.name] = .string(name)
      object[PluginMember.cniVersion] = .string(version)
      return JSONCursor(.object(object))
    }
  }

  /// The databases of addresses that the list names, each once.
  func addressDatabases() throws -> [ClusterConfiguration] {
    var all: [ClusterConfiguration] = []
    for json in configurations(ofIPAM: "cluster") {
      do throws(JSONDecodingError) {
        let needsRuntime =
          json[PluginMember.ipam][HostLocalConfiguration.Member.ranges].isAbsent
          && json[PluginMember.ipam][AddressRange.Member.subnet].isAbsent
        let configuration =
          needsRuntime
          ? try ClusterConfiguration(forReleasing: json)
          : try ClusterConfiguration(json)
        if !all.contains(where: { $0.database == configuration.database }) {
          all.append(configuration)
        }
      } catch { throw Failure("network \"\(name)\": \(error.description)") }
    }
    return all
  }
}
