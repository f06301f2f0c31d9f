internal import AttachmentPlugin
package import Attachments
package import CNI
package import JSON
package import PluginConfigurations
package import PluginCore

/// A chained plugin that makes the port of an attachment, which an earlier plugin of the chain
/// made, a producer or the consumer of mirrors. It hands the result on as it is.
package protocol MirrorPlugin: Plugin where Configuration == MirrorPlan {
  /// What the port is to the mirrors.
  static var role: MirrorConfiguration.Role { get }
}

extension MirrorPlugin {
  /// It has none.
  package static var readsArguments: Bool { false }

  /// The configuration with what the file of defaults has.
  package static func completed(_ json: JSONCursor, for command: Command) throws(CNIError)
    -> JSONCursor
  {
    try FlatFile.merged(into: json, for: command)
  }

  /// Decodes the members.
  package static func configuration(_ request: Request) throws(JSONDecodingError) -> MirrorPlan {
    try MirrorPlan(request, role)
  }

  /// Makes the port part of these mirrors, which are made where they are missing, and of no other
  /// mirror of ours.
  package static func add(_ request: Request, _ plan: MirrorPlan, _ context: Context)
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
    do throws(AttachmentError) {
      let database = try MirrorDatabase(plan, context)
      var rollback = Rollback(context.log)
      try database.join(&rollback)
      rollback.disarm()
      database.removeEmptyMirrors(context.log)
    } catch { throw CNIError(error) }
  }

  /// Takes the port out of the mirrors. A port, mirror or bridge that is gone is done.
  ///
  /// What cannot be done now is no failure: a runtime would go no further, and the plugin that made
  /// the port would never free it. Mirrors forget a port that is gone, and one that is empty goes
  /// with the next ADD or GC.
  package static func del(_ request: Request, _ plan: MirrorPlan, _ context: Context)
    throws(CNIError)
  {
    try leave(plan, Exclusion(forReleasing: request, context), context)
  }

  private static func leave(
    _ plan: MirrorPlan, _ exclusion: borrowing Exclusion, _ context: Context
  ) throws(CNIError) {
    do throws(AttachmentError) { try MirrorDatabase(plan, context).leave() } catch {
      context.log.write(.warning, "\(error)")
    }
  }

  /// Compares the mirrors with what ADD made.
  package static func check(_ request: Request, _ plan: MirrorPlan, _ context: Context)
    throws(CNIError)
  {
    try check(plan, Exclusion(request, context), context)
  }

  private static func check(
    _ plan: MirrorPlan, _ exclusion: borrowing Exclusion, _ context: Context
  ) throws(CNIError) {
    do throws(AttachmentError) { try MirrorDatabase(plan, context).check() } catch {
      throw CNIError(error)
    }
  }

  /// Takes ports that serve no valid attachment out of the mirrors, and removes those that this
  /// network made and that have no port left.
  package static func gc(_ request: Request, _ plan: MirrorPlan, _ context: Context)
    throws(CNIError)
  {
    guard let valid = request.network.validAttachments else { return }
    do throws(AttachmentError) { try MirrorDatabase(plan, context).collect(Set(valid)) } catch {
      throw CNIError(error)
    }
  }

  /// Whether Open vSwitch is there. The bridge may be made by the plugin before this one.
  package static func status(_ request: Request, _ plan: MirrorPlan, _ context: Context)
    throws(CNIError)
  {
    do throws(AttachmentError) { try MirrorDatabase.require(plan, context) } catch {
      throw CNIError(error)
    }
  }
}
