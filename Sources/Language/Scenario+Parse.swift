import Engine

extension Scenario {
  /// Reads a scenario file.
  ///
  /// - Throws: the first mistake, with its place.
  public init(parsing bytes: [UInt8], file: String) throws(ScenarioError) {
    var mistakes: [ScenarioError] = []
    self.init(reading: bytes, file: file, mistakesAtMost: 1, &mistakes)
    if let first = mistakes.first { throw first }
  }

  /// The title of a scenario file, reading no further; nil if there is none before the first mistake.
  public static func title(in bytes: [UInt8]) -> String? {
    var reader = StatementReader(bytes)
    var start = 0
    while start < bytes.count {
      guard let next = try? reader.readLine(from: start) else { return nil }
      start = next
      if reader.statementStart == nil { continue }
      guard let statement = try? reader.statement() else { return nil }
      if case .title(let title) = statement { return title }
    }
    return nil
  }

  /// The mistakes of a scenario file, in order; at most `limit`.
  ///
  /// If all statements parse, the scenario is carried out, O(n) in the events, and these are the events
  /// that the engine refuses; each is skipped for those that follow.
  public static func mistakes(
    in bytes: [UInt8], file: String, atMost limit: Int = mistakesAtMost
  ) -> [ScenarioError] {
    var mistakes: [ScenarioError] = []
    let scenario = Scenario(reading: bytes, file: file, mistakesAtMost: limit, &mistakes)
    return mistakes.isEmpty ? scenario.refusals(atMost: limit) : mistakes
  }

  /// Maximum number of mistakes to list.
  public static let mistakesAtMost = 20

  /// The events that the engine refuses when the scenario is carried out, each skipped for those that
  /// follow; at most `limit`. Those that are refused only for want of a skipped one are no mistakes of
  /// their own, and left out.
  public func refusals(atMost limit: Int = mistakesAtMost) -> [ScenarioError] {
    var session = Session(self, keepsPast: false)
    var refusals: [ScenarioError] = []
    var missing: Set<Need> = []
    while refusals.count < limit, !session.isComplete {
      do {
        try session.finish()
      } catch {
        let isOwn = error.refusal?.need.map { !missing.contains($0) } ?? true
        if isOwn { refusals.append(error) }
        if case .event(let event) = session.leaveOutNext().kind, let need = event.provides {
          missing.insert(need)
        }
      }
    }
    return refusals
  }

  /// Reads a scenario file, without wrong statements.
  private init(
    reading bytes: [UInt8], file: String, mistakesAtMost limit: Int,
    _ mistakes: inout [ScenarioError]
  ) {
    self.init(file: file)
    func note(_ line: Int, _ message: String) {
      mistakes.append(ScenarioError(file: file, line: line, column: 1, message: message))
    }
    guard bytes.count <= UInt32.max else {
      note(1, "expected a file below 4G")
      return
    }
    statements = StatementList(of: bytes)
    var prologue = Prologue()
    read(mistakesAtMost: limit, &prologue, &mistakes)
    if mistakes.count == limit { return }
    if !prologue.version.isThere {
      note(lineCount + 1, Prologue.noVersion)
    } else if !prologue.vm.isThere {
      note(lineCount + 1, Prologue.noVM)
    }
  }

  /// Reads the lines of the source, without wrong statements.
  private mutating func read(
    mistakesAtMost limit: Int, _ prologue: inout Prologue, _ mistakes: inout [ScenarioError]
  ) {
    let bytes = source
    var reader = StatementReader(bytes)
    var start = 0
    while start < bytes.count {
      lineCount += 1
      if lineCount > StatementList.linesAtMost {
        mistakes.append(
          ScenarioError(
            file: file, line: lineCount, column: 1,
            message: "expected a file of fewer than 2G lines"))
        return
      }
      let (line, lineStart) = (lineCount, start)
      do throws(Mistake) {
        start = try reader.readLine(from: start)
        guard let first = reader.statementStart else { continue }
        // The columns are those of the statement just read.
        try add(
          try reader.statement(), at: first,
          .file(line: UInt32(line), offset: UInt32(lineStart)), reader.values.columns, &prologue)
      } catch {
        mistakes.append(ScenarioError(error, file: file, line: line, offset: lineStart))
        if mistakes.count == limit { return }
        // A line that is no text has no statement.
        let first = reader.statementStart.map { max($0, lineStart) } ?? lineStart
        prologue.isWrong(bytes[first...], isUnknown: error.isUnknownStatement)
        let end = bytes[lineStart...].firstIndex(of: UInt8(ascii: "\n"))
        start = end.map { $0 + 1 } ?? bytes.count
      }
    }
  }

