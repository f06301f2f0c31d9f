package import PluginConfigurations
internal import Addresses
package import CNI
internal import PluginCore

/// What this attachment should have, by the previous result and the configuration. Later plugins of
/// the chain may have changed the container end since ADD.
package struct Expectation {
  /// Of the container end, by the result; nil where that does not tell. Only a guard minds.
  let mac: String?
  /// Bytes, of the host end; nil where it is not known.
  let hostMTU: UInt32?
  package let addresses: [AttachmentResult.Address]
  let routes: [CNI::Route]
  /// The interfaces of the result that are on the host.
  let hostInterfaces: [AttachmentResult.Interface]
  /// Of both rows, all that ADD wrote and that follows from the request.
  private(set) var externalIDs: [String: String]

  /// - Parameter path: The sandbox, as the runtime names it.
  package init(_ plan: Plan, _ previous: AttachmentResult?, sandbox path: String)
    throws(AttachmentError)
  {
    let result = previous ?? AttachmentResult()
    let name = plan.attachment.interfaceName
    let index = result.interfaces.firstIndex {
      $0.name == name && $0.sandbox == path
    }
    // Results before 0.3.0 have no interfaces.
    guard index != nil || result.interfaces.isEmpty else {
      throw AttachmentError(
        .invalid,
        "prevResult.interfaces: there is no \"\(name)\" in \(path)")
    }
    mac = index.flatMap { result.interfaces[$0].mac }
    hostInterfaces = result.interfaces.filter { $0.sandbox == nil || $0.sandbox == "" }
    let host = hostInterfaces.first { $0.name == plan.hostLink.name }
    hostMTU = host?.mtu ?? plan.configuration.mtu
    addresses = result.addresses.filter { $0.interface == nil || $0.interface == index }
    routes = plan.hasIPAM ? result.routes : []

    // A random MAC address is known from the result alone, and a later plugin may have given the
    // container end another one.
    let first = addresses.first?.address.address
    let derived = plan.needsWire ? nil : first.flatMap { MACAddress.derived(from: $0) }
    let mac = plan.mac ?? derived
    let pairs = plan.record(
      sandbox: path, addresses: addresses, mac: mac
    ).externalIDs(plan)
    externalIDs = pairs
  }

  /// Adds what a feature has in `external_ids` of both rows.
  package mutating func expect(_ pairs: [ExternalIDKey: String]) { expect(pairs.externalIDs) }

  /// Adds other pairs.
  package mutating func expect(_ pairs: [String: String]) {
    externalIDs = externalIDs.adding(pairs)
  }

  /// Compares the `external_ids` of `subject`. Others may have added some of their own.
  func compare(_ found: [String: String], of subject: String, _ deviations: inout Deviations) {
    for (key, value) in externalIDs.sorted(by: { $0.key < $1.key }) {
      deviations.expect("\(subject): external_ids:\(key)", is: found[key], shouldBe: value)
    }
    // What these name if they are there is what others rely on.
    for key in ["addresses", "iface-id"] where externalIDs[key] == nil {
      deviations.expect("\(subject): external_ids:\(key)", is: found[key], shouldBe: nil)
    }
  }
}
