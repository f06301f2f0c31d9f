import Addresses
import CNI
import PluginCore

/// The IPAM plugin's part in one ADD.
final class IPAMAddition {
  /// Nil without one, and once it has ended.
  private var delegate: Delegate?
  /// The addresses whose leases were there before: they stay when the attachment fails.
  private let earlier: Set<String>
  private var addresses: Set<String>?

  /// Starts the IPAM plugin, where the configuration has one. Its leases are given back when the
  /// attachment fails, also when it fails itself half-way.
  init(
    _ request: Request, _ leftovers: Leftovers, _ context: Context, _ rollback: inout Rollback
  ) throws(CNIError) {
    earlier = Set(leftovers.addresses)
    delegate = try Delegate.ipam(for: request, .add, until: context.deadline)
    guard delegate != nil else { return }
    rollback.onFailure("release the addresses") { [self] deadline in
      // One that is at work still would take its leases after they were given back: it is ended.
      delegate = nil
      guard isNew else { return nil }
      do throws(CNIError) {
        try Delegate.runIPAM(request, .del, until: deadline)
        return nil
      } catch { return error.description }
    }
  }

  /// Whether there are leases that this ADD has taken. A plugin without a result may have taken some.
  private var isNew: Bool {
    guard let addresses else { return earlier.isEmpty }
    return !addresses.isSubset(of: earlier)
  }

  /// What the IPAM plugin answers; nothing without one.
  func addresses(_ request: Request, _ context: Context) throws(CNIError) -> AttachmentResult {
    guard let delegate = delegate.take() else { return AttachmentResult() }
    let result = try delegate.addresses(until: context.deadline, version: request.network.version)
    addresses = Set(result.addresses.map { $0.address.description })
    return result
  }
}
