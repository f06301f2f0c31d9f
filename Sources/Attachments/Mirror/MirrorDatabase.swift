internal import CNI
internal import Linux
internal import OVSDB
internal import OpenVSwitch
internal import PluginConfigurations
package import PluginCore

/// The mirrors that the port of an attachment is part of, by one command's conversation with
/// ovsdb-server.
package final class MirrorDatabase {
  let plan: MirrorPlan
  let deadline: Deadline
  let connection: Connection

  /// Connects to ovsdb-server.
  package init(_ plan: MirrorPlan, _ context: Context) throws(AttachmentError) {
    self.plan = plan
    deadline = context.deadline
    do { connection = try Connection(plan.endpoint, until: context.deadline) } catch {
      throw AttachmentError(error, "cannot reach Open vSwitch")
    }
  }

  var bridge: String { plan.configuration.bridge }

  func survey(until deadline: Deadline? = nil) throws(OVSDBError) -> MirrorSurvey? {
    try MirrorSurvey(plan, connection, until: deadline ?? self.deadline)
  }

  // MARK: - STATUS

  /// Requires of Open vSwitch what ADD needs. The bridge may be made by an earlier plugin.
  package static func require(_ plan: MirrorPlan, _ context: Context) throws(AttachmentError) {
    let fault: SwitchFault?
    do throws(OVSDBError) {
      fault = try Connection(plan.endpoint, until: context.deadline)
        .switchFault(until: context.deadline)
    } catch {
      throw AttachmentError.unavailable(error)
    }
    if let fault { throw AttachmentError(.unavailable, fault.summary, details: fault.details) }
  }

  // MARK: - ADD

  /// Makes the port part of the mirrors, all of them or none, takes it out of those that an earlier
  /// ADD made it part of, and waits until ovs-vswitchd mirrors.
  package func join(_ rollback: inout Rollback) throws(AttachmentError) {
    let attempt = "cannot attach a mirror \(plan.role.rawValue) to bridge \"\(bridge)\""
    // Others change mirrors too; each time there is a new question.
    while true {
      let (survey, port) = try requirePort(attempt)
      let joining = try MirrorJoining(plan, survey, port).change
      do throws(OVSDBError) {
        _ = try connection.commit(joining.transaction, until: deadline)
        return
      } catch {
        if joining.isOvertaken(error), !deadline.hasPassed { continue }
        // What was refused has changed nothing.
        if error.mayHaveTakenEffect {
          rollback.onFailure("put the mirrors back") { self.undo(survey, port, until: $0) }
        }
        throw AttachmentError(error, attempt)
      }
    }
  }

  private func requirePort(_ attempt: String) throws(AttachmentError) -> (MirrorSurvey, Reference) {
    let survey: MirrorSurvey?
    do { survey = try self.survey() } catch { throw AttachmentError(error, attempt) }
    guard let survey else {
      throw AttachmentError(
        .invalid, "\(attempt): there is no such bridge",
        details: "\"bridge\" must be that of the plugin before, and \"socket_file\" its server")
    }
    guard let port = survey.port else { throw AttachmentError(.failed, attempt, details: noPort) }
    return (survey, port)
  }

  var noPort: String {
    let names = plan.interfaces.map { "\"\($0)\"" }.joined(separator: ", ")
    let own = plan.interfaces.contains(bridge) ? ", its own port excepted" : ""
    return "cannot find port in db: none of prevResult.interfaces (\(names)) is a port of bridge "
      + "\"\(bridge)\"\(own)"
  }
}
