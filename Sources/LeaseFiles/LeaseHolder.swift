/// Who holds a lease, as the lease's file says.
public struct LeaseHolder: Hashable, Sendable, CustomStringConvertible {
  /// `CNI_CONTAINERID`
  public let containerID: String
  /// `CNI_IFNAME`; nil in a file of an early version of the reference plugin, which named the
  /// container alone.
  public let interfaceName: String?

  /// The attachment of `containerID` by `interfaceName`.
  public init(containerID: String, interfaceName: String?) {
    self.containerID = containerID
    self.interfaceName = interfaceName
  }

  /// Bytes that the content of a lease may have.
  static let sizeLimit = 4096

  /// The holder that the file's content names; nil where it names none: it is empty, or torn, or
  /// something else.
  init?(content: [UInt8]) {
    guard content.count <= Self.sizeLimit else { return nil }
    let text = content.drop(while: Self.isSpace).reversed().drop(while: Self.isSpace).reversed()
    let lines = text.split(
      separator: UInt8(ascii: "\n"), maxSplits: 1, omittingEmptySubsequences: false)
    var words = lines.map { Array($0) }
    if words.count == 2, words[0].last == UInt8(ascii: "\r") { words[0].removeLast() }
    let isLegal = words.allSatisfy { word in
      !word.isEmpty && word.allSatisfy { $0 > 0x20 && $0 != 0x7f }
    }
    guard isLegal, let first = words.first else { return nil }
    containerID = String(decoding: first, as: UTF8.self)
    interfaceName = words.count == 2 ? String(decoding: words[1], as: UTF8.self) : nil
  }

  private static func isSpace(_ octet: UInt8) -> Bool {
    octet == 0x20 || (0x09...0x0d).contains(octet)
  }

  /// Whether content that names no holder is what a crash leaves. All else a program wrote that
  /// meant it, such as a note that the address is taken.
  static func isTorn(_ content: [UInt8]) -> Bool {
    content.count <= sizeLimit && (content.contains(0) || content.allSatisfy(isSpace))
  }

  /// As the reference plugin writes it.
  var content: [UInt8] {
    Array(containerID.utf8) + (interfaceName.map { [0x0d, 0x0a] + Array($0.utf8) } ?? [])
  }

  /// Whether a lease of this holder is one of `other`, which names its interface.
  public func covers(_ other: LeaseHolder) -> Bool {
    containerID == other.containerID
      && (interfaceName == nil || interfaceName == other.interfaceName)
  }

  /// `container c1, interface eth0`
  public var description: String {
    "container \(containerID)" + (interfaceName.map { ", interface \($0)" } ?? "")
  }
}
