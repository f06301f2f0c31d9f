import Addresses
import ArgumentParser
import OVSDB

/// Where a member of a cluster listens for the others: `tcp:IP:PORT` or `ssl:IP:PORT`.
///
/// The member keeps it for good, and all others connect to it.
struct MemberAddress: Hashable {
  /// As `ovsdb-tool` takes it.
  let text: String

  /// Throws what is legal.
  init(_ argument: String) throws {
    let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    // Not even a standard port may be left out.
    guard parts.count == 2, ["tcp", "ssl"].contains(parts[0]),
      let last = parts[1].split(separator: ":", omittingEmptySubsequences: false).last,
      UInt16(last) != nil,
      case .tcp(let address, let port)? = try? Endpoint("tcp:\(parts[1])")
    else {
      throw ValidationError("write tcp:IP:PORT or ssl:IP:PORT, an IPv6 address in brackets")
    }
    text = "\(parts[0]):" + (address.isIPv6 ? "[\(address)]" : "\(address)") + ":\(port)"
  }
}
