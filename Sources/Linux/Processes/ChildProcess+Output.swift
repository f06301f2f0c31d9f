extension ChildProcess {
  /// What to wait for to see more of its standard output, or its end.
  public var readiness: Readiness { .readable(outputDescriptor) }

  /// Takes what it has written to standard output by now: nil where that is nothing, empty where
  /// nothing will come any more. `finish(until:)` returns only the rest.
  public borrowing func readOutput() throws(SystemError) -> [UInt8]? {
    try Self.readAvailable(outputDescriptor)
  }
}
