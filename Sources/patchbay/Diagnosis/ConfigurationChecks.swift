import CNI
import CNIRuntime
import JSON
import Linux

/// Checks of the configuration of CNI: its files, the plugins they name, and what is kept of
/// attachments.
struct ConfigurationChecks {
  private let options: RuntimeOptions
  private let asksPlugins: Bool

  /// - Parameter asksPlugins: Whether the plugins are asked, by STATUS, whether an attachment would
  ///   succeed now: without Open vSwitch each would say the same.
  init(_ options: RuntimeOptions, asksPlugins: Bool) {
    (self.options, self.asksPlugins) = (options, asksPlugins)
  }

  var group: DoctorGroup {
    var findings = Findings()
    let count = checkNetworks(&findings)
    checkCache(&findings)
    return DoctorGroup(
      name: "CNI",
      summary: "\(count) network\(count == 1 ? "" : "s"), all plugins are there",
      findings: findings)
  }

  /// The number of networks.
  private func checkNetworks(_ findings: inout Findings) -> Int {
    let directory = options.directory.path
    let contents: [(file: String, list: Result<NetworkList, RuntimeError>)]
    do throws(RuntimeError) { contents = try options.directory.contents() } catch {
      findings.fault("configuration", directory, "\(error).")
      return 0
    }
    if contents.isEmpty {
      findings.doubt(
        "no-network", directory, "There is no network configuration in \(directory).",
        remedy: "patchbay network new NAME --bridge OVS-1 --subnet 10.1.0.0/24")
    }
    var files: [String: String] = [:]
    for (file, result) in contents {
      switch result {
      case .failure(let error): findings.fault("configuration", file, "\(error).")
      case .success(let list):
        if let other = files[list.name] {
          findings.doubt(
            "network-twice", list.name,
            "The network \(list.name) is in \(other) and in \(file); the first counts.")
          continue
        }
        files[list.name] = file
        let before = findings.faults.count
        validate(file, &findings)
        checkPlugins(list, file, &findings)
        if findings.faults.count == before { checkStatus(list, &findings) }
      }
    }
    return files.count
  }

  private func validate(_ file: String, _ findings: inout Findings) {
    guard
      let bytes = try? FileDescriptor.open(file, .readOnly).readToEnd(limit: 16 << 20),
      let json = try? JSONValue(parsing: bytes)
    else { return }
    let faults = Validator(isList: file.hasSuffix(".conflist")).faults(of: json)
    guard let first = faults.first(where: { $0.severity == .error }) else { return }
    findings.fault(
      "configuration", file, "\(file): \(first.text)", remedy: "patchbay validate \(file)")
  }

  private func checkPlugins(_ list: NetworkList, _ file: String, _ findings: inout Findings) {
    let directories = options.pluginDirectories
    for plugin in list.plugins {
      let types =
        [plugin.type] + [plugin.json[PluginMember.ipam]?[IPAMMember.type]?.text].compactMap { $0 }
      for type in types where !type.isEmpty && !type.contains("/") {
        let isThere = directories.contains {
          (try? FileStatus(path: "\($0)/\(type)"))?.kind == .regular
        }
        guard !isThere else { continue }
        findings.fault(
          "plugin-missing", list.name,
          "The network \(list.name) needs the plugin \(type), which is not in "
            + "\(directories.joined(separator: ":")).")
      }
    }
  }

  /// What the plugins say to STATUS.
  private func checkStatus(_ list: NetworkList, _ findings: inout Findings) {
    guard asksPlugins, list.has(.status) else { return }
    do throws(RuntimeError) { try options.runtime.status(list) } catch {
      findings.fault(
        "status", list.name, "An attachment to network \(list.name) would not succeed: \(error).",
        remedy: "patchbay status \(list.name)")
    }
  }

  /// Results that were kept of attachments whose sandbox is gone.
  private func checkCache(_ findings: inout Findings) {
    guard let entries = try? ResultCache(directory: options.cachePath).entries() else { return }
    for entry in entries where entry.sandboxIsGone {
      findings.doubt(
        "stale-result", entry.network,
        "Container \(entry.attachment.containerID) is still known on network \(entry.network), and "
          + "its sandbox is gone.", remedy: "patchbay gc \(entry.network)")
    }
  }
}
