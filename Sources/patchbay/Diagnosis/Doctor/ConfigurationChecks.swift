import CNI
import CNIRuntime
import JSON
import Linux

/// Checks of the configuration of CNI: its files, the plugins they name, and what is kept of
/// attachments.
struct ConfigurationChecks {
  private let options: RuntimeOptions
  /// Nil where Open vSwitch cannot be read. Then the plugins are not asked, by STATUS, whether an
  /// attachment would succeed now: each would say the same, as where ovs-vswitchd is silent.
  private let host: HostReading?

  init(_ options: RuntimeOptions, on host: HostReading?) {
    (self.options, self.host) = (options, host)
  }

  var group: DoctorGroup {
    var findings = Findings()
    let networks = checkNetworks(&findings)
    StorageChecks(ResultCache(directory: options.cachePath), of: networks, host).check(&findings)
    return DoctorGroup(
      name: "CNI",
      summary: "\(networks.count) network\(networks.count == 1 ? "" : "s"), all plugins are there",
      findings: findings)
  }

  /// The networks: the first of each name.
  private func checkNetworks(_ findings: inout Findings) -> [NetworkList] {
    let directory = options.directory.path
    let contents: [(file: String, list: Result<NetworkList, RuntimeError>)]
    do throws(RuntimeError) { contents = try options.directory.contents() } catch {
      findings.fault("configuration", directory, "\(error).")
      return []
    }
    if contents.isEmpty {
      findings.doubt(
        "no-network", directory, "There is no network configuration in \(directory).",
        remedy: "patchbay network new NAME --bridge OVS-1 --subnet 10.1.0.0/24")
    }
    var files: [String: String] = [:]
    var networks: [NetworkList] = []
    for (file, result) in contents {
      switch result {
      case .failure(let error):
        findings.fault(
          "configuration", file, "\(error).", remedy: "patchbay validate \(file.shellWord)")
      case .success(let list):
        if let other = files[list.name] {
          findings.doubt(
            "network-twice", list.name,
            "The network \(list.name) is in \(other) and in \(file); the first counts.")
          continue
        }
        files[list.name] = file
        networks.append(list)
        let before = findings.faults.count
        validate(file, &findings)
        checkPlugins(list, file, &findings)
        if findings.faults.count == before { checkStatus(list, &findings) }
      }
    }
    return networks
  }

  private func validate(_ file: String, _ findings: inout Findings) {
    guard
      let bytes = try? FileDescriptor.open(file, .readOnly).readToEnd(limit: 16 << 20),
      let json = try? JSONValue(parsing: bytes)
    else { return }
    let faults = Validator(isList: file.hasSuffix(".conflist")).faults(of: json)
    guard let first = faults.first(where: { $0.severity == .error }) else { return }
    findings.fault(
      "configuration", file, "\(file): \(first.text)", remedy: "patchbay validate \(file.shellWord)"
    )
  }

  private func checkPlugins(_ list: NetworkList, _ file: String, _ findings: inout Findings) {
    let directories = options.pluginDirectories
    for plugin in list.plugins {
      let types =
        [plugin.type] + [plugin.json[PluginMember.ipam]?[IPAMMember.type]?.text].compactMap { $0 }
      for type in types where !type.isEmpty && !type.contains("/") {
        // The first file of the name counts, also where it cannot be run.
        let found = directories.lazy.compactMap { directory -> (path: String, mode: UInt32)? in
          let path = "\(directory)/\(type)"
          guard let status = try? FileStatus(path: path), status.kind == .regular else {
            return nil
          }
          return (path: path, mode: status.permissions)
        }.first
        if let found {
          guard found.mode & 0o111 == 0 else { continue }
          findings.fault(
            "plugin-not-executable", list.name,
            "The network \(list.name) needs the plugin \(type), and \(found.path) cannot be run.",
            remedy: "chmod 755 \(found.path.shellWord)")
          continue
        }
        findings.fault(
          "plugin-missing", list.name,
          "The network \(list.name) needs the plugin \(type), which is not in "
            + "\(directories.joined(separator: ":")): install it there, or add its directory to "
            + "CNI_PATH.")
      }
    }
  }

  /// What the plugins say to STATUS.
  private func checkStatus(_ list: NetworkList, _ findings: inout Findings) {
    guard host?.control != nil, list.has(.status) else { return }
    do throws(RuntimeError) { try options.runtime.status(list) } catch {
      findings.fault(
        "status", list.name, "An attachment to network \(list.name) would not succeed: \(error).",
        remedy: "patchbay status \(list.name)")
    }
  }
}
