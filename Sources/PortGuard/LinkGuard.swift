internal import Addresses
internal import BPF
public import Linux
public import Netlink

/// What enforces a policy.
public enum GuardMechanism: String, Hashable, Sendable {
  /// A program that the driver of the link runs on each frame.
  case xdp
  /// A table of nftables, whose chain is at the ingress of the link.
  case nftables

  /// What comes before the datapath, and cannot be passed by.
  ///
  /// - Parameters:
  ///   - isUserspace: ovs-vswitchd itself is the datapath: it takes frames by a socket of
  ///     packet(7), before any chain. The kernel's datapath takes them behind the chains of
  ///     nftables.
  ///   - isOffloaded: The kernel's datapath puts its flows into tc(8), which again comes before any
  ///     chain: `other_config:hw-offload` of ovs-vswitchd.conf.db(5).
  public init(isUserspace: Bool, isOffloaded: Bool) {
    self = isUserspace || isOffloaded ? .xdp : .nftables
  }

  /// Throws where this host cannot have it. Changes nothing.
  public func test(until deadline: Deadline) throws(GuardError) {
    // Any will do.
    guard let mac = MACAddress(bytes: [2, 0, 0, 0, 0, 1]) else { return }
    let policy = GuardPolicy(.full, [.init(mac, [.linkLocal(of: mac)])])
    switch self {
    // A short one: the kernel is asked whether it takes any.
    case .xdp: _ = try KernelProgram(GuardPolicy(.mac, [.init(mac, [])]))
    case .nftables:
      do throws(FilterError) {
        let table = FrameRules.table(LinkGuard.prefix, comment: nil, device: "", for: policy)
        try NetfilterSocket().test(table, until: deadline)
      } catch { throw .netfilter(error) }
    }
  }
}

/// The guard of one link: of the host end of an attachment. A program goes with the link; a table
/// stays, and has to be removed.
public struct LinkGuard: Hashable, Sendable {
  /// What enforces the policy.
  public let mechanism: GuardMechanism
  /// The name of the link.
  public let link: String
  /// Whose it is, as the table says.
  public let comment: String?

  /// The guard of the link named `link`.
  public init(_ mechanism: GuardMechanism, of link: String, comment: String? = nil) {
    self.mechanism = mechanism
    self.link = link
    self.comment = comment
  }

  /// How the names of all tables begin.
  static let prefix = "patchbay-guard-"

  /// The name of the table, which has the name of the link in it.
  public static func tableName(of link: String) -> String { prefix + link }

  private func table(_ policy: GuardPolicy) -> FilterTable {
    FrameRules.table(Self.tableName(of: link), comment: comment, device: link, for: policy)
  }

  /// A policy with all that can be made of it before there is the link.
  public enum Ready: ~Copyable {
    /// The kernel has taken the program.
    case xdp(KernelProgram)
    /// The kernel takes rules with their link only.
    case nftables(GuardPolicy)
  }

  /// Makes `policy` ready to be enforced. That is most of the work for a program, of which the
  /// kernel follows every way.
  public func ready(_ policy: GuardPolicy) throws(GuardError) -> Ready {
    switch mechanism {
    case .xdp: .xdp(try KernelProgram(policy))
    case .nftables: .nftables(policy)
    }
  }

  /// Enforces a policy on the link from now on. One that is enforced already is replaced at once:
  /// at no time is there none.
  ///
  /// - Parameters:
  ///   - index: That of the link.
  ///   - socket: In the namespace of the link and of this process.
  public func enforce(
    _ ready: borrowing Ready, on index: Int32, _ socket: RouteSocket, until deadline: Deadline
  ) throws(GuardError) {
    switch ready {
    case .xdp(let program): try attach(program, to: index, socket, until: deadline)
    case .nftables(let policy):
      do throws(FilterError) {
        try NetfilterSocket().replace([table(policy)], until: deadline)
      } catch { throw .netfilter(error) }
    }
  }

  /// Makes `policy` ready and enforces it.
  public func enforce(
    _ policy: GuardPolicy, on index: Int32, _ socket: RouteSocket, until deadline: Deadline
  ) throws(GuardError) {
    try enforce(ready(policy), on: index, socket, until: deadline)
  }

  private func attach(
    _ program: borrowing KernelProgram, to index: Int32, _ socket: RouteSocket,
    until deadline: Deadline
  ) throws(GuardError) {
    let descriptor = program.fileDescriptor
    let present: UInt32?
    do { present = try socket.link(.index(index), until: deadline).program } catch {
      throw .route(error)
    }
    guard let present else {
      do throws(RouteError) {
        try socket.request(until: deadline) { $0.attachProgram(descriptor, to: index) }
      } catch { throw .route(error) }
      return
    }
    let previous = try KernelProgram(attachedAs: present)
    let replaced = previous.fileDescriptor
    do throws(RouteError) {
      try socket.request(until: deadline) {
        $0.attachProgram(descriptor, replacing: replaced, to: index)
      }
    } catch { throw .route(error) }
    // It is open until the kernel has compared it.
    _ = previous.fileDescriptor
  }

