internal import CLinux
internal import Linux

extension RouteSocket {
  /// Whether the link named `name` leaves TX checksums to the hardware, or, of a veth pair, to
  /// neither end. See `ethtool -k`, "tx-checksumming".
  public func hasTransmitChecksumOffload(_ name: String) throws(RouteError) -> Bool {
    let request = RouteRequest.readChecksumOffload(name)
    do { return try socket.descriptor.ethtool(UInt32(ETHTOOL_GTXCSUM), name) != 0 } catch {
      throw .refused(request, error.errno, words: nil)
    }
  }

  /// Switches it, and with it off all segmentation offload that depends on it.
  ///
  /// A datapath in userspace hands on what it is given. Packets of a veth pair whose checksums
  /// no end has written arrive there with wrong ones: TCP stalls while ping works.
  public func setTransmitChecksumOffload(_ isOn: Bool, of name: String) throws(RouteError) {
    let request = RouteRequest.setChecksumOffload(name, isOn)
    do { _ = try socket.descriptor.ethtool(UInt32(ETHTOOL_STXCSUM), name, isOn ? 1 : 0) } catch {
      throw .refused(request, error.errno, words: nil)
    }
  }
}
