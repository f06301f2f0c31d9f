public import CNI
internal import JSON
public import Linux
internal import PluginExecution

extension Delegate {
  /// Starts the IPAM plugin of `request`; nil where the configuration has none.
  ///
  /// An `ipam` object that is empty, or whose type is, means none, as elsewhere.
  ///
  /// - Parameters:
  ///   - remembered: What comes before the members of `ipam`: what these were at ADD.
  ///   - isHeld: Whether it gets its configuration only when its answer is asked for.
  public static func ipam(
    for request: Request, _ command: Command, remembered: RememberedIPAM? = nil,
    isHeld: Bool = false, until deadline: Deadline
  ) throws(CNIError) -> Delegate? {
    guard let type = remembered?.type ?? request.network.ipamType, !type.isEmpty else { return nil }
    let configuration = remembered?.merged(into: request.network.json).value
    return try Delegate(
      start: type, for: request, command, configuration: configuration, isHeld: isHeld,
      until: deadline)
  }

  /// Refuses an IPAM plugin that is not there.
  public static func requireIPAM(for request: Request) throws(CNIError) {
    guard let type = request.network.ipamType, !type.isEmpty else { return }
    do throws(PluginFailure) {
      _ = try PluginSearch.executable(of: type, in: request.invocation.path)
    } catch { throw CNIError(error, of: type, request.invocation.command) }
  }

  /// The result of ADD, which must have an address.
  public consuming func addresses(until deadline: Deadline, version: SpecificationVersion)
    throws(CNIError) -> AttachmentResult
  {
    guard let json = try result(until: deadline) else {
      throw CNIError(.internalFailure, "the IPAM plugin printed no result of ADD")
    }
    let addresses: AttachmentResult
    do { addresses = try AttachmentResult(json, defaultVersion: version) } catch {
      throw CNIError(
        .decodingFailure, "the IPAM plugin's result cannot be read", details: error.description)
    }
    guard !addresses.addresses.isEmpty else {
      throw CNIError(
        .internalFailure, "the IPAM plugin's result has no address",
        details: "\"ips\" is missing or empty")
    }
    return addresses
  }

  /// Runs DEL, CHECK, GC or STATUS of the IPAM plugin, whose output, if any, is of no interest.
  ///
  /// A delegate that does not know GC or STATUS has nothing to say to them.
  public static func runIPAM(
    _ request: Request, _ command: Command, remembered: RememberedIPAM? = nil,
    until deadline: Deadline
  ) throws(CNIError) {
    guard
      let delegate = try ipam(for: request, command, remembered: remembered, until: deadline)
    else { return }
    try delegate.finish(command, until: deadline)
  }

  /// Waits for the end of DEL, CHECK, GC or STATUS.
  public consuming func finish(_ command: Command, until deadline: Deadline) throws(CNIError) {
    do throws(CNIError) { _ = try result(until: deadline) } catch {
      let isUnknown =
        error.code == .invalidEnvironment && error.message.mentions("unknown CNI_COMMAND")
      guard isUnknown, command == .gc || command == .status else { throw error }
    }
  }
}

extension String {
  /// Whether `text`, which is not empty, is somewhere in it.
  fileprivate func mentions(_ text: String) -> Bool {
    indices.contains { self[$0...].hasPrefix(text) }
  }
}
