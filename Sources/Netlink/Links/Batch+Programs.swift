internal import CLinux
internal import Linux

extension Batch {
  /// Has the driver of the link with `index` run an XDP program on every frame that the link
  /// receives. The program goes with the link.
  ///
  /// `program` is open, and stays so until the batch has run. Where there is a program already, the
  /// kernel refuses, unless it is the one that is open as `previous`: that is replaced at once.
  ///
  /// The generic mode is never used: the kernel runs no program of that mode on frames that the
  /// other end redirected (tc-mirred(8)).
  public mutating func attachProgram(
    _ program: CInt, replacing previous: CInt? = nil, to index: Int32
  ) {
    add(.attachProgram(index), RTM_SETLINK, LinkHeader(index: index).bytes) {
      (writer: inout AttributeWriter<LinkSpace>) in
      writer.nest(.xdp) {
        $0.put(.descriptor, program)
        let condition = previous == nil ? XDP_FLAGS_UPDATE_IF_NOEXIST : XDP_FLAGS_REPLACE
        $0.put(.flags, UInt32(XDP_FLAGS_DRV_MODE) | UInt32(condition))
        $0.put(.expected, previous)
      }
    }
  }
}

extension RouteSocket {
  /// How many frames an XDP program has dropped that the link named `name`, an end of a veth pair
  /// with one queue, received.
  public func droppedByProgram(_ name: String) throws(RouteError) -> UInt64 {
    do { return try socket.descriptor.ethtoolCounter("rx_queue_0_xdp_drops", of: name) } catch {
      throw .refused(.readLink(.named(name)), error.errno, words: nil)
    }
  }
}
