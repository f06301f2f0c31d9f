public import CNI
public import JSON
internal import Linux
internal import OVSDB
internal import OpenVSwitch
public import PluginConfigurations
public import PluginCore

/// What an attachment's port is to be to which mirrors.
public struct MirrorPlan {
  let configuration: MirrorConfiguration
  let role: MirrorConfiguration.Role
  /// The network's name, container ID and interface name; the last two empty for GC and STATUS.
  let key: AttachmentKey
  /// The network's name.
  var network: String { key.network }
  /// Container ID and interface name.
  var attachment: Attachment { key.attachment }
  /// The links that earlier plugins of the chain made, in their order.
  let interfaces: [String]
  let endpoint: Endpoint

  init(_ request: Request, _ role: MirrorConfiguration.Role) throws(JSONDecodingError) {
    let json = request.network.json
    let command = request.invocation.command
    configuration =
      command.isReleasing
      ? try MirrorConfiguration(forReleasing: json)
      : try MirrorConfiguration(json, for: role, mayLackMembers: command == .status)
    self.role = role
    key = AttachmentKey(request)
    interfaces = request.network.previousResult?.interfaces.map { $0.name } ?? []
    endpoint = configuration.endpoint
  }
}

/// A chained plugin that makes the port of an attachment, which an earlier plugin of the chain
/// made, a producer or the consumer of mirrors. It hands the result on as it is.
public protocol MirrorPlugin: Plugin where Configuration == MirrorPlan {
  /// What the port is to the mirrors.
  static var role: MirrorConfiguration.Role { get }
}

extension MirrorPlugin {
  /// It has none.
  public static var readsArguments: Bool { false }

  /// The configuration with what the file of defaults has.
  public static func completed(_ json: JSONCursor) throws(CNIError) -> JSONCursor {
    try FlatFile.merged(into: json)
  }

  /// Decodes the members.
  public static func configuration(_ request: Request) throws(JSONDecodingError) -> MirrorPlan {
    try MirrorPlan(request, role)
  }

  /// Makes the port part of the mirrors, which are made where they are missing.
  public static func add(_ request: Request, _ plan: MirrorPlan, _ context: Context)
    throws(CNIError) -> AttachmentResult
  {
    guard let previous = request.network.previousResult else {
      throw CNIError(
        .invalidConfiguration,
        "prevResult: missing; \(name) goes after the plugin that makes the port, as ovs-bridge")
    }
    try join(plan, Exclusion(request, context), context)
    return previous
  }

  private static func join(
    _ plan: MirrorPlan, _ exclusion: borrowing Exclusion, _ context: Context
  ) throws(CNIError) {
    let database = try MirrorDatabase(plan, context)
    var rollback = Rollback(context.log)
    rollback.onFailure("take the port out of the mirrors") { database.undo(until: $0) }
    try database.join()
    rollback.disarm()
    database.removeEmptyMirrors(context.log)
  }

  /// Takes the port out of the mirrors. A port, mirror or bridge that is gone is done.
  ///
  /// What cannot be done now is no failure: a runtime would go no further, and the plugin that made
  /// the port would never free it. Mirrors forget a port that is gone, and one that is empty goes with
  /// the next ADD or GC.
  public static func del(_ request: Request, _ plan: MirrorPlan, _ context: Context)
    throws(CNIError)
  {
    try leave(plan, Exclusion(forReleasing: request, context), context)
  }

  private static func leave(
    _ plan: MirrorPlan, _ exclusion: borrowing Exclusion, _ context: Context
  ) throws(CNIError) {
    do throws(CNIError) { try MirrorDatabase(plan, context).leave() } catch {
      context.log.write(.warning, "\(error)")
    }
  }

  /// Compares the mirrors with what ADD made.
  public static func check(_ request: Request, _ plan: MirrorPlan, _ context: Context)
    throws(CNIError)
  {
    try check(plan, Exclusion(request, context), context)
  }

  private static func check(
    _ plan: MirrorPlan, _ exclusion: borrowing Exclusion, _ context: Context
  ) throws(CNIError) {
    try MirrorDatabase(plan, context).check()
  }

  /// Takes ports that serve no valid attachment out of the mirrors, and removes those that this
  /// network made and that have no port left.
  public static func gc(_ request: Request, _ plan: MirrorPlan, _ context: Context)
    throws(CNIError)
  {
    guard let valid = request.network.validAttachments else { return }
    try MirrorDatabase(plan, context).collect(Set(valid))
  }

  /// Whether Open vSwitch is there. The bridge may be made by the plugin before this one.
  public static func status(_ request: Request, _ plan: MirrorPlan, _ context: Context)
    throws(CNIError)
  {
    let fault: SwitchFault?
    do throws(OVSDBError) {
      fault = try Connection(plan.endpoint, until: context.deadline)
        .switchFault(until: context.deadline)
    } catch {
      throw CNIError(
        .notAvailable, "Open vSwitch is not available", details: error.description)
    }
    if let fault { throw CNIError(.notAvailable, fault.summary, details: fault.details) }
  }
}

extension CNIError {
  /// What ovsdb-server or the way to it refused.
  init(_ error: OVSDBError, _ attempt: String) {
    self.init(
      error.isTransient ? .tryAgainLater : .internalFailure, attempt, details: error.description)
  }
}