  /// The statements that must come first, and only once.
  private struct Prologue {
    /// One of them.
    enum Part {
      case missing, read
      /// It is wrong, or was missed: that was told, and nothing more is.
      case told

      var isThere: Bool { self != .missing }
    }

    var version = Part.missing
    var vm = Part.missing

    /// The statement with which some bytes begin is wrong. The one that must come here may have been meant.
    mutating func isWrong(_ statement: ArraySlice<UInt8>, isUnknown: Bool) {
      if version != .missing, vm != .missing { return }
      let word = statement.prefix { $0 > UInt8(ascii: " ") }
      if version == .missing {
        version = .told
        if word.elementsEqual("pagewalk".utf8) { return }
      }
      if vm == .missing, isUnknown || word.elementsEqual("vm".utf8) { vm = .told }
    }

    static let noVersion = "expected 'pagewalk 1' as the first statement"
    static let noVM = "expected 'vm ipa=BITS vcpus=N nested=on|off' before anything happens"
  }

  private mutating func add(
    _ statement: consuming ParsedStatement, at offset: Int, _ origin: Origin,
    _ columns: OperandColumns,
    _ prologue: inout Prologue
  ) throws(Mistake) {
    if case .version = statement {
      if prologue.version == .read {
        throw Mistake(offset: offset, message: "expected 'pagewalk 1' once")
      }
      prologue.version = .read
      return
    }
    if prologue.version == .missing {
      if case .vm = statement { prologue.vm = .told }
      throw Mistake(offset: offset, message: Prologue.noVersion)
    }
    switch statement {
    case .version: return
    case .title(let text):
      title = text
      return
    case .vm(let change):
      if prologue.vm == .read { throw Mistake(offset: offset, message: "expected 'vm' once") }
      prologue.vm = .read
      change(&configuration)
      return
    case .policy(let setting):
      if statements.contains(where: \.isEvent) {
        throw Mistake(offset: offset, message: "expected 'policy' before anything happens")
      }
      setting.change(&configuration)
      policies.append(setting.key)
      return
    case .event, .chapter, .expect:
      if prologue.vm == .missing {
        prologue.vm = .told
        throw Mistake(offset: offset, message: Prologue.noVM)
      }
      guard let kind = statement.kind else { return }
      statements.append(Statement(kind: kind, origin: origin, columns: columns))
    }
  }
}

extension Scenario {
  /// Whether a device is attached, or attempts DMA.
  public var hasDevices: Bool {
    statements.contains {
      switch $0.kind {
      case .event(.iommu), .event(.dma): true
      default: false
      }
    }
  }
}

extension Statement {
  /// Whether it is an event.
  package var isEvent: Bool {
    if case .event = kind { true } else { false }
  }
}

/// What an event provides, without which later ones are refused.
private enum Need: Hashable {
  case memory, pause, resumption, logging, running, freeSlot
}

extension Event {
  fileprivate var provides: Need? {
    switch self {
    case .addMemslot, .pkvm(.memory): .memory
    case .pause: .pause
    case .resume: .resumption
    case .run, .otherVM(_, .run): .running
    case .host(.dirtyLog(_, true)): .logging
    case .host(.deleteMemslot): .freeSlot
    default: nil
    }
  }
}

extension Refusal.Reason {
  /// What may be missing; nil if the event is refused whatever came before it.
  fileprivate var need: Need? {
    switch self {
    case .outsideSlots: .memory
    case .nothingPaused: .pause
    case .alreadyPaused, .vcpuPaused, .lockHeld, .invalidationActive: .resumption
    case .notLogging: .logging
    case .notRunning: .running
    case .slotExists, .slotsOverlap, .tooManySlots, .addressSpaceFull: .freeSlot
    default: nil
    }
  }
}
