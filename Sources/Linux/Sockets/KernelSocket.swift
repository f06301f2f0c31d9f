internal import CLinux

// What is said to the kernel through sockets: netlink(7), ioctl(2).

extension FileDescriptor {
  /// Receives what is there: one datagram of a netlink socket, and the port it came from, which is
  /// 0 for the kernel. Nil when there is none yet. One of more than `limit` bytes, or of more than
  /// 64 KiB, is `EMSGSIZE`.
  public borrowing func receiveNetlink(limit: Int = 64 << 10) throws(SystemError)
    -> (bytes: [UInt8], sender: UInt32)?
  {
    let descriptor = rawValue
    var sender: UInt32 = 0
    let (bytes, count) = unsafe received(limit) {
      unsafe clinux_receive_netlink(descriptor, $0, $1, &sender)
    }
    if count == -Int(EAGAIN) { return nil }
    _ = try check(count > bytes.count ? -Int(EMSGSIZE) : count, "recvfrom", "socket")
    return (bytes, sender)
  }

  /// Gives `command` of `linux/ethtool.h` the number `value` for the link named `link`, of the
  /// namespace of this socket, and returns the number that the kernel gives back.
  public borrowing func ethtool(_ command: UInt32, _ link: String, _ value: UInt32 = 0)
    throws(SystemError) -> UInt32
  {
    var number = value
    let descriptor = rawValue
    _ = try check(
      unsafe clinux_ethtool_value(descriptor, link, command, &number), "ioctl(SIOCETHTOOL)", link)
    return number
  }

  /// The counter `name` that the driver of the link named `link` keeps, of the namespace of this
  /// socket: what `ethtool -S` shows. `ENOENT` where it keeps none of that name.
  public borrowing func ethtoolCounter(_ name: String, of link: String) throws(SystemError)
    -> UInt64
  {
    var value: UInt64 = 0
    _ = try check(
      unsafe clinux_ethtool_counter(rawValue, link, name, &value), "ioctl(SIOCETHTOOL)", link)
    return value
  }
}
