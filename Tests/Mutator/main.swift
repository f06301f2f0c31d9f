import CLinux
import Foundation
import Fuzzing
import TestSupport

// mutator SUBJECT SECONDS SEED [FILE]: feeds a subject with samples that are changed at random, as
// the seed says. A subject that traps or hangs ends the program; FILE then has the input.

let words = CommandLine.arguments
guard words.count >= 4, let subject = Subject(rawValue: words[1]), let seconds = Double(words[2]),
  let seed = UInt64(words[3])
else {
  print("usage: mutator SUBJECT SECONDS SEED [FILE]")
  exit(2)
}
var generator = SeededGenerator(seed)
var corpus = subject.samples

/// A sample with some changes: octets set, taken out, doubled, or put in; two samples joined.
func mutated(_ corpus: [[UInt8]], _ generator: inout SeededGenerator, _ subject: Subject) -> [UInt8]
{
  var octets = corpus.randomElement(using: &generator) ?? []
  for _ in 0..<Int.random(in: 1...8, using: &generator) {
    let place = Int.random(in: 0...octets.count, using: &generator)
    let end = min(octets.count, place + Int.random(in: 0...16, using: &generator))
    switch Int.random(in: 0..<7, using: &generator) {
    case 0 where place < octets.count:
      octets[place] = UInt8.random(in: 0...255, using: &generator)
    case 1 where place < octets.count:
      octets[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
    case 2: octets.removeSubrange(place..<end)
    case 3: octets.insert(contentsOf: octets[place..<end], at: place)
    case 4:
      let other = corpus.randomElement(using: &generator) ?? []
      octets = octets[..<place] + other.suffix(Int.random(in: 0...64, using: &generator))
    default:
      octets.insert(contentsOf: subject.words.randomElement(using: &generator) ?? [], at: place)
    }
  }
  return Array(octets.prefix(16384))
}

let end = ContinuousClock.now + .seconds(seconds)
var count = 0
while ContinuousClock.now < end {
  let input = mutated(corpus, &generator, subject)
  if words.count > 4 { try Data(input).write(to: URL(fileURLWithPath: words[4])) }
  // A hang ends with SIGALRM.
  alarm(10)
  subject.feed(input)
  count += 1
  // What comes of changes is changed further.
  if count % 64 == 0 {
    if corpus.count > 256 { corpus = subject.samples }
    corpus.append(input)
  }
}
alarm(0)
// What getrusage(2) has is no less than what the process had that became this program by execve(2).
let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
let peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
let kibibytes = peak.flatMap { Int($0.split(whereSeparator: \.isWhitespace)[1]) }
guard let kibibytes else { fatalError("no VmHWM in /proc/self/status") }
print("\(count) \(kibibytes >> 10)")
