import TestSupport

extension FaultHost {
  /// Runs a command, with a fault at the system call `number` of the plugin, or of its delegate.
  func step(
    _ fault: Fault, at number: Int, ofDelegate: Bool = false, _ command: String,
    _ configuration: Document, _ containerID: String?, _ sandbox: Sandbox?,
    sandboxPath: String? = nil, program: Plugin? = nil
  ) throws -> Stepped {
    try (program ?? plugin).step(
      fault, at: number, ofDelegate: ofDelegate, command, configuration, containerID: containerID,
      sandbox: sandboxPath ?? sandbox?.path, files: host.directory)
  }
}
