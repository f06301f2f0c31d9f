internal import Linux

/// The machine's present boot.
enum Boot {
  /// The kernel's random ID of this boot; `.none` where it cannot be read. See random(4).
  static func identifier() -> Digest {
    guard let text = try? FileDescriptor.open("/proc/sys/kernel/random/boot_id").read(limit: 64)
    else { return .none }
    let digits = text.filter { $0 != UInt8(ascii: "-") && $0 > 0x20 }.prefix(32)
    guard digits.count == 32,
      let first = UInt64(String(decoding: digits.prefix(16), as: UTF8.self), radix: 16),
      let second = UInt64(String(decoding: digits.suffix(16), as: UTF8.self), radix: 16)
    else { return .none }
    return Digest(first: first, second: second)
  }

  /// When it began, by the clock as it goes now: nanoseconds since 1970-01-01T00:00:00Z.
  static var moment: Int64 { Clock.nanosecondsSinceEpoch - Clock.sinceBoot.nanoseconds }

  /// A key that cannot be known before.
  static func randomKey() -> Digest {
    let text = try? FileDescriptor.open("/proc/sys/kernel/random/uuid").read(limit: 64)
    let salt = Array("\(Process.identifier) \(Clock.nanosecondsSinceEpoch)".utf8)
    return SipHash.digest((text ?? []) + salt, key: .none)
  }
}

/// When this boot began, as the first of our programs in it saw it.
///
/// The clock may be set later, and a virtual machine that was paused finds its clock ahead of its
/// running time. Then the boot seems to have begun later than it did, and leases made in it, older
/// than it. So the earliest answer counts.
struct BootRecord {
  let identifier: Digest
  let moment: Int64

  /// The record of the boot `identifier`, which began now or earlier.
  init(identifier: Digest, earlier: BootRecord?) {
    self.identifier = identifier
    moment =
      if let earlier, earlier.identifier == identifier { min(earlier.moment, Boot.moment) } else {
        Boot.moment
      }
  }

  /// What `text` says.
  init?(_ bytes: [UInt8]) {
    let words = bytes.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
    guard words.count == 4, words[3] == "end", let first = UInt64(words[0], radix: 16),
      let second = UInt64(words[1], radix: 16), let moment = Int64(words[2])
    else { return nil }
    identifier = Digest(first: first, second: second)
    self.moment = moment
  }

  var bytes: [UInt8] {
    let digits = [identifier.first, identifier.second].map { String($0, radix: 16) }
    return Array("\(digits[0]) \(digits[1]) \(moment) end".utf8)
  }
}
