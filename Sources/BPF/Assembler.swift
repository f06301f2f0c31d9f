/// Writes a program: instructions, and labels to jump to.
public struct Assembler {
  /// A place in the program, which may be jumped to before it is known.
  public struct Label: Hashable, Sendable { fileprivate let number: Int }

  private var instructions: [Instruction] = []
  /// Where each label is.
  private var places: [Int?] = []
  /// The jumps, and where each goes.
  private var jumps: [(index: Int, label: Label)] = []

  /// An empty program.
  public init() {}

  /// A label that has no place yet.
  public mutating func label() -> Label {
    places.append(nil)
    return Label(number: places.count - 1)
  }

  /// Gives `label` the place of the next instruction.
  public mutating func place(_ label: Label) { places[label.number] = instructions.count }

  /// A new label at the next instruction.
  public mutating func here() -> Label {
    let label = label()
    place(label)
    return label
  }

  // MARK: - Instructions

  // The classes of RFC 9669 §3.1.
  private static let load: UInt8 = 0x61  // LDX | MEM
  private static let store: UInt8 = 0x63  // STX | MEM
  private static let wideImmediate: UInt8 = 0x18  // LD | IMM | DW
  private static let arithmetic32: UInt8 = 0x04
  private static let arithmetic64: UInt8 = 0x07
  private static let jump: UInt8 = 0x05
  private static let jump32: UInt8 = 0x06
  /// The operand is a register.
  private static let fromRegister: UInt8 = 0x08

  /// `destination` = what is at `source` + `offset`, the bits above it zero.
  public mutating func load(
    _ width: Width, _ destination: Register, from source: Register, at offset: Int16
  ) {
    instructions.append(
      Instruction(Self.load | width.rawValue, destination, source, offset: offset))
  }

  /// What is at `destination` + `offset` = `source`.
  public mutating func store(
    _ width: Width, _ source: Register, to destination: Register, at offset: Int16
  ) {
    instructions.append(
      Instruction(Self.store | width.rawValue, destination, source, offset: offset))
  }

  /// `destination` = `value`; two instructions long.
  public mutating func set(_ destination: Register, to value: UInt64) {
    let low = Int32(truncatingIfNeeded: value)
    let high = Int32(truncatingIfNeeded: value >> 32)
    instructions.append(Instruction(Self.wideImmediate, destination, immediate: low))
    instructions.append(Instruction(0, immediate: high))
  }

  /// Computes with all 64 bits of both registers.
  public mutating func compute(
    _ computation: Computation, _ destination: Register, _ source: Register
  ) {
    instructions.append(
      Instruction(
        Self.arithmetic64 | Self.fromRegister | computation.rawValue, destination, source))
  }

  /// Computes with all 64 bits of `destination` and a constant.
  public mutating func compute(
    _ computation: Computation, _ destination: Register, _ value: Int32
  ) {
    instructions.append(
      Instruction(Self.arithmetic64 | computation.rawValue, destination, immediate: value))
  }

  /// Computes with the lower 32 bits of `destination` and a constant; the upper 32 become zero.
  public mutating func compute32(
    _ computation: Computation, _ destination: Register, _ value: UInt32
  ) {
    instructions.append(
      Instruction(
        Self.arithmetic32 | computation.rawValue, destination,
        immediate: Int32(bitPattern: value)))
  }

  /// Goes to `label`.
  public mutating func jump(to label: Label) {
    jumps.append((instructions.count, label))
    instructions.append(Instruction(Self.jump))
  }

  /// Goes to `label` if all 64 bits of the registers compare so.
  public mutating func jump(
    to label: Label, if left: Register, _ comparison: Comparison, _ right: Register
  ) {
    jumps.append((instructions.count, label))
    instructions.append(
      Instruction(Self.jump | Self.fromRegister | comparison.rawValue, left, right))
  }

  /// Goes to `label` if the lower 32 bits of the register compare so with `value`.
  public mutating func jump(
    to label: Label, if left: Register, _ comparison: Comparison, _ value: UInt32
  ) {
    jumps.append((instructions.count, label))
    instructions.append(
      Instruction(
        Self.jump32 | comparison.rawValue, left, immediate: Int32(bitPattern: value)))
  }

  /// Ends with `value` as the result.
  public mutating func exit(_ value: Int32) {
    compute(.move, .r0, value)
    instructions.append(Instruction(Self.jump | 0x90))
  }

  // MARK: - The end

  /// Why a program cannot be written.
  public enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
    /// A jump is longer than its 16 bits.
    case tooFar(Int)

    /// What is too long.
    public var description: String {
      switch self {
      case .tooFar(let distance):
        "a jump over \(distance) instructions is too long; at most \(Int16.max) are possible"
      }
    }
  }

  /// The program. Every label that is jumped to has its place by now.
  public consuming func program() throws(Failure) -> [Instruction] {
    for (index, label) in jumps {
      guard let place = places[label.number] else {
        preconditionFailure("a label has no place")
      }
      guard let distance = Int16(exactly: place - index - 1) else {
        throw .tooFar(place - index - 1)
      }
      instructions[index].offset = distance
    }
    return instructions
  }
}
