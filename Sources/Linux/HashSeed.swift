#if hasFeature(Embedded)
  internal import CLinux

  /// Where Embedded Swift takes the seed of its hash tables from; see arc4random(3).
  ///
  /// glibc's asks getrandom(2), and ends the process where that fails. The kernel has given each
  /// program 16 random bytes anyway; see getauxval(3), `AT_RANDOM`.
  @_cdecl("arc4random_buf")
  func arc4random_buf(_ buffer: UnsafeMutableRawPointer, _ count: Int) {
    for position in 0..<count {
      let octet = clinux_random_octet(UInt32(truncatingIfNeeded: position))
      unsafe buffer.storeBytes(of: octet, toByteOffset: position, as: UInt8.self)
    }
  }
#endif