  /// What is not as `enforce` made it; nil if all is. `link` is as the kernel reports it.
  public func deviation(_ policy: GuardPolicy, _ link: Link, until deadline: Deadline)
    throws(GuardError) -> String?
  {
    switch mechanism {
    case .xdp:
      guard let number = link.program else {
        return "link \"\(link.name)\" has no XDP program, and should have the guard's"
      }
      let wanted = try KernelProgram(policy).identityOfProgram()
      let present = try KernelProgram(attachedAs: number).identityOfProgram()
      guard present.tag != wanted.tag else { return nil }
      return "link \"\(link.name)\" has the XDP program \(number), which is not the guard's"
    case .nftables:
      do throws(FilterError) {
        let found = try NetfilterSocket().deviation(of: [table(policy)], until: deadline)
        return found.map { "the guard of link \"\(self.link)\" in nftables: \($0)" }
      } catch { throw .netfilter(error) }
    }
  }

  /// How many frames it has dropped; nil if there is no guard of this kind.
  public func dropped(_ socket: RouteSocket, until deadline: Deadline) throws(GuardError) -> UInt64?
  {
    switch mechanism {
    case .xdp:
      do { return try socket.droppedByProgram(link) } catch { throw .route(error) }
    case .nftables:
      do throws(FilterError) {
        return try NetfilterSocket().packets(.netdev, Self.tableName(of: link), until: deadline)
      } catch { throw .netfilter(error) }
    }
  }

  // MARK: - Removing

  /// Removes the table of the link named `link`, whether or not the link is there; false if there
  /// is none, or its comment is another one. A program needs no removal.
  @discardableResult
  public static func remove(of link: String, comment: String, until deadline: Deadline)
    throws(GuardError) -> Bool
  {
    do throws(FilterError) {
      let socket = try NetfilterSocket()
      let name = tableName(of: link)
      guard try socket.table(.netdev, name, until: deadline)?.comment == comment else {
        return false
      }
      return try socket.delete(.netdev, name, until: deadline)
    } catch {
      // A kernel without nftables has no table.
      if error.isUnsupported { return false }
      throw .netfilter(error)
    }
  }

  /// The guards that are tables, with their comments.
  public static func tables(until deadline: Deadline) throws(GuardError) -> [LinkGuard] {
    do throws(FilterError) {
      return try NetfilterSocket().tables(.netdev, until: deadline).compactMap { table in
        guard table.name.hasPrefix(prefix) else { return nil }
        return LinkGuard(
          .nftables, of: String(table.name.dropFirst(prefix.count)), comment: table.comment)
      }
    } catch {
      if error.isUnsupported { return [] }
      throw .netfilter(error)
    }
  }
}

extension KernelProgram {
  /// Loads the program of `policy`.
  init(_ policy: GuardPolicy) throws(GuardError) {
    let instructions: [Instruction]
    do { instructions = try FrameProgram.instructions(for: policy) } catch {
      throw .tooLarge(error.description)
    }
    do {
      self = try KernelProgram(xdp: instructions.map { $0.word }, named: FrameProgram.name)
    } catch { throw .program(error) }
  }

  /// Opens the program that a link runs.
  fileprivate init(attachedAs number: UInt32) throws(GuardError) {
    do { self = try KernelProgram(number: number) } catch { throw .program(error) }
  }

  fileprivate consuming func identityOfProgram() throws(GuardError) -> Identity {
    do { return try identity() } catch { throw .program(error) }
  }
}

/// Why a guard could not be made or read.
public enum GuardError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The policy has too many addresses.
  case tooLarge(String)
  /// The kernel does not take the program, or not show it.
  case program(SystemError)
  /// The link does not take the program.
  case route(RouteError)
  /// nftables refused.
  case netfilter(FilterError)

  /// Whether there was no answer before the deadline.
  public var isTimeout: Bool {
    switch self {
    case .route(.timedOut), .netfilter(.timedOut): true
    default: false
    }
  }

  /// What was attempted, why not, and what that means where it is not plain.
  public var description: String {
    switch self {
    case .tooLarge(let reason): "the policy has too many addresses: \(reason)"
    case .route(let error): error.description
    case .netfilter(let error): error.description
    case .program(let error):
      switch error.errno {
      case .notPermitted:
        "\(error): an XDP program needs CAP_BPF and CAP_NET_ADMIN in the first user namespace"
      case .invalidArgument: "\(error): an XDP program for large frames needs Linux 5.18"
      default: error.description
      }
    }
  }
}
