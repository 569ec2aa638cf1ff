/// One micro-step of an event: what was done, to which table and address, and with which operands.
///
/// The file of each family holds, beside the declaration of a kind of step, its class, the
/// convention that it follows, and its sentence with reason and source.
package struct Step: Equatable, Sendable {
  /// What was done.
  package let action: Action
  /// The table that it concerns.
  package let table: TableID?
  /// The input address that it concerns; `facts.subject` says whose.
  package let address: UInt64
  /// Bytes from `address` on, or 0.
  package let size: UInt64
  /// Level, 0 to 3, of the entry that it concerns, or -1.
  package let level: Int
  /// Position of the journal when the step began; it ends where the next one begins.
  package let start: Int
  /// Who makes and changes the table; without a table KVM on a machine with an RMP, else nil.
  package let keeper: TableKind.Keeper?
}

/// The micro-steps of one event.
package struct StepLog: Sendable {
  /// Whether steps are kept. The event's effects do not depend on it.
  package var isRecording = false
  /// The steps so far.
  package private(set) var steps: [Step] = []

  mutating func removeAll() { steps.removeAll(keepingCapacity: true) }

  mutating func append(_ step: Step) { steps.append(step) }
}

extension Machine {
  /// Begins a micro-step: stores from here on belong to it. The action is built only if steps
  /// are recorded.
  @inline(__always)
  mutating func note(
    _ action: @autoclosure () -> Step.Action, _ table: TableID? = nil, at address: UInt64 = 0,
    size: UInt64 = 0, level: Int = -1
  ) {
    if steps.isRecording { append(action(), table, address, size, level) }
  }

  /// The same for a range of addresses.
  @inline(__always)
  mutating func note(
    _ action: @autoclosure () -> Step.Action, _ table: TableID?, over range: Range<UInt64>
  ) {
    if steps.isRecording {
      append(action(), table, range.lowerBound, range.size, -1)
    }
  }

  /// Outlined, so that a note costs one test if nothing is recorded.
  @inline(never)
  private mutating func append(
    _ action: Step.Action, _ table: TableID?, _ address: UInt64, _ size: UInt64, _ level: Int
  ) {
    steps.append(
      Step(
        action: action, table: table, address: address, size: size, level: level,
        start: memory.position, keeper: keeper(of: table)))
  }
}
