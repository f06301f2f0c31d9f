extension IPPrefix {
  /// The address alone: with the whole length of its family.
  public init(single address: IPAddress) {
    self.address = address
    length = address.family.bits
  }
}

extension IPAddress {
  /// The link-local address of IPv6 that an interface makes of its own: RFC 4291, appendix A.
  public static func linkLocal(of mac: MACAddress) -> IPAddress {
    var value: UInt128 = 0xfe80
    for (position, byte) in ([0, 0, 0, 0, 0, 0] + mac.bytes).enumerated() {
      value = value << 8 | UInt128(position == 6 ? byte ^ 2 : byte)
      if position == 8 { value = value << 16 | 0xfffe }
    }
    return IPAddress(sixteen: value)
  }

  /// fe80::, the network of all link-local addresses of IPv6.
  public static let linkLocalNetwork = IPAddress(sixteen: 0xfe80 << 112)

  private init(sixteen value: UInt128) {
    family = .v6
    self.value = value
  }
}
