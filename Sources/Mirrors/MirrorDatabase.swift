internal import CNI
internal import Linux
internal import OVSDB
internal import OpenVSwitch
internal import PluginConfigurations
internal import PluginCore

/// The conversation of one command with ovsdb-server.
final class MirrorDatabase {
  let plan: MirrorPlan
  let deadline: Deadline
  let connection: Connection

  init(_ plan: MirrorPlan, _ context: Context) throws(CNIError) {
    self.plan = plan
    deadline = context.deadline
    do { connection = try Connection(plan.endpoint, until: context.deadline) } catch {
      throw CNIError(error, "cannot reach Open vSwitch")
    }
  }

  var bridge: String { plan.configuration.bridge }

  func survey(until deadline: Deadline? = nil) throws(OVSDBError) -> MirrorSurvey? {
    try MirrorSurvey(plan, connection, until: deadline ?? self.deadline)
  }

  // MARK: - ADD

  /// Makes the port part of the mirrors, all of them or none, and waits until ovs-vswitchd mirrors.
  func join() throws(CNIError) {
    let attempt = "cannot attach a mirror \(plan.role.rawValue) to bridge \"\(bridge)\""
    // Others change mirrors too; each time there is a new question.
    while true {
      let (survey, port) = try requirePort(attempt)
      let joining = try Joining(plan, survey, port)
      do throws(OVSDBError) {
        _ = try connection.commit(joining.transaction, until: deadline)
        return
      } catch {
        guard joining.isOvertaken(error), !deadline.hasPassed else {
          throw CNIError(error, attempt)
        }
      }
    }
  }

  private func requirePort(_ attempt: String) throws(CNIError) -> (MirrorSurvey, Reference) {
    let survey: MirrorSurvey?
    do { survey = try self.survey() } catch { throw CNIError(error, attempt) }
    guard let survey else {
      throw CNIError(
        .invalidConfiguration, "\(attempt): there is no such bridge",
        details: "\"bridge\" must be that of the plugin before, and \"socket_file\" its server")
    }
    guard let port = survey.port else { throw CNIError(.internalFailure, attempt, details: noPort) }
    return (survey, port)
  }

  var noPort: String {
    let names = plan.interfaces.map { "\"\($0)\"" }.joined(separator: ", ")
    return "cannot find port in db: none of prevResult.interfaces (\(names)) is a port of bridge "
      + "\"\(bridge)\""
  }
}
