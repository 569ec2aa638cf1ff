import Engine
import Inquiry
import Language

/// Something that the engine measures: a form of the table below, with its operands.
package struct Measure: Sendable {
  package let form: Form
  private let operands: Operands
  package let source: SourceLine

  /// The kind of a value, and how it is written.
  package enum Unit: Sendable {
    case number, address, size

    package func text(_ value: UInt64) -> String {
      switch self {
      case .number: "\(value)"
      case .address: Phrase.address(value)
      case .size: Phrase.size(value)
      }
    }

    var answerForm: String {
      switch self {
      case .number: "a number"
      case .address: "an address, as 0x80001000"
      case .size: "a size, as 4K or 2M"
      }
    }
  }

  /// The operands of a form.
  struct Operands: Sendable {
    var table = TableID.canonical
    var number: UInt64 = 0
    var other: UInt64 = 0
    var filter = ""
  }

  /// The kind of an operand in a pattern.
  private enum Operand: String {
    case table = "TABLE"
    case address = "ADDRESS"
    case shadow = "N"
    case level = "LEVEL"
    case filter = "[FILTER]"
  }

  /// A measure as it is declared: its pattern, its meaning, and how it is found.
  package struct Form: Sendable {
    /// A name, then operands in capitals.
    package let pattern: String
    package let meaning: String
    let unit: Unit
    let value: @Sendable (Stage, Operands) throws(Unmeasurable) -> UInt64

    package var name: Substring { pattern.prefix { $0 != " " } }
  }

  /// The reason why there is nothing to measure.
  struct Unmeasurable: Error {
    let message: String
  }

  /// Reads a measure.
  ///
  /// - Throws: what was expected.
  init(_ source: SourceLine, file: String) throws(ScenarioError) {
    let words = source.text.split(separator: " ")
    guard let name = words.first, let form = Self.forms.first(where: { $0.name == name }) else {
      let near = words.first.flatMap {
        Spelling.nearest(to: $0, in: Self.forms.map { String($0.name) })
      }
      throw source.error(
        "expected a measure" + (near.map { "; did you mean '\($0)'?" } ?? ": ")
          + (near == nil ? Self.forms.map(\.pattern).joined(separator: ", ") : ""), in: file)
    }
    self.form = form
    self.source = source
    var rest = words.dropFirst()
    var operands = Operands()
    var numbers: [UInt64] = []
    for word in form.pattern.split(separator: " ").dropFirst() {
      guard let operand = Operand(rawValue: String(word)) else { continue }
      switch operand {
      case .filter:
        operands.filter = rest.joined(separator: " ")
        rest = []
      case .table:
        guard let id = rest.popFirst().flatMap({ TableID(name: $0) }) else {
          throw source.error("expected \(form.pattern), with a table: \(TableKind.forms)", in: file)
        }
        operands.table = id
      case .address, .shadow, .level:
        guard let value = rest.popFirst().flatMap({ Number.value(of: $0) }) else {
          throw source.error("expected \(form.pattern)", in: file)
        }
        numbers.append(value)
      }
    }
    guard rest.isEmpty else { throw source.error("expected \(form.pattern)", in: file) }
    operands.number = numbers.first ?? 0
    operands.other = numbers.dropFirst().first ?? 0
    self.operands = operands
  }

  /// The measured value on a stage.
  ///
  /// - Throws: why there is nothing to measure.
  func value(on stage: Stage, file: String) throws(ScenarioError) -> UInt64 {
    do throws(Unmeasurable) {
      return try form.value(stage, operands)
    } catch {
      throw source.error("\(form.name): \(error.message)", in: file)
    }
  }
}

// MARK: - The table

extension Measure {
  /// All measures. Costs are those of an exercise's run, or of the last event if it runs nothing.
  package static let forms: [Form] = costs + states

  private static func cost(
    _ name: String, _ meaning: String, _ count: @escaping @Sendable (Cost) -> Int
  ) -> Form {
    Form(pattern: name, meaning: meaning, unit: .number) { stage, _ in
      UInt64(stage.run.reduce(0) { $0 + count($1.cost) })
    }
  }

