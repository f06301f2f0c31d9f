#if hasFeature(Embedded)
  internal import CLinux

  /// Where Embedded Swift has the memory of its objects from; see posix_memalign(3).
  ///
  /// glibc's goes a long way to what malloc(3) gives anyway: memory aligned for any type of C.
  @_cdecl("posix_memalign")
  func posix_memalign(
    _ result: UnsafeMutablePointer<UnsafeMutableRawPointer?>, _ alignment: Int, _ size: Int
  ) -> CInt {
    unsafe result.pointee =
      alignment <= 16 ? CLinux::malloc(size) : CLinux::aligned_alloc(alignment, size)
    return unsafe result.pointee == nil ? ENOMEM : 0
  }
#endif
