import Attachments
import CNI
import Linux
import Netlink
import PluginCore

/// The host end of an attachment whose port was removed from the database.
struct PortlessLink {
  let link: Link
  /// `NETWORK/CONTAINERID/INTERFACE`, as the link's alias has it.
  let text: String

  /// The network, and the attachment to it; nil where a long name is abbreviated in the alias.
  private var owner: (network: String, attachment: Attachment)? {
    guard let network = HostLink.network(link.alias),
      let attachment = HostLink.attachment(link.alias, to: network)
    else { return nil }
    return (network, attachment)
  }

  /// Whether a person may mean the container by `name`.
  func isNamed(_ name: String) -> Bool {
    guard let id = owner?.attachment.containerID else { return false }
    let path = SandboxPath(name)
    return [id, id.shortIdentifier].contains(name) || link.name == name
      || [path.containerID, path.alias?.containerID].contains(id)
  }

  func finding(on host: HostReading) -> Finding {
    Finding(
      "link-without-port", link.name, .fault, "The link \(link.name) of \(text) is no port.",
      remedy: remedy(on: host))
  }

  /// Attaches the container again, where its namespace is known; else takes away what is left. The
  /// sandbox is there, as the link is, so `gc` would leave it.
  private func remedy(on host: HostReading) -> String? {
    guard let (network, attachment) = owner else { return nil }
    // DEL knows the link by its name.
    let rest = link.name.hasPrefix("veth") ? "" : " && ip link del \(link.name.shellWord)"
    let path = PeerSearch(host).place(of: link)?.path
    let words = attachment.words(on: network, in: path)
    let deletion = "patchbay del \(words)\(rest)"
    return path == nil ? deletion : "\(deletion) && patchbay add \(words)"
  }
}

extension HostReading {
  /// A host end has its attachment in its alias, also when its port is gone.
  var portlessLinks: [PortlessLink] {
    let ports = Set(bridges.flatMap { $0.ports.flatMap { $0.interfaces.map(\.name) } })
    return links.compactMap { link in
      guard !ports.contains(link.name), let text = HostLink.attachmentText(link.alias) else {
        return nil
      }
      return PortlessLink(link: link, text: text)
    }
  }
}

extension Attachment {
  /// What `patchbay add` and `patchbay del` need for it in the namespace at `path`, or `del` alone
  /// without a path.
  func words(on network: String, in path: String?) -> String {
    var words = network + (path.map { " \($0.shellWord)" } ?? "")
    if path.flatMap({ SandboxPath($0).containerID }) != containerID {
      words += " --container-id \(containerID.shellWord)"
    }
    if interfaceName != "eth0" { words += " --ifname \(interfaceName.shellWord)" }
    return words
  }
}
