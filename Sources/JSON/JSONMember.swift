/// The names of the members that a decoder reads of an object, one case each: their only home.
public protocol JSONMember: RawRepresentable, CaseIterable, Hashable, Sendable
where RawValue == String {}

extension JSONCursor {
  /// The member; see the subscript of a name.
  public subscript(member: some JSONMember) -> JSONCursor { self[member.rawValue] }
}

extension JSONValue {
  /// The member; nil where there is none, or this is no object.
  public subscript(member: some JSONMember) -> JSONValue? { self[member.rawValue] }
}

extension JSONObject {
  /// The member; nil where there is none.
  public subscript(member: some JSONMember) -> JSONValue? {
    get { self[member.rawValue] }
    set { self[member.rawValue] = newValue }
  }
}
