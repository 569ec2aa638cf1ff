import Engine
import KernelText
import Language
import Observation

extension ObservedTable {
  /// A table of the machine as seen by a source that shows only some bits: entries that look the same are
  /// one run, as in the kernel's dumps. Nil if there is no such table, or it is a shadow not in use.
  package init?(_ id: TableID, of machine: Machine, known: UInt64 = ~0) {
    guard let table = machine.table(id) else { return nil }
    var context: Context?
    if case .shadow(let number) = id {
      let shadow = machine.shadowContext(number)
      if !shadow.isValid { return nil }
      context = Context(
        vtcr: shadow.vtcr, vttbr: shadow.vttbr, stage2Enabled: shadow.stage2Enabled)
    }
    var runs: [Run] = []
    var open: (start: UInt64, level: Int, bits: UInt64, next: UInt64)?
    func close(at end: UInt64) {
      guard let open else { return }
      runs.append(
        Run(open.start..<end, level: open.level, descriptor: Descriptor(open.bits), line: 0))
    }
    let outputs = known & Descriptor.addressMask
    machine.visit(.leaf, of: table) { entry in
      let size = table.geometry.size(entry.level)
      var bits = entry.descriptor.bits & known
      // A reserved encoding is not a leaf, whatever its valid bit; and an invalid entry has no output.
      if !entry.isLeaf { bits &= ~(Descriptor.valid | outputs) }
      let hasOutput = entry.isLeaf && outputs != 0
      if let last = open, last.level == entry.level,
        (last.bits ^ bits) & ~outputs == 0,
        !hasOutput || bits & outputs == last.next & outputs
      {
        open?.next = (bits & outputs) &+ size
        return
      }
      close(at: entry.address)
      open = (entry.address, entry.level, bits, (bits & outputs) &+ size)
    }
    close(at: table.geometry.inputSize)
    self.init(context: context, runs: runs, known: known)
  }
}

/// Tables of a real kernel compared with those of the model.
package struct Judgement: Sendable {
  /// A table in which the two differ.
  package struct Difference: Sendable {
    package let table: TableID
    /// The first difference; nil if it is in the registers of a shadow, or whether it is in use.
    package let change: TableChange?
    /// The difference, as a sentence.
    package let sentence: String
  }

  /// Number of tables compared, and their differences.
  package let compared: Int
  package let differences: [Difference]

  /// Compares the tables observed at a moment with the machine's.
  package init(_ chapter: RecordedChapter, with machine: Machine) {
    var compared = 0
    var differences: [Difference] = []
    func compare(_ id: TableID, _ observed: ObservedTable?) {
      compared += 1
      // Only a recorded machine has a real kernel's physical addresses.
      let known =
        (observed?.known ?? ~0)
        & (machine.configuration.isRecorded ? ~0 : ~Descriptor.addressMask)
      let predicted = ObservedTable(id, of: machine, known: known)
      switch (observed, predicted) {
      case (nil, nil): break
      case (nil, _?):
        differences.append(
          Difference(table: id, change: nil, sentence: "\(id.phrase) is not in use, but predicted"))
      case (_?, nil):
        differences.append(
          Difference(table: id, change: nil, sentence: "\(id.phrase) is in use, but not predicted"))
      case (let observed?, let predicted?):
        if let context = observed.context, let other = predicted.context, context != other {
          differences.append(
            Difference(
              table: id, change: nil, sentence: "\(id.phrase) serves other registers of L1"))
        } else if let change = observed.changes(to: predicted).first(where: {
          !machine.configuration.isRecorded || !Self.isByHardware($0)
        }) {
          let address = Phrase.address(change.range.lowerBound)
          differences.append(
            Difference(
              table: id, change: change,
              sentence:
                "\(id.phrase) differs at \(address): observed \(Self.words(change.before)), "
                + "predicted \(Self.words(change.after))"))
        }
      }
    }
    if let canonical = chapter.canonical { compare(.canonical, canonical) }
    for (number, table) in chapter.shadows.sorted(by: { $0.key < $1.key }) {
      guard number < machine.configuration.shadows else { continue }
      compare(.shadow(number), table)
    }
    for (number, map) in chapter.reverseMaps.sorted(by: { $0.key < $1.key })
    where number < machine.configuration.shadows {
      compared += 1
      if let sentence = Self.difference(of: map, ofShadow: number, machine) {
        differences.append(
          Difference(table: .shadow(number), change: nil, sentence: sentence))
      }
    }
    self.compared = compared
    self.differences = differences
  }

  /// The first row of a reverse map's dump that is not the model's, as a sentence; nil if all are.
  private static func difference(
    of map: RecordedChapter.ReverseMap, ofShadow number: Int, _ machine: Machine
  ) -> String? {
    // What either does not tell is not compared.
    let limit = min(map.knownEnd ?? .max, machine.reverseMapUnseen(ofShadow: number) ?? .max)
    let observed = map.rows(below: limit)
    let predicted = ReverseMapDump.rows(ofShadow: number, in: machine).filter {
      $0.canonical.lowerBound < limit
    }
    for index in 0..<max(observed.count, predicted.count) {
      let one = index < observed.count ? observed[index] : nil
      let two = index < predicted.count ? predicted[index] : nil
      if let one, let two, one.says(two) { continue }
      return "the reverse map of shadow \(number) differs: observed "
        + (one.map { "\($0.text) (\(map.source):\($0.line))" } ?? "no more rows (\(map.source))")
        + ", predicted \(two?.text ?? "no more rows") under revmap=\(machine.configuration.reverseMap.rawValue)"
    }
    return nil
  }

  /// Whether two observations differ only in an access flag: the hardware sets it, and no recording shows
  /// when.
  private static func isByHardware(_ change: TableChange) -> Bool {
    guard let observed = change.before, let predicted = change.after,
      observed.level == predicted.level
    else { return false }
    let masked = ~(Descriptor.addressMask | Descriptor.accessed)
    let outputs = (observed.descriptor.address, predicted.descriptor.address)
    if outputs != (0, 0), outputs.0 &- observed.start != outputs.1 &- predicted.start {
      return false
    }
    return observed.isMapped && observed.descriptor.bits & Descriptor.accessed != 0
      && observed.descriptor.bits & masked == predicted.descriptor.bits & masked
  }

  /// A run in a few words.
  package static func words(_ run: ObservedTable.Run?) -> String {
    guard let run else { return "not known" }
    guard run.isMapped else {
      return run.isEmpty ? "nothing (level \(run.level))" : "an invalid entry (level \(run.level))"
    }
    let permissions = run.descriptor.permissions
    let execution = ["x", "ux", "", "px"][Int(permissions.executeNever)]
    return "level \(run.level) \(permissions.read ? "r" : "-")\(permissions.write ? "w" : "-")"
      + (execution.isEmpty ? "-" : execution)
      + (run.descriptor.bits & Descriptor.accessed == 0 ? " not accessed" : "")
  }
}
