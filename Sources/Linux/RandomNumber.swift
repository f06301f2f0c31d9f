internal import CLinux

/// 64 random bits, by getrandom(2).
public func randomNumber() throws(SystemError) -> UInt64 {
  var number: UInt64 = 0
  _ = try check(unsafe clinux_random_number(&number), "getrandom", "8 bytes")
  return number
}
