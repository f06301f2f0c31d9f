public import Addresses
internal import CLinux
internal import Linux

/// One end of a veth pair to be made; see veth(4).
public struct VethEnd: Hashable, Sendable {
  /// 1…15 bytes.
  public var name: String
  /// Bytes, 68…65535; nil for 1500.
  public var mtu: UInt32?
  /// Nil for a random one.
  public var mac: MACAddress?
  /// `ip link set … group`; nil for 0.
  public var group: UInt32?
  /// How many queues it can have each way; nil for as many as the machine can have processors, of
  /// which one is in use. Each costs time when the pair is made and deleted.
  public var queues: UInt32?
  /// `ip link set … txqueuelen`: frames that may wait where a queueing discipline has no limit of
  /// its own; nil for 1000.
  public var queueLength: UInt32?

  /// An end named `name`.
  public init(
    _ name: String, mtu: UInt32? = nil, mac: MACAddress? = nil, group: UInt32? = nil,
    queues: UInt32? = nil, queueLength: UInt32? = nil
  ) {
    self.name = name
    self.mtu = mtu
    self.mac = mac
    self.group = group
    self.queues = queues
    self.queueLength = queueLength
  }

  func encode(into writer: inout AttributeWriter<LinkSpace>) {
    writer.put(.name, name)
    writer.put(.mtu, mtu)
    writer.put(.mac, mac)
    writer.put(.group, group)
    writer.put(.transmitQueues, queues)
    writer.put(.receiveQueues, queues)
    writer.put(.transmitQueueLength, queueLength)
  }
}

extension Batch {
  /// Makes a veth pair: `end` here, `peer` in the namespace open as `namespace`, which must stay
  /// open until the batch has run. If it is nil, both are made here.
  ///
  /// `run()` returns the link here; its `peerIndex` is the index of the other.
  /// `peer` is down: the kernel refuses to switch it on before the pair is joined. So `end`, if it
  /// `isUp`, has no carrier yet, and the kernel makes it no address of its own.
  public mutating func addVeth(
    _ end: VethEnd, peer: VethEnd, in namespace: CInt?, isUp: Bool = false
  ) {
    add(
      .addVeth(end.name, peer: peer.name), RTM_NEWLINK,
      flags: NLM_F_CREATE | NLM_F_EXCL | NLM_F_ECHO,
      LinkHeader(isUp: isUp ? true : nil).bytes
    ) { (writer: inout AttributeWriter<LinkSpace>) in
      end.encode(into: &writer)
      writer.nest(.info) {
        $0.put(.kind, "veth")
        $0.nest(.vethData) {
          $0.nest(.peer, header: LinkHeader().bytes) {
            peer.encode(into: &$0)
            $0.put(.namespaceDescriptor, namespace)
          }
        }
      }
    }
  }

  /// Changes a link; what is nil stays. An empty `alias` takes it away; it has at most 255 bytes.
  /// `mtu` is in bytes.
  public mutating func setLink(
    _ link: LinkReference, isUp: Bool? = nil, mtu: UInt32? = nil, mac: MACAddress? = nil,
    alias: String? = nil, group: UInt32? = nil
  ) {
    add(.setLink(link), RTM_SETLINK, link.header(isUp: isUp).bytes) {
      (writer: inout AttributeWriter<LinkSpace>) in
      writer.put(.name, link.name)
      writer.put(.mtu, mtu)
      writer.put(.mac, mac)
      writer.put(.alias, alias.map { Unterminated($0) })
      writer.put(.group, group)
    }
  }

  /// Has the link with `index` receive all frames, also those for others, or not.
  public mutating func setPromiscuous(_ index: Int32, _ isPromiscuous: Bool) {
    add(
      .setLink(.index(index)), RTM_SETLINK,
      LinkHeader(index: index, isPromiscuous: isPromiscuous).bytes
    ) { (_: inout AttributeWriter<LinkSpace>) in }
  }

  /// Gives the link with `index` another name of 1…15 bytes. The kernel finds no link to be
  /// renamed by its name.
  public mutating func renameLink(_ index: Int32, to name: String) {
    add(.renameLink(index, to: name), RTM_SETLINK, LinkHeader(index: index).bytes) {
      (writer: inout AttributeWriter<LinkSpace>) in
      writer.put(.name, name)
    }
  }

  /// Deletes a link, of a veth pair both ends. One that is not there is refused with `ENODEV`.
  public mutating func deleteLink(_ link: LinkReference) {
    add(.deleteLink(link), RTM_DELLINK, link.header().bytes) {
      (writer: inout AttributeWriter<LinkSpace>) in
      writer.put(.name, link.name)
    }
  }

  /// Puts the link with `index` into a link group (`ip link set … group`). One that is not there is
  /// as good.
  public mutating func moveLink(_ index: Int32, toGroup group: UInt32) {
    add(
      .setLink(.index(index)), RTM_SETLINK, LinkHeader(index: index).bytes,
      tolerating: .noSuchDevice
    ) { (writer: inout AttributeWriter<LinkSpace>) in
      writer.put(.group, group)
    }
  }

  /// Deletes all links of a link group, in the time that one takes: the kernel waits once until no
  /// processor uses any of them. No link at all is as good.
  public mutating func deleteLinks(inGroup group: UInt32) {
    add(
      .deleteLinks(inGroup: group), RTM_DELLINK, LinkHeader().bytes, tolerating: .noSuchDevice
    ) { (writer: inout AttributeWriter<LinkSpace>) in
      writer.put(.group, group)
    }
  }

  /// Reads a link, as it is when the requests before have been worked on. `run()` returns it.
  public mutating func readLink(_ link: LinkReference) {
    add(.readLink(link), RTM_GETLINK, link.header().bytes, isRead: true) {
      (writer: inout AttributeWriter<LinkSpace>) in
      writer.put(.name, link.name)
      writer.put(.filter, UInt32(RTEXT_FILTER_SKIP_STATS))
    }
  }
}

extension LinkReference {
  /// Nil if it is by index.
  var name: String? { if case .named(let name) = self { name } else { nil } }

  func header(isUp: Bool? = nil) -> LinkHeader {
    switch self {
    case .index(let index): LinkHeader(index: index, isUp: isUp)
    case .named: LinkHeader(isUp: isUp)
    }
  }
}
