import Linux
import Testing

@Suite("Error numbers")
struct ErrnoTests {
  @Test(
    "an error number has the name and the words of the C library",
    arguments: [
      (Errno.noSuchFileOrDirectory, "ENOENT (No such file or directory)"),
      (.wouldBlock, "EAGAIN (Resource temporarily unavailable)"),
      (.connectionRefused, "ECONNREFUSED (Connection refused)"),
      (Errno(rawValue: 9999), "errno 9999 (unknown error)"),
      (Errno(rawValue: -1), "errno -1 (unknown error)"),
    ])
  func text(error: Errno, expected: String) { #expect(error.description == expected) }

  @Test("a system error says which call, on what, and why not")
  func systemError() {
    #expect(throws: SystemError("open", "/no/such", .noSuchFileOrDirectory)) {
      _ = try FileDescriptor.open("/no/such")
    }
    #expect(
      SystemError("open", "/no/such", .noSuchFileOrDirectory).description
        == "open(/no/such): ENOENT (No such file or directory)")
  }
}
