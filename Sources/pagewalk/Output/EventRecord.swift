import Engine
import Language

/// An event as `run --json` prints it. Addresses and words are hexadecimal texts, since JSON's numbers
/// cannot hold 64 bits everywhere.
struct EventRecord: Encodable {
  struct StepRecord: Encodable {
    let label: String
    let what: String
    let why: String
    let source: String
    let table: String?
    let address: String
    let level: Int?
    let changes: [Change]
  }

  /// A word that changed: its physical address, and its values.
  struct Change: Encodable {
    let address: String
    let old: String
    let new: String
  }

  let event: Int
  let line: Int?
  let statement: String
  let outcome: String?
  let steps: [StepRecord]

  /// The last event of a session, which must record steps.
  init(last session: Session) {
    let timeline = session.timeline
    let index = timeline.events.count - 1
    event = session.eventsDone
    line = session.line(ofEvent: index)
    statement = session.text(ofEvent: index)
    if case .access = timeline.events[index] {
      outcome = timeline.machine.lastOutcome.description
    } else {
      outcome = nil
    }
    var values = LaterValues(memory: timeline.machine.memory)
    steps = timeline.steps.indices.reversed().map { number in
      let step = timeline.steps[number]
      let explanation = step.explanation
      return StepRecord(
        label: explanation.label, what: explanation.what, why: explanation.why,
        source: explanation.source.description, table: step.table?.name,
        address: "0x" + hex(step.address), level: step.level >= 0 ? step.level : nil,
        changes: timeline.stores(ofStep: number).reversed().map { values.change(at: $0) }.reversed()
      )
    }.reversed()
  }
}

/// Finds the value that each store wrote, going backward: the value that the next store to the same word
/// replaced, or the word's current value.
private struct LaterValues {
  let memory: Memory
  private var later: [Int: UInt64] = [:]

  init(memory: Memory) { self.memory = memory }

  mutating func change(at index: Int) -> EventRecord.Change {
    let (slot, old) = memory.journalEntry(index)
    let new = later[slot] ?? memory.load(slot)
    later[slot] = old
    return EventRecord.Change(
      address: "0x" + hex(Memory.address(ofSlot: slot)), old: "0x" + hex(old),
      new: "0x" + hex(new))
  }
}
