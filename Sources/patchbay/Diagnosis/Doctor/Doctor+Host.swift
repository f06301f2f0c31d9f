import Attachments
import PluginCore

/// What this host takes from containers that it must not take.
extension Doctor {
  /// A flush of nftables takes the rule away; a release before it was there has not made it.
  func checkHostEnds(_ findings: inout Findings) {
    guard let network = host.attachments.map(\.record.network).min() else { return }
    do throws(AttachmentError) {
      guard let deviation = try HostShield.deviation(until: host.deadline) else { return }
      findings.fault(
        "host-ends-open", "this host",
        "This host takes what containers send to it by their host ends: \(deviation).",
        remedy: "patchbay repair \(network)")
    } catch { findings.skipped("host-ends-open", "this host", "\(error).") }
  }

  /// Settings that ovs-vswitchd's next link of the name does not have.
  func checkSettings(ofGateway name: String, _ network: String, _ findings: inout Findings) {
    do throws(AttachmentError) {
      let openings = try Forwarding.openings(name)
      guard !openings.isEmpty else { return }
      findings.fault(
        "gateway-open", name,
        "The gateway \(name) takes router advertisements or redirects from containers: "
          + "\(openings.joined(separator: ", ")).",
        remedy: "patchbay repair \(network)")
    } catch { findings.skipped("gateway-open", name, "\(error).") }
  }
}
