import Linux
import Testing

@Suite("Clocks and deadlines")
struct DeadlineTests {
  @Test("a deadline passes when its time has come, and not before")
  func passing() {
    let deadline = Deadline.after(.milliseconds(30))
    #expect(!deadline.hasPassed)
    #expect(deadline.remaining > .zero && deadline.remaining <= .milliseconds(30))
    Clock.sleep(.milliseconds(31))
    #expect(deadline.hasPassed)
    #expect(deadline.remaining == .zero)
    #expect(Deadline.after(.zero).hasPassed)
    #expect(Deadline.after(.seconds(-5)).hasPassed)
  }

  @Test("the earlier deadline is less, and advancing moves it")
  func order() {
    let deadline = Deadline.after(.seconds(1))
    #expect(deadline < deadline.advanced(by: .nanoseconds(1)))
    #expect(deadline.advanced(by: .seconds(-1)) < deadline)
  }

  @Test(
    "a very long time is never, and not long ago",
    arguments: [Duration.seconds(Int64.max), .nanoseconds(Int64.max), .seconds(1 << 40)])
  func overflow(duration: Duration) {
    let deadline = Deadline.after(duration)
    #expect(!deadline.hasPassed)
    #expect(deadline.remaining > .seconds(1_000_000))
    #expect(!deadline.advanced(by: duration).hasPassed)
    #expect(Deadline.after(.zero - duration).hasPassed)
  }

  @Test("waiting for nothing ends at the deadline, not before and not long after")
  func waiting() throws {
    let deadline = Deadline.after(.milliseconds(20))
    let begin = Clock.monotonic
    #expect(try wait(for: [], until: deadline) == nil)
    #expect(deadline.hasPassed)
    #expect(Clock.monotonic - begin < .seconds(2))
  }

  @Test(
    "durations in nanoseconds, those that do not fit the next that does",
    arguments: [
      (Duration.seconds(2) + .nanoseconds(5), Int64(2_000_000_005)),
      (.zero, 0), (.seconds(-1), -1_000_000_000),
      (.seconds(Int64.max), Int64.max), (.seconds(Int64.min), Int64.min),
      (.seconds(9_223_372_036) + .nanoseconds(999_999_999), Int64.max),
      (.seconds(-9_223_372_036) - .nanoseconds(999_999_999), Int64.min),
    ])
  func nanoseconds(duration: Duration, expected: Int64) {
    #expect(duration.nanoseconds == expected)
  }

  @Test(
    "moments are written as RFC 3339 writes them",
    arguments: [
      (0, "1970-01-01T00:00:00.000Z"),
      (951_782_399_999, "2000-02-28T23:59:59.999Z"),
      (951_782_400_000, "2000-02-29T00:00:00.000Z"),
      (951_868_800_007, "2000-03-01T00:00:00.007Z"),
      (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
      (4_107_542_399_000, "2100-02-28T23:59:59.000Z"),
      (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
      (1_795_465_741_123, "2026-11-23T20:29:01.123Z"),
    ])
  func timestamps(milliseconds: Int64, expected: String) {
    #expect(Clock.timestamp(milliseconds: milliseconds) == expected)
  }

  @Test("the clocks advance")
  func clocks() {
    #expect(Clock.sinceBoot > .zero)
    #expect(Clock.secondsSinceEpoch > 1_700_000_000)
    let (first, second) = (Clock.monotonic, Clock.monotonic)
    #expect(first <= second)
    #expect(Clock.timestamp.utf8.count == 24)
  }
}
