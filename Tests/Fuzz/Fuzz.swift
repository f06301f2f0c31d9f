import Foundation
import Fuzzing

// What libFuzzer calls; see https://llvm.org/docs/LibFuzzer.html. `.ci/fuzz` builds and runs it.

private let subject = Subject(rawValue: ProcessInfo.processInfo.environment["FUZZ_SUBJECT"] ?? "")

/// Puts the samples into the directory that the environment names, where libFuzzer starts from.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_: UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?) -> CInt {
  guard let subject, let directory = ProcessInfo.processInfo.environment["FUZZ_CORPUS"] else {
    let names = Subject.allCases.map(\.rawValue).joined(separator: ", ")
    print("FUZZ_SUBJECT is one of \(names); FUZZ_CORPUS is a directory")
    exit(2)
  }
  for (number, sample) in (subject.samples + subject.words).enumerated() {
    try? Data(sample).write(to: URL(fileURLWithPath: "\(directory)/sample-\(number)"))
  }
  return 0
}

/// What libFuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func feed(_ octets: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  subject?.feed(Array(UnsafeBufferPointer(start: octets, count: count)))
  return 0
}
