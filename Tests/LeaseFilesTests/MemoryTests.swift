import Addresses
import Foundation
import Linux
import TestSupport
import Testing

@testable import LeaseFiles

@Suite("What is remembered") struct MemoryTests {
  @Test("is found again when lease, index and holder are gone")
  func again() throws {
    let place = try Place()
    do {
      var store = try place.open()
      _ = try store.lease(ip("10.0.0.2"), to: holder("a"), set: 0)
      try store.remember(ip("10.0.0.2"), for: "web-0")
      _ = try store.releaseAll(of: holder("a"))
      store.commit()
      #expect(try store.remembered(for: "web-0") == ip("10.0.0.2"))
      #expect(try store.remembered(for: "web-1") == nil)
    }
    for isIndexLost in [false, true] {
      if isIndexLost {
        try FileManager.default.removeItem(atPath: place.location.privatePath + "/index")
      }
      var store = try place.open()
      #expect(try store.remembered(for: "web-0") == ip("10.0.0.2"))
      let all = range("10.0.0.2", "10.0.0.3")
      #expect(try store.firstFree(in: all, leavingRemembered: true) == ip("10.0.0.3"))
      #expect(try store.firstFree(in: all, leavingRemembered: false) == ip("10.0.0.2"))
    }
  }

  @Test("is forgotten when another has the address, and stays forgotten")
  func forgotten() throws {
    let place = try Place()
    do {
      var store = try place.open()
      try store.remember(ip("10.0.0.2"), for: "web-0")
      try store.remember(ip("10.0.0.3"), for: "web-1")
      _ = try store.lease(ip("10.0.0.2"), to: holder("x"), set: 0)
      try store.remember(ip("10.0.0.2"), for: nil)
      _ = try store.lease(ip("10.0.0.3"), to: holder("y"), set: 0)
      try store.remember(ip("10.0.0.3"), for: "web-2")
      store.commit()
    }
    for isIndexLost in [false, true] {
      if isIndexLost {
        try FileManager.default.removeItem(atPath: place.location.privatePath + "/index")
      }
      var store = try place.open()
      #expect(try store.remembered(for: "web-0") == nil)
      #expect(try store.remembered(for: "web-1") == nil)
      #expect(try store.remembered(for: "web-2") == ip("10.0.0.3"))
    }
    var store = try place.open()
    _ = try store.releaseAll(of: holder("x"))
    _ = try store.releaseAll(of: holder("y"))
    let all = range("10.0.0.2", "10.0.0.3")
    #expect(try store.firstFree(in: all, leavingRemembered: true) == ip("10.0.0.2"))
    try store.remember(ip("10.0.0.9"), for: "web-2")
    #expect(try store.isFree(ip("10.0.0.3")))
    #expect(
      try store.firstFree(in: range("10.0.0.3", "10.0.0.3"), leavingRemembered: true) != nil)
  }

  @Test("of torn slots is none, and of the others stays")
  func torn() throws {
    let place = try Place()
    do {
      var store = try place.open()
      for number in 1...20 { try store.remember(ip("10.0.0.\(number)"), for: "pod-\(number)") }
      store.commit()
    }
    let path = place.location.privatePath
    let file = try FileDescriptor.open(path + "/memory", .readWrite)
    // Slot n is memory n; the first is slot 1.
    try file.write([0xff, 0xff], at: 64 * 7 + 20)
    try FileManager.default.removeItem(atPath: path + "/index")
    var store = try place.open()
    for number in 1...20 {
      let expected = number == 7 ? nil : ip("10.0.0.\(number)")
      #expect(try store.remembered(for: "pod-\(number)") == expected)
    }
  }
}
