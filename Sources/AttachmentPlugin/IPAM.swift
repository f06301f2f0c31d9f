internal import Addresses
package import Attachments
package import CNI
internal import JSON
internal import Linux
internal import PluginConfigurations
package import PluginCore

/// The IPAM plugin's part in one ADD.
package final class IPAMAddition {
  /// Nil without one, and once it has ended.
  private var delegate: Delegate?
  /// The addresses whose leases were there before: they stay when the attachment fails.
  private var earlier: Set<String> = []
  private var addresses: Set<String>?
  private var hasStarted = false

  package init() {}

  /// Starts the process of the IPAM plugin, where the configuration has one that does not need the
  /// wire. It waits for its configuration, and does nothing before `begin`: a process takes as long
  /// to start as this one to look at what is there.
  package func prepare(_ request: Request, _ plan: Plan) {
    guard plan.hasIPAM, !plan.needsWire else { return }
    // What is wrong with it is told when it is needed.
    delegate = try? Delegate.ipam(for: request, .add, isHeld: true, until: .after(.zero))
  }

  /// Has the IPAM plugin begin, where the configuration has one that does not need the wire. Its
  /// leases are given back when the attachment fails, also when it fails itself half-way.
  package func begin(
    _ request: Request, _ plan: Plan, _ earlier: Set<String>, _ context: Context,
    _ rollback: inout Rollback
  ) throws(AttachmentError) {
    self.earlier = earlier
    guard plan.hasIPAM else { return }
    if plan.needsWire {
      do throws(CNIError) { try Delegate.requireIPAM(for: request) } catch {
        throw AttachmentError(error)
      }
    } else {
      try start(request, context)
    }
    rollback.onFailure("release the addresses") { [self] deadline in
      // One that is at work still would take its leases after they were given back: it is ended.
      delegate = nil
      guard hasStarted, isNew else { return nil }
      do throws(CNIError) {
        try Delegate.runIPAM(request, .del, until: deadline)
        return nil
      } catch { return error.description }
    }
  }

  private func start(_ request: Request, _ context: Context) throws(AttachmentError) {
    hasStarted = true
    if delegate == nil {
      do throws(CNIError) {
        delegate = try Delegate.ipam(for: request, .add, until: context.deadline)
      } catch { throw AttachmentError(error) }
    }
    context.log.write(.debug, "started the IPAM plugin")
  }

  /// Whether there are leases that this ADD has taken. A plugin without a result may have taken
  /// some.
  private var isNew: Bool {
    guard let addresses else { return earlier.isEmpty }
    return !addresses.isSubset(of: earlier)
  }

  /// The result of the IPAM plugin, which is started if it was not; an empty one without one.
  package func addresses(_ request: Request, _ context: Context) throws(AttachmentError)
    -> AttachmentResult
  {
    if !hasStarted { try start(request, context) }
    guard let delegate = delegate.take() else { return AttachmentResult() }
    do throws(CNIError) {
      let result = try delegate.addresses(
        until: context.deadline, version: request.network.version)
      addresses = Set(result.addresses.map { $0.address.description })
      context.log.write(.debug, "has the addresses")
      return result
    } catch { throw AttachmentError(error) }
  }
}

/// The IPAM plugin's part in one DEL.
package final class IPAMRemoval {
  private var delegate: Delegate?
  private var hasFailed = false

  /// Starts the IPAM plugin; what the rows of the attachment remember comes before the
  /// configuration. `records` is nil where they cannot be read.
  ///
  /// Where there are none, they may have gone before the lease, as by an ADD that removes ports
  /// without links. What is left of the configuration may then be the type alone: the
  /// network's other rows remember where its leases are.
  package init(
    _ request: Request, _ records: [AttachmentRecord]?, _ detachment: Detachment,
    _ context: Context, _ failures: inout Failures
  ) {
    let json = request.network.json
    var remembered = records?.lazy.compactMap { $0.ipam }.first
    if records?.isEmpty == true,
      json[PluginMember.ipam].value?.object?.members.count ?? 0 <= 1
    {
      remembered =
        CollectedRows(detachment, context, &failures)?.remembered(json).last ?? nil
    }
    do throws(CNIError) {
      delegate = try Delegate.ipam(
        for: request, .del, remembered: remembered, until: context.deadline)
    } catch {
      failures.add(AttachmentError(error))
      hasFailed = true
    }
  }

  /// Waits for its end; whether the addresses are free.
  package func finish(_ context: Context, _ failures: inout Failures) -> Bool {
    guard let delegate = delegate.take() else { return !hasFailed }
    do throws(CNIError) {
      try delegate.finish(.del, until: context.deadline)
      context.log.write(.debug, "freed the addresses")
      return true
    } catch {
      failures.add(AttachmentError(error))
      return false
    }
  }
}

/// The IPAM plugin's part in one GC.
package enum IPAMCollection {
  /// Has the IPAM plugin free its leases, wherever attachments of the network have some; whether it
  /// did.
  ///
  /// - Parameters:
  ///   - all: What the configuration says of IPAM, as nil, and what rows remember besides.
  ///   - left: Attachments that the runtime does not know, and that are not freed.
  package static func run(
    _ request: Request, _ all: [RememberedIPAM?], keeping left: Set<Attachment>,
    _ context: Context, _ failures: inout Failures
  ) -> Bool {
    let request = left.isEmpty ? request : request.withValid(left)
    var isDone = true
    for remembered in all {
      do throws(CNIError) {
        try Delegate.runIPAM(request, .gc, remembered: remembered, until: context.deadline)
      } catch {
        failures.add(AttachmentError(error))
        isDone = false
      }
    }
    return isDone
  }
}

/// The IPAM plugin's part in one STATUS: it works while the rest is looked at.
package struct IPAMStatus: ~Copyable {
  private let delegate: Delegate?

  /// Starts the IPAM plugin. One that is not there means that ADD cannot succeed.
  package init(_ request: Request, _ context: Context) throws(CNIError) {
    delegate = try Self.start(request, context)
  }

  private static func start(_ request: Request, _ context: Context) throws(CNIError) -> Delegate? {
    do throws(CNIError) {
      return try Delegate.ipam(for: request, .status, until: context.deadline)
    } catch {
      throw CNIError(.notAvailable, error.message, details: error.details)
    }
  }

  /// Waits for what it says.
  package consuming func finish(_ context: Context) throws(CNIError) {
    guard let delegate else { return }
    do throws(CNIError) { try delegate.finish(.status, until: context.deadline) } catch {
      let isStatus = error.code == .notAvailable || error.code == .limitedConnectivity
      throw CNIError(
        isStatus ? error.code : .notAvailable, error.message, details: error.details)
    }
  }
}

extension Request {
  /// The same with these attachments besides those that are valid.
  fileprivate func withValid(_ left: Set<Attachment>) -> Request {
    guard case .object(var members)? = network.json.value, let valid = network.validAttachments
    else { return self }
    let all = JSONValue.array((valid + left).map { $0.json })
    for name in ["cni.dev/valid-attachments", "cni.dev/attachments"] where members[name] != nil {
      members[name] = all
    }
    return (try? Request(invocation, configuration: JSONCursor(.object(members)), .ours)) ?? self
  }
}
