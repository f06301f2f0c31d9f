import Addresses
import Foundation
import Linux
import TestSupport

@testable import LeaseFiles

/// An index in memory.
func emptyIndex() throws -> LeaseIndex {
  var index = LeaseIndex(PageFile(nil, isWritable: false))
  try index.reset(key: Digest(first: 1, second: 2), boot: Digest(first: 3, second: 4))
  return index
}

func ip(_ text: String) -> IPAddress {
  guard let address = IPAddress(text) else { preconditionFailure("\(text) is no address") }
  return address
}
func range(_ first: String, _ last: String) -> IPRange {
  guard let range = IPRange(ip(first), ip(last)) else { preconditionFailure("\(first), \(last)") }
  return range
}
func holder(_ id: String, _ name: String? = "eth0") -> LeaseHolder {
  LeaseHolder(containerID: id, interfaceName: name)
}

/// A place for leases that goes away with the test.
final class Place {
  let temporary: TemporaryDirectory
  let location: LeaseLocation

  init() throws {
    temporary = try TemporaryDirectory()
    location = LeaseLocation(dataDirectory: temporary.path, network: "net")
  }

  func open(_ access: LeaseDirectory.Access = .leasing, reclaims: Bool = true) throws
    -> LeaseDirectory
  {
    guard
      let store = try LeaseDirectory.open(
        location, for: access, reclaims: reclaims, until: .after(.seconds(5)))
    else { throw CocoaError(.fileNoSuchFile) }
    return store
  }

  /// Writes a file as another program would.
  func write(_ name: String, _ content: String, age: TimeInterval = 10) throws {
    try temporary.write(content, to: "net/\(name)", mode: 0o600)
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -age)],
      ofItemAtPath: "\(location.path)/\(name)")
  }

  /// The files of the network's directory, but for the lock.
  var files: [String: String] {
    temporary.files().reduce(into: [:]) { files, file in
      if file.key.hasPrefix("net/"), file.key != "net/lock" {
        files[String(file.key.dropFirst(4))] = file.value
      }
    }
  }

  /// Whether the next to come needs no walk.
  func isIndexGood() throws -> Bool {
    let file = try FileDescriptor.open(location.privatePath + "/index")
    var index = LeaseIndex(PageFile(file, isWritable: false))
    return try index.isReadable()
      && index.stamp == (try FileStatus(path: location.path)).modified
  }

  /// Makes the index one of another boot.
  func reboot() throws {
    let file = try FileDescriptor.open(location.privatePath + "/index", .readWrite)
    var index = LeaseIndex(PageFile(file, isWritable: true))
    try index.setField(LeaseIndex.Field.boot, 0x1234)
    try index.pages.write()
  }
}