  private static let costs: [Form] = [
    cost("faults", "stage-2 faults that KVM takes") { $0[.faults] },
    cost("injected", "exceptions that L1 is given") { $0[.injected] },
    cost("leaves-made", "leaves that are made") { $0[.made] },
    cost("leaves-relaxed", "leaves that get more permissions") { $0[.relaxed] },
    cost("leaves-weakened", "leaves that lose permissions") { $0[.weakened] },
    cost("canonical-removed", "leaves of the canonical table that are removed") {
      $0[.canonicalRemoved]
    },
    cost("shadow-removed", "leaves of shadows that are removed") { $0[.shadowRemoved] },
    cost("shadow-needed", "leaves of shadows that are removed and had to go") { $0.needed ?? 0 },
    cost("device-removed", "leaves of devices' tables that are removed") { $0[.deviceRemoved] },
    cost("full-unmaps", "unmaps of a whole shadow") { $0[.fullUnmaps] },
    cost("tables-made", "table pages that are allocated") { $0[.tables] },
    cost("tables-freed", "table pages that are given back") { $0[.tablesFreed] },
    cost("tlbis", "TLB invalidations of the kernel") { $0[.invalidations] },
    Form(
      pattern: "entries-read", meaning: "entries that are read, by hardware or by KVM",
      unit: .number
    ) { stage, _ in
      UInt64(stage.run.reduce(0) { $0 + $1.steps.count { $0.stepClass == .walk } })
    },
  ]

  private static let states: [Form] = [
    Form(pattern: "value", meaning: "what the last read returned", unit: .number) { stage, _ in
      stage.machine.lastValue ?? 0
    },
    Form(
      pattern: "entries TABLE [FILTER]",
      meaning: "entries of a table that are neither empty nor tables, and meet a condition",
      unit: .number
    ) { stage, operands throws(Unmeasurable) in
      try stage.entries(of: operands.table, operands.filter).reduce(0) { $0 + UInt64($1.entries) }
    },
    Form(
      pattern: "table-pages TABLE", meaning: "pages that a table consists of, its root among them",
      unit: .number
    ) { stage, operands throws(Unmeasurable) in
      let image = stage.machine.image(of: operands.table)
      guard let image else { throw .noTable(operands.table) }
      return UInt64(image.pages.count)
    },
    Form(
      pattern: "walk TABLE ADDRESS",
      meaning: "entries that a walk of the table for an address reads, to the one where it ends",
      unit: .number
    ) { stage, operands throws(Unmeasurable) in
      UInt64(try stage.path(operands).count)
    },
    Form(
      pattern: "index TABLE ADDRESS LEVEL",
      meaning: "which entry of the table page of a level a walk for an address reads", unit: .number
    ) { stage, operands throws(Unmeasurable) in
      let found = try stage.path(operands).first { UInt64($0.page.level) == operands.other }
      guard let found else { throw Unmeasurable(message: "no walk goes through that level") }
      return UInt64(found.index)
    },
    Form(
      pattern: "input-bits TABLE", meaning: "bits of the addresses that a table translates",
      unit: .number
    ) { stage, operands throws(Unmeasurable) in
      guard let reader = stage.machine.reader(of: operands.table) else {
        throw .noTable(operands.table)
      }
      return UInt64(reader.geometry.inputBits)
    },
    Form(
      pattern: "level TABLE ADDRESS", meaning: "the level at which a walk for an address ends",
      unit: .number
    ) { stage, operands throws(Unmeasurable) in
      UInt64(try stage.path(operands).last?.page.level ?? 0)
    },
    Form(pattern: "output TABLE ADDRESS", meaning: "where a table maps an address", unit: .address)
    {
      stage, operands throws(Unmeasurable) in
      let geometry = stage.geometry(operands.table)
      guard let last = try stage.path(operands).last,
        geometry.isLeaf(last.page[last.index], at: last.page.level)
      else { throw Unmeasurable(message: "it is not mapped") }
      let shift = UInt64(last.page.entrySize - 1)
      return geometry.output(of: last.page[last.index], at: last.page.level)
        | operands.number & shift
    },
    Form(
      pattern: "size TABLE ADDRESS", meaning: "the size of the leaf that maps an address",
      unit: .size
    ) { stage, operands throws(Unmeasurable) in
      let geometry = stage.geometry(operands.table)
      guard let last = try stage.path(operands).last,
        geometry.isLeaf(last.page[last.index], at: last.page.level)
      else { throw Unmeasurable(message: "it is not mapped") }
      return last.page.entrySize
    },
    Form(
      pattern: "ranges N", meaning: "ranges that the reverse map of shadow N holds", unit: .number
    ) { stage, operands throws(Unmeasurable) in UInt64(try stage.ranges(operands).count) },
    Form(
      pattern: "known N", meaning: "ranges of it whose nested address is known", unit: .number
    ) { stage, operands throws(Unmeasurable) in
      UInt64(try stage.ranges(operands).count { $0.nested != nil })
    },
    Form(
      pattern: "unknown N", meaning: "ranges of it whose nested address is unknown", unit: .number
    ) { stage, operands throws(Unmeasurable) in
      UInt64(try stage.ranges(operands).count { $0.nested == nil })
    },
    Form(
      pattern: "range-size N ADDRESS",
      meaning: "the size of the range of it in which a canonical IPA is", unit: .size
    ) { stage, operands throws(Unmeasurable) in
      let range = try stage.ranges(operands).first { $0.canonical.contains(operands.other) }
      guard let range else { throw Unmeasurable(message: "it is in no range") }
      return range.canonical.upperBound - range.canonical.lowerBound
    },
    Form(
      pattern: "stale-ranges N", meaning: "known ranges of it that no leaf stands behind",
      unit: .number
    ) { stage, operands throws(Unmeasurable) in
      _ = try stage.ranges(operands)
      return UInt64(stage.machine.staleEntries(ofShadow: Int(operands.number)).count)
    },
    Form(pattern: "tlb", meaning: "translations that the TLBs of the CPUs hold", unit: .number) {
      stage, _ in UInt64(stage.machine.tlbEntries.count)
    },
    Form(pattern: "iotlb", meaning: "translations that the SMMU's TLB holds", unit: .number) {
      stage, _ in UInt64(stage.machine.iotlbEntries.count)
    },
    Form(pattern: "vmid TABLE", meaning: "the hardware VMID of a table", unit: .number) {
      stage, operands throws(Unmeasurable) in
      guard let table = stage.machine.table(operands.table) else { throw .noTable(operands.table) }
      return UInt64(table.vmid)
    },
    Form(
      pattern: "shadows", meaning: "shadows that serve a context of L1's", unit: .number
    ) { stage, _ in
      let machine = stage.machine
      return UInt64(
        (0..<machine.configuration.shadows).count { machine.shadowContext($0).isValid })
    },
    Form(pattern: "rules-broken", meaning: "rules that do not hold now", unit: .number) {
      stage, _ in
      let timeline = stage.session.timeline
      let stores = timeline.currentEvent.map { timeline.stores(ofEvent: $0) } ?? 0..<0
      return UInt64(Set(stage.machine.violations(after: stores).map(\.invariant)).count)
    },
  ]
}

