import Foundation
import Testing

/// Waits until `condition` holds, for what happens on its own, without notice. Throws past the
/// timeout, with what `condition` threw last.
public func eventually(
  _ what: String = "what was waited for", timeout: Duration = .seconds(10),
  _ condition: () throws -> Bool
) throws {
  let deadline = ContinuousClock.now + timeout * slowness
  var reason = ""
  while true {
    do {
      if try condition() { return }
      reason = ""
    } catch { reason = ": \(error)" }
    guard ContinuousClock.now < deadline else {
      throw RunError(description: "\(what) is not so after \(timeout * slowness)\(reason)")
    }
    usleep(5000)
  }
}

/// Compares octets with the file `Golden/NAME` beside the test's source; `RECORD=1` writes them
/// there instead, and the difference is for the reviewer.
public func expectGolden(
  _ bytes: some Sequence<UInt8>, _ name: String, file: String = #filePath,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let golden = URL(fileURLWithPath: file).deletingLastPathComponent()
    .appendingPathComponent("Golden").appendingPathComponent(name)
  let found = Data(bytes)
  if ProcessInfo.processInfo.environment["RECORD"] == "1" {
    try FileManager.default.createDirectory(
      at: golden.deletingLastPathComponent(), withIntermediateDirectories: true)
    try found.write(to: golden)
    return
  }
  guard let expected = FileManager.default.contents(atPath: golden.path) else {
    Issue.record(
      "there is no \(golden.path); RECORD=1 writes it", sourceLocation: sourceLocation)
    return
  }
  #expect(
    String(decoding: found, as: UTF8.self) == String(decoding: expected, as: UTF8.self),
    "differs from \(golden.path)", sourceLocation: sourceLocation)
  #expect(found == expected, sourceLocation: sourceLocation)
}

/// The content of the file `Golden/NAME` beside the test's source.
public func golden(_ name: String, file: String = #filePath) throws -> [UInt8] {
  let golden = URL(fileURLWithPath: file).deletingLastPathComponent()
    .appendingPathComponent("Golden").appendingPathComponent(name)
  return Array(try Data(contentsOf: golden))
}
