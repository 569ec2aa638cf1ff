import Engine
import KernelText
import Language

/// A log of casemate as a scenario: the hypervisor is L1, its tables are L1's. It ends at the first record
/// that breaks a rule, or on which casemate comments.
package struct CasemateScenario {
  /// The scenario, and its text if that is wanted.
  package private(set) var made: ScenarioMaker
  /// The record that breaks a rule; nil if none does.
  package let breach: TableWatch.Breach?
  /// Casemate's comment on the last record; nil if there is none, or it is on a later record.
  package private(set) var verdict: CasemateLog.Verdict?
  /// The tables at the end.
  package let watch: TableWatch
  /// Number of records that became statements, and of those that became only comments.
  package private(set) var statements = 0, comments = 0

  private let log: CasemateLog
  private let file: String
  /// Threads as vCPUs, in order of appearance.
  private let vcpus: [UInt64: Int]

  /// - Parameters:
  ///   - log: the log.
  ///   - file: the log's name in messages.
  /// - Throws: if a record covers more memory than tables have, or there are too many threads.
  package init(
    _ log: CasemateLog, file: String, title: String, writesText: Bool = false
  ) throws(TextError) {
    self.log = log
    self.file = file
    let end = log.verdict?.records ?? log.records.count
    var watch = TableWatch(log.records)
    breach = try watch.firstBreach(in: end)
    self.watch = watch
    let last = breach.map { $0.record + 1 } ?? end
    if let found = log.verdict, found.records == last { verdict = found }
    let records = log.records[..<last]
    var vcpus: [UInt64: Int] = [:]
    for record in records where vcpus[record.thread] == nil {
      vcpus[record.thread] = vcpus.count
      if vcpus.count > VMConfiguration.vcpusRange.upperBound {
        throw TextError(
          line: record.line,
          "more than \(VMConfiguration.vcpusRange.upperBound) threads: a VM has no more vCPUs")
      }
    }
    self.vcpus = vcpus
    do throws(ScenarioError) {
      made = try ScenarioMaker(
        head: [
          "pagewalk 1", "title \(StatementText.quoted(title))",
          "vm ipa=48 vcpus=\(max(1, vcpus.count)) nested=on",
        ], file: "imported", writesText: writesText)
    } catch {
      throw TextError(line: 1, error.description)
    }
    writeMemory(records)
    for record in records { write(record) }
    writeEnd()
  }

  /// The sentences about the end: the record that breaks a rule, and casemate's comment.
  package var findings: [String] {
    var lines: [String] = []
    if let breach {
      let record = log.records[breach.record]
      lines.append("\(place(record)): \(breach.rule.demand): \(breach.sentence)")
    }
    if let verdict {
      let own = breach == nil ? ", which breaks no rule of pagewalk's" : ""
      lines.append("\(file):\(verdict.line): casemate says '\(verdict.text)'\(own)")
    } else if let later = log.verdict, breach != nil {
      lines.append("\(file):\(later.line): casemate goes on, and says there '\(later.text)'")
    }
    return lines
  }

  private func place(_ record: CasemateLog.Record) -> String {
    "\(file):\(record.line)\(Self.number(record))"
  }

  /// What stands behind the place of a record.
  private static func number(_ record: CasemateLog.Record) -> String {
    ": record \(record.id)\(record.place.map { " (\($0))" } ?? "")"
  }

  // MARK: Statements

  private mutating func writeMemory(_ records: ArraySlice<CasemateLog.Record>) {
    made.comment()
    made.comment("The hypervisor is L1: what it stores to is its memory, as pages of 4K.")
    for (id, range) in Self.slots(records).enumerated() {
      made.addPlain(.event(.addMemslot(id: UInt64(id), range, .pages)), made.origin(file))
    }
    made.comment()
  }

  /// The memory stored to, without gaps larger than a few pages.
  private static func slots(_ records: ArraySlice<CasemateLog.Record>) -> [Range<UInt64>] {
    var pages: Set<UInt64> = []
    for record in records {
      if case .write(let address, _, _) = record.action, address < 1 << 48 {
        pages.insert(address & ~4095)
      }
    }
    var found: [Range<UInt64>] = []
    for page in pages.sorted() {
      if let last = found.last, page - last.upperBound <= 1 << 16 {
        found[found.count - 1] = last.lowerBound..<page + 4096
      } else {
        found.append(page..<page + 4096)
      }
    }
    return found
  }

  private mutating func write(_ record: CasemateLog.Record) {
    let vcpu = vcpus[record.thread] ?? 0
    switch record.action {
    case .write(let address, let value, _) where address < 1 << 48:
      add(.access(.l1, vcpu: vcpu, .write, address & ~7, value: value), record)
    case .register(.vttbr, let value):
      add(
        .context(
          vcpu: vcpu, vttbr: value, vtcr: VTCR.hypervisor(watch.stage2Geometry).bits, hcr: 1),
        record)
    case .invalidate(let instruction):
      if let invalidation = Self.invalidation(instruction) {
        add(.invalidate(vcpu: vcpu, invalidation), record)
      } else {
        comment(record)
      }
    case .write, .read, .initialize, .free, .set, .barrier, .register, .hint, .lock, .unlock,
      .other:
      comment(record)
    }
  }

  /// L1's TLBI; nil for those of EL2, whose table is not a VM's.
  private static func invalidation(_ instruction: CasemateLog.Invalidation) -> GuestInvalidation? {
    switch instruction.kind {
    case .ipas2e1:
      let operand = IPAOperand(instruction.operand)
      return .address(operand.ipa, ttl: operand.ttl)
    case .vmalls12e1: return .currentVMID
    case .alle1: return .all
    case .vmalle1: return .stage1
    case .alle2, .vae2, .vale2: return nil
    }
  }

  private mutating func writeEnd() {
    let what =
      breach.map { "\($0.rule.demand): \($0.sentence)" }
      ?? verdict.map { "casemate says: \($0.text)" }
    made.addPlain(
      .chapter(
        label: what == nil ? "end" : "verdict",
        text: StatementText.safe(what ?? "Nothing breaks a rule.")),
      made.origin(file))
  }

  private mutating func add(_ event: Event, _ record: CasemateLog.Record) {
    statements += 1
    made.add(
      .event(event), made.origin(file, line: record.line), remark: Self.number(record))
  }

  private mutating func comment(_ record: CasemateLog.Record) {
    comments += 1
    made.comment("\(place(record)) \(Self.words(record))")
  }

  /// A record in a few words.
  private static func words(_ record: CasemateLog.Record) -> String {
    func range(_ range: Range<UInt64>) -> String {
      "\(Phrase.address(range.lowerBound)) to \(Phrase.address(range.upperBound))"
    }
    let what =
      switch record.action {
      case .write(let address, let value, _):
        "stores \(Phrase.address(value)) to \(Phrase.address(address))"
      case .read(let address, _): "loads from \(Phrase.address(address))"
      case .initialize(let pages): "clears \(range(pages))"
      case .free(let pages): "frees \(range(pages))"
      case .set(let pages, let value): "sets \(range(pages)) to \(Phrase.address(value & 0xff))"
      case .barrier(let barrier): barrier == .isb ? "ISB" : "DSB \(barrier.rawValue.uppercased())"
      case .invalidate(let instruction): "TLBI \(instruction.name.uppercased())"
      case .register(let register, let value):
        "\(register.rawValue.uppercased()) becomes \(Phrase.address(value))"
      case .hint(let hint, let location, let value):
        "\(hint.rawValue) \(Phrase.address(location)) \(Phrase.address(value))"
      case .lock(let lock): "takes the lock at \(Phrase.address(lock))"
      case .unlock(let lock): "gives the lock at \(Phrase.address(lock)) back"
      case .other(let word): word
      }
    return "thread \(record.thread): \(what)"
  }
}
