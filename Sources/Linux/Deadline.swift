internal import CLinux

/// A moment on the monotonic clock until which one is willing to wait.
public struct Deadline: Hashable, Sendable, Comparable {
  /// Nanoseconds of `CLOCK_MONOTONIC`; see clock_gettime(2).
  let nanoseconds: Int64

  /// The moment that lies `duration` ahead; for very long ones, the end of time.
  public static func after(_ duration: Duration) -> Deadline {
    Deadline(nanoseconds: clinux_clock_monotonic()).advanced(by: duration)
  }
  /// The moment that lies `duration` after this one; for very long ones, the end of time.
  public func advanced(by duration: Duration) -> Deadline {
    let (sum, overflow) = nanoseconds.addingReportingOverflow(duration.nanoseconds)
    return Deadline(nanoseconds: overflow ? (duration < .zero ? .min : .max) : sum)
  }

  /// How long it still is; zero when it has passed.
  public var remaining: Duration {
    .nanoseconds(nanosecondsLeft)
  }
  /// Whether it has passed.
  public var hasPassed: Bool { nanoseconds <= clinux_clock_monotonic() }

  /// What is left for poll(2), rounded up, so that a wait never ends before the deadline.
  var pollTimeout: CInt {
    let (milliseconds, rest) = nanosecondsLeft.quotientAndRemainder(dividingBy: 1_000_000)
    return CInt(clamping: milliseconds + (rest > 0 ? 1 : 0))
  }

  private var nanosecondsLeft: Int64 {
    let now = clinux_clock_monotonic()
    return nanoseconds > now ? nanoseconds - now : 0
  }

  /// The earlier one is less.
  public static func < (left: Deadline, right: Deadline) -> Bool {
    left.nanoseconds < right.nanoseconds
  }
}

extension Duration {
  /// Whole nanoseconds, at most about 292 years.
  public var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    if overflow { return seconds < 0 ? .min : .max }
    let (sum, carried) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
    return carried ? (seconds < 0 ? .min : .max) : sum
  }
}

/// The clocks of this machine; see clock_gettime(2).
public enum Clock {
  /// Time since the machine started, sleep included, from `CLOCK_BOOTTIME`.
  public static var sinceBoot: Duration { .nanoseconds(clinux_clock_boot()) }
  /// Nanoseconds since 1970-01-01T00:00:00Z.
  public static var nanosecondsSinceEpoch: Int64 { clinux_clock_real() }
  /// Seconds since 1970-01-01T00:00:00Z.
  public static var secondsSinceEpoch: Int64 { clinux_clock_real() / 1_000_000_000 }
  /// Time since an arbitrary moment, from `CLOCK_MONOTONIC`.
  public static var monotonic: Duration { .nanoseconds(clinux_clock_monotonic()) }

  /// The present moment in Coordinated Universal Time, as `2026-11-23T20:29:01.123Z` (RFC 3339).
  public static var timestamp: String { timestamp(milliseconds: clinux_clock_real() / 1_000_000) }

  /// The moment `milliseconds` after 1970-01-01T00:00:00Z, as RFC 3339 writes it.
  public static func timestamp(milliseconds: Int64) -> String {
    func digits(_ value: Int64, _ width: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
    let seconds = milliseconds / 1000
    let (year, month, day) = date(daysSinceEpoch: seconds / 86_400)
    let date = "\(digits(year, 4))-\(digits(month, 2))-\(digits(day, 2))"
    let time = [seconds / 3600 % 24, seconds / 60 % 60, seconds % 60].map { digits($0, 2) }
    return "\(date)T\(time.joined(separator: ":")).\(digits(milliseconds % 1000, 3))Z"
  }

  /// The Gregorian date `days` after 1970-01-01.
  private static func date(daysSinceEpoch days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    // Counted from 0000-03-01, so that the leap day is the last of its year; an era is 400 years.
    let shifted = days + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }

  /// Does nothing for `duration`.
  public static func sleep(_ duration: Duration) { clinux_sleep(max(0, duration.nanoseconds)) }
}
