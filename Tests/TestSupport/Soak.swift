import Foundation

/// A line of figures, which `.ci/test` repeats at the end.
public func figures(_ line: String) { print("figures: \(line)") }

/// Whether this is the long run of `make soak`.
public let isSoak = ProcessInfo.processInfo.environment["PATCHBAY_SOAK"] != nil