extension Measure.Unmeasurable {
  static func noTable(_ id: TableID) -> Self { Self(message: "\(id.phrase) does not exist") }
}

extension Stage {
  fileprivate var machine: Machine { session.timeline.machine }

  /// The entries of a table that are neither empty nor tables, and meet a condition.
  func entries(
    of table: TableID, _ filter: String
  ) throws(Measure.Unmeasurable) -> [ListAnswer.Row] {
    var subject = Subject()
    subject.table = table
    subject.text = filter
    var session = session
    do throws(Unanswerable) {
      return try ListAnswer(about: subject, in: &session).rows.filter { !$0.isRemoved }
    } catch {
      throw Measure.Unmeasurable(message: error.message)
    }
  }

  fileprivate func path(
    _ operands: Measure.Operands
  ) throws(Measure.Unmeasurable) -> [(page: TablePage, index: Int)] {
    guard let reader = machine.reader(of: operands.table) else { throw .noTable(operands.table) }
    guard operands.number < reader.geometry.inputSize else {
      throw Measure.Unmeasurable(message: "the address is beyond the table's end")
    }
    return reader.path(to: operands.number)
  }

  fileprivate func geometry(_ table: TableID) -> Geometry {
    machine.reader(of: table)?.geometry ?? .stage2(bits: VMConfiguration.physicalBits)
  }

  fileprivate func ranges(
    _ operands: Measure.Operands
  ) throws(Measure.Unmeasurable) -> [ReverseMapEntry] {
    guard operands.number < UInt64(machine.configuration.shadows) else {
      throw Measure.Unmeasurable(message: "there is no shadow \(operands.number)")
    }
    return machine.reverseMap(ofShadow: Int(operands.number))
  }
}
