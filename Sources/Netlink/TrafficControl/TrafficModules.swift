internal import CLinux
public import Linux

// Whether the kernel can control traffic in some way, and has a module for it or can load one.
//
// It is asked to make what has no parameters. It looks for the kind first, loads the module, and
// says ENOENT if there is none; then it refuses what has no parameters, and nothing is made.

/// `linux/rtnetlink.h`: the attributes behind `struct tcamsg`.
enum ActionTableSpace {}
/// The numbers of actions in a table, from 1 on.
enum ActionNumberSpace {}
/// `linux/pkt_cls.h`: `TCA_ACT_…`
enum ActionSpace {}

extension Attribute where Space == ActionTableSpace, Value == Nested<ActionNumberSpace> {
  static var table: Self { .init(TCA_ROOT_TAB, "TCA_ACT_TAB") }
}
extension Attribute where Space == ActionNumberSpace, Value == Nested<ActionSpace> {
  static var first: Self { .init(1, "1") }
}
extension Attribute where Space == ActionSpace, Value == String {
  static var kind: Self { .init(1, "TCA_ACT_KIND") }
}

extension RouteSocket {
  /// The index of `lo` in every namespace.
  private static let loopback: Int32 = 1

  /// Whether the kernel can have a queueing discipline of a kind that does nothing without
  /// parameters, as `tbf` and `htb`. Where `lo` has a discipline that is not the kernel's own, it
  /// does not say, and this is true.
  public func hasDiscipline(_ kind: String, until deadline: Deadline) throws(RouteError) -> Bool {
    let header = DisciplineHeader(index: Self.loopback, parent: TC_H_ROOT).bytes
    return try isKnown(until: deadline) {
      $0.add(
        .testDiscipline(kind), Int(RTM_NEWQDISC), flags: NLM_F_CREATE | NLM_F_EXCL, header
      ) { (writer: inout AttributeWriter<DisciplineSpace>) in writer.put(.kind, kind) }
    }
  }

  /// Whether the kernel can have an action of a kind that does nothing without parameters, as
  /// `police`, at a filter; see tc-actions(8).
  public func hasAction(_ kind: String, until deadline: Deadline) throws(RouteError) -> Bool {
    try isKnown(until: deadline) {
      // `struct tcamsg` is one byte, AF_UNSPEC, and three that are not in use.
      $0.add(
        .testAction(kind), Int(RTM_NEWACTION), flags: NLM_F_CREATE | NLM_F_EXCL, [0, 0, 0, 0]
      ) { (writer: inout AttributeWriter<ActionTableSpace>) in
        writer.nest(.table) { $0.nest(.first) { $0.put(.kind, kind) } }
      }
    }
  }

  private func isKnown(until deadline: Deadline, _ request: (inout Batch) -> Void)
    throws(RouteError) -> Bool
  {
    do throws(RouteError) { _ = try self.request(until: deadline, request) } catch {
      switch error.errno {
      case .noSuchFileOrDirectory, .notSupported: return false
      case .invalidArgument, .fileExists: return true
      default: throw error
      }
    }
    return true
  }
}
