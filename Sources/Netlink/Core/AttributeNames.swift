/// Numbers of attributes that mean something together.
protocol AttributeSpace: SendableMetatype {
  /// Those that have a name here: the ones in use, and others that people meet.
  static var names: [AttributeName] { get }
}

extension AttributeSpace {
  /// The name of an attribute in use.
  static func known<Value: AttributeValue>(_ key: Attribute<Self, Value>) -> AttributeName {
    AttributeName(key.type, key.name)
  }

  /// The name of an attribute that holds attributes, behind a header of `header` bytes.
  ///
  /// `onlyIfMarked`: whether it does so only where its sender has set `NLA_F_NESTED`, which many
  /// senders leave out.
  static func nested<Inner: AttributeSpace>(
    _ key: Attribute<Self, Nested<Inner>>, header: Int = 0, onlyIfMarked: Bool = false
  ) -> AttributeName {
    var name = AttributeName(key.type, key.name)
    name.inside = { AttributeLayout(Inner.self, header: header) }
    name.isOpenedOnlyIfMarked = onlyIfMarked
    return name
  }
}

/// The name of an attribute, for people, and what it holds.
struct AttributeName {
  let type: UInt16
  let text: String
  fileprivate var inside: (@Sendable () -> AttributeLayout)?
  fileprivate var isOpenedOnlyIfMarked = false

  /// That of an attribute that is not in use here.
  init(_ type: some BinaryInteger, _ text: String) {
    self.type = UInt16(truncatingIfNeeded: type)
    self.text = text
  }

  /// What it holds; nil if it holds no attributes.
  fileprivate func contents(isMarked: Bool) -> AttributeLayout? {
    isMarked || !isOpenedOnlyIfMarked ? inside?() : nil
  }
}

/// Attributes behind a header: what a message holds, or an attribute.
struct AttributeLayout {
  /// Bytes.
  let headerSize: Int
  let names: [AttributeName]

  init<Space: AttributeSpace>(_ space: Space.Type, header: Int) {
    headerSize = header
    names = Space.names
  }
  private init() {
    headerSize = 0
    names = []
  }

  private func known(_ type: UInt16) -> AttributeName? { names.first { $0.type == type } }

  /// `IFLA_MTU`, or the number if it has no name here.
  func name(_ type: UInt16) -> String { known(type)?.text ?? "attribute \(type)" }

  /// What the attribute numbered `type` holds; nil if it holds no attributes, as far as is known.
  func inside(_ type: UInt16, isNested: Bool) -> AttributeLayout? {
    known(type)?.contents(isMarked: isNested) ?? (isNested ? AttributeLayout() : nil)
  }
}
