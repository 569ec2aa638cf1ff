/// One micro-step of an event: what was done, to which table and address, and with which words.
///
/// The sentence that a reader sees is made from this and nothing else.
public struct Step: Equatable, Sendable {
  /// What was done.
  public let action: Action
  /// The table that it concerns.
  public let table: TableID?
  /// The input address that it concerns; what kind of address follows from the action.
  public let address: UInt64
  /// Bytes from `address` on, or 0.
  public let size: UInt64
  /// Level of the entry that it concerns, or -1.
  public let level: Int
  /// Operands, as the action says.
  public let value: UInt64
  /// A second operand.
  public let extra: UInt64
  /// Position of the journal when the step began; it ends where the next one begins.
  public let start: Int
}

/// The micro-steps of one event.
public struct StepLog: Sendable {
  /// Whether steps are kept. What is done does not depend on it.
  public var isRecording = false
  /// The steps so far.
  public private(set) var steps: [Step] = []

  mutating func removeAll() { steps.removeAll(keepingCapacity: true) }

  mutating func append(_ step: Step) { steps.append(step) }
}

extension Machine {
  /// Begins a micro-step: what is stored from here on belongs to it.
  @inline(__always)
  mutating func note(
    _ action: Step.Action, _ table: TableID? = nil, at address: UInt64 = 0, size: UInt64 = 0,
    level: Int = -1, value: UInt64 = 0, extra: UInt64 = 0
  ) {
    if steps.isRecording {
      append(action, table, address, size, level, value, extra)
    }
  }

  /// Apart, so that where nothing is recorded a note is one test.
  @inline(never)
  private mutating func append(
    _ action: Step.Action, _ table: TableID?, _ address: UInt64, _ size: UInt64, _ level: Int,
    _ value: UInt64, _ extra: UInt64
  ) {
    steps.append(
      Step(
        action: action, table: table, address: address, size: size, level: level, value: value,
        extra: extra, start: memory.position))
  }
}
