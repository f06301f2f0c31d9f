public import Addresses
internal import CLinux
public import Linux

/// A set or map of the packet filter, as far as its keys go.
public struct FilterSet: Hashable, Sendable {
  /// What a part of a key is: the numbers that nft(8) keeps with a set, `enum datatypes` of its
  /// source, by which it also shows the elements.
  public enum Field: UInt32, Hashable, Sendable {
    /// `ipv4_addr`
    case ipv4Address = 7
    /// `ipv6_addr`
    case ipv6Address = 8
    /// `inet_proto`
    case transport = 12
    /// `inet_service`
    case port = 13
    /// `ifname`
    case linkName = 41

    /// Bytes.
    var size: Int {
      switch self {
      case .ipv4Address: 4
      case .ipv6Address, .linkName: 16
      case .transport: 1
      case .port: 2
      }
    }
  }

  /// A part of a key.
  public enum Value: Hashable, Sendable {
    case address(IPAddress)
    /// Of a protocol or a port.
    case number(UInt16)
    /// The name of a link.
    case name(String)
  }

  /// The parts of a key, in their order.
  public let fields: [Field]

  /// A set with such keys.
  public init(_ fields: [Field]) { self.fields = fields }

  /// Nil for keys with other parts than these.
  ///
  /// - Parameters:
  ///   - type: `NFTA_SET_KEY_TYPE`: six bits a part, the last part in the lowest.
  ///   - length: `NFTA_SET_KEY_LEN`. Bytes.
  init?(type: UInt32, length: UInt32) {
    var fields: [Field] = []
    var rest = type
    while rest != 0 {
      guard let field = Field(rawValue: rest & 0x3f) else { return nil }
      fields.insert(field, at: 0)
      rest >>= 6
    }
    self.fields = fields
    guard !fields.isEmpty, Int(length) == self.length else { return nil }
  }

  /// Of a key, in bytes: each of several parts takes whole words of four.
  private var length: Int {
    fields.count == 1
      ? fields[0].size : fields.reduce(0) { $0 + (($1.size + 3) & ~3) }
  }

  /// The key with these parts; nil if one of them is not what it has to be.
  public func key(_ values: [Value]) -> [UInt8]? {
    guard values.count == fields.count else { return nil }
    var key: [UInt8] = []
    for (field, value) in zip(fields, values) {
      switch (field, value) {
      case (.ipv4Address, .address(let address)) where !address.isIPv6: key += address.bytes
      case (.ipv6Address, .address(let address)) where address.isIPv6: key += address.bytes
      case (.transport, .number(let number)) where number <= 0xff:
        key.append(UInt8(truncatingIfNeeded: number))
      case (.port, .number(let number)): BigEndian(number).encode(into: &key)
      case (.linkName, .name(let name)) where (1..<field.size).contains(name.utf8.count):
        key += name.utf8
        key += [UInt8](repeating: 0, count: field.size - name.utf8.count)
      default: return nil
      }
      if fields.count > 1 { key.align() }
    }
    return key
  }
}

extension NetfilterSocket {
  /// The set or map `name` of a table of the family `inet`; nil where there is none, or its keys
  /// have other parts than those of `FilterSet.Field`.
  public func set(_ name: String, table: String, until deadline: Deadline) throws(FilterError)
    -> FilterSet?
  {
    let messages = FilterMessages(table: FilterTable(.inet, table, []))
    let request = FilterRequest.readSet(name, table: table)
    let found = try object(
      request, messages.readSet(name), FilterMessages.setType, until: deadline)
    guard let found else { return nil }
    do throws(NetlinkError) {
      let attributes = try Attributes<FilterSetSpace>(found)
      return FilterSet(
        type: try attributes[.keyType]?.value ?? 0, length: try attributes[.keyLength]?.value ?? 0)
    } catch { throw .malformed(request, error) }
  }
}

extension FilterMessages {
  static let setType = FilterMessage(NFT_MSG_NEWSET, 0, []).type

  /// Asks for a set.
  fileprivate func readSet(_ name: String) -> FilterMessage {
    var writer = AttributeWriter<FilterSetSpace>(header)
    writer.put(.table, table.name)
    writer.put(.name, name)
    return FilterMessage(NFT_MSG_GETSET, 0, writer.bytes)
  }
}
