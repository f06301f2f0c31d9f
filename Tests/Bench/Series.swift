import JSON

/// The same, measured again and again.
struct Series {
  /// In the order in which they were taken, in the unit of the row.
  private(set) var samples: [Double] = []

  mutating func add(_ run: Program.Run) { samples.append(run.milliseconds) }
  mutating func add(_ value: Double) { samples.append(value) }

  /// The value that this share of the samples does not exceed; 0 without samples.
  func quantile(_ share: Double) -> Double {
    let sorted = samples.sorted()
    guard let last = sorted.last else { return 0 }
    let position = share * Double(sorted.count - 1)
    let index = Int(position)
    guard index + 1 < sorted.count else { return last }
    return sorted[index] + (sorted[index + 1] - sorted[index]) * (position - Double(index))
  }
  var median: Double { quantile(0.5) }
  /// The mean without the highest and the lowest tenth; 0 without samples.
  var middleMean: Double {
    let out = samples.count / 10
    let middle = samples.sorted().dropFirst(out).dropLast(out)
    return middle.isEmpty ? 0 : middle.reduce(0, +) / Double(middle.count)
  }

  var json: JSONValue {
    .object([
      ("median", .real(median)), ("lowerQuartile", .real(quantile(0.25))),
      ("upperQuartile", .real(quantile(0.75))),
      ("samples", .array(samples.map { .real($0) })),
    ])
  }
}

/// Two things that are compared, measured by turns, so that a busy machine is so for both.
struct Comparison {
  var ours = Series()
  var other = Series()

  var ratio: Double { other.median > 0 ? ours.median / other.median : 0 }

  /// Runs both `count` times, by turns; each closure measures and puts back what it changed.
  mutating func measure(
    _ count: Int, _ ours: () throws -> Program.Run, _ other: () throws -> Program.Run
  ) throws {
    for index in 0..<count {
      // The second one finds the caches warm.
      if index.isMultiple(of: 2) {
        self.ours.add(try ours())
        self.other.add(try other())
      } else {
        self.other.add(try other())
        self.ours.add(try ours())
      }
    }
  }
}
