package import CNI
internal import Linux
internal import OVSDB
internal import OpenVSwitch
internal import PluginConfigurations
package import PluginCore

extension MirrorDatabase {
  // MARK: - DEL

  /// Takes the port out of the mirrors, those that the plan names and those of ours, and removes
  /// those of ours on the bridge that are empty then. What is not there is done.
  package func leave() throws(AttachmentError) {
    do throws(OVSDBError) { try leave(until: deadline) } catch {
      throw AttachmentError(
        error, "cannot take the port out of the mirrors of bridge \"\(bridge)\"")
    }
  }

  private func leave(until deadline: Deadline) throws(OVSDBError) {
    guard let survey = try survey(until: deadline) else { return }
    if let port = survey.portRow {
      var leaving = MirrorChange()
      leaving.leave(plan, survey, port)
      if !leaving.isEmpty { _ = try connection.transact(leaving.transaction, until: deadline) }
    }
    try removeEmptyMirrors(until: deadline) { $0.isEmpty() }
  }

  /// Removes mirrors of ours on the bridge that are empty: their ports went without DEL.
  package func removeEmptyMirrors(_ log: Log) {
    do throws(OVSDBError) { try removeEmptyMirrors(until: deadline) { $0.isEmpty() } } catch {
      log.write(.warning, "cannot remove empty mirrors: \(error)")
    }
  }

  private func removeEmptyMirrors(
    until deadline: Deadline, where isUnused: (Row<MirrorTable>) -> Bool
  ) throws(OVSDBError) {
    while let survey = try survey(until: deadline) {
      var leaving = MirrorChange()
      for mirror in survey.mirrors where isUnused(mirror) {
        leaving.remove(mirror, from: survey.bridge)
      }
      if leaving.isEmpty { return }
      do throws(OVSDBError) {
        _ = try connection.transact(leaving.transaction, until: deadline)
        return
      } catch { if !leaving.isOvertaken(error) || deadline.hasPassed { throw error } }
    }
  }

  // MARK: - GC

  /// Removes the mirrors that this network made and that have no port of a valid attachment. Those
  /// ports go by the GC of the plugin that made them, and out of mirrors of others with that.
  package func collect(_ valid: Set<Attachment>) throws(AttachmentError) {
    do throws(OVSDBError) {
      var question = Transaction()
      let pairs = AttachmentRecord.mark(of: plan.network)
      let ports = question.select(
        from: .port, where: [.includes(.externalIDs, pairs)], .columns(.uuid, .externalIDs))
      let rows = try connection.transact(question, until: deadline)[ports]
      let stale = rows.filter { row in
        AttachmentRecord(externalIDs: { row[.externalIDs][$0] })
          .map { !valid.contains($0.attachment) } ?? false
      }
      let gone = Set(stale.map { $0[.uuid] })
      try removeEmptyMirrors(until: deadline) {
        $0.isEmpty(without: gone)
          && $0[.externalIDs][AttachmentRecord.Key.network] == self.plan.network
      }
    } catch {
      throw AttachmentError(error, "cannot free the mirrors of network \"\(plan.network)\"")
    }
  }

  // MARK: - CHECK

  /// Compares the mirrors with what ADD made; it changes nothing.
  package func check() throws(AttachmentError) {
    let attempt = "the mirrors of bridge \"\(bridge)\" are not as ADD made them"
    let survey: MirrorSurvey?
    do { survey = try self.survey() } catch {
      throw AttachmentError(error, "cannot ask Open vSwitch")
    }
    guard let survey else {
      throw AttachmentError(.failed, attempt, details: "there is no such bridge")
    }
    guard let port = survey.port else { throw AttachmentError(.failed, attempt, details: noPort) }
    var deviations: [String] = []
    for mirror in plan.configuration.mirrors {
      guard let found = survey.mirror(mirror.name) else {
        deviations.append("there is no mirror \"\(mirror.name)\", and there should be one")
        continue
      }
      deviations += compare(mirror, found, port)
    }
    guard deviations.isEmpty else {
      throw AttachmentError(
        .failed, attempt, details: deviations.joined(separator: "; "))
    }
  }

  private func compare(
    _ mirror: MirrorConfiguration.Mirror, _ found: Row<MirrorTable>, _ port: Reference
  ) -> [String] {
    var deviations: [String] = []
    func expect(_ column: String, has isThere: Bool, _ isWanted: Bool) {
      guard isThere != isWanted else { return }
      deviations.append(
        "mirror \"\(mirror.name)\": \(column) \(isThere ? "has" : "does not have") the port, "
          + (isWanted ? "should have it" : "should not"))
    }
    switch plan.role {
    case .consumer: expect("output_port", has: found[.outputPort] == port, true)
    case .producer:
      expect("select_src_port", has: found[.sourcePorts].contains(port), mirror.ingress)
      expect("select_dst_port", has: found[.destinationPorts].contains(port), mirror.egress)
      func list(_ tags: [Int64]) -> String {
        "[\(tags.map { "\($0)" }.joined(separator: ", "))]"
      }
      let there = found[.selectedVLANs].sorted()
      if let tags = mirror.selectedVLANs.map({ $0.map { Int64($0) } }), tags != there {
        deviations.append(
          "mirror \"\(mirror.name)\": select_vlan is \(list(there)), should be \(list(tags))")
      }
      if let tag = mirror.outputVLAN.map({ Int64($0) }), tag != found[.outputVLAN] {
        deviations.append(
          "mirror \"\(mirror.name)\": output_vlan is "
            + "\(found[.outputVLAN].map { "\($0)" } ?? "absent"), should be \(tag)")
      }
    }
    return deviations
  }
}
