import Canvas
import Engine
import Foundation
import Glibc
import Import
import KernelText
import Language
import Lesson
import MemoryImage
import Observation
import Recording
import TestSupport
import Viewer

/// A reader, the files that it is given changed, and what must hold of whatever it makes of them.
struct FuzzedReader: Sendable, CustomStringConvertible {
  /// Gives the reader an input; whether anything was read of it.
  typealias Check = @Sendable ([UInt8], inout Generator, inout Findings) -> Bool

  let description: String
  let corpus: Corpus
  /// Whether there are inputs that it refuses; others only skip lines.
  let canRefuse: Bool
  /// How much longer a case takes than one of the others: it sees so many fewer of them.
  let cost: Int
  let check: Check

  static let all: [FuzzedReader] = [
    FuzzedReader("dump", check: dump),
    FuzzedReader("trace", check: trace),
    FuzzedReader("smmu-log", check: smmuLog),
    FuzzedReader("raw-table", check: rawTable),
    FuzzedReader("reverse-map", check: reverseMap),
    FuzzedReader("casemate", check: casemate),
    FuzzedReader("tar", check: tar),
    FuzzedReader("core", check: core),
    FuzzedReader("memory", check: memory),
    FuzzedReader("scenario", files("scenarios/bugs", "scenarios/btm"), check: scenario),
    FuzzedReader("recording", files("recordings"), check: recording),
    FuzzedReader("saved-session", cost: 6, check: savedSession),
    FuzzedReader("moment", check: moment),
    FuzzedReader("lesson", files("lessons"), check: lesson),
  ]

  private static let root = URL(filePath: #filePath).deletingLastPathComponent()

  /// A reader of the files in the folder of its name, or of others.
  private init(
    _ name: String, _ files: [[UInt8]]? = nil, canRefuse: Bool = true, cost: Int = 1,
    check: @escaping Check
  ) {
    description = name
    corpus = Corpus(files: files ?? Self.contents(of: Self.root.appending(path: "corpus/\(name)")))
    self.canRefuse = canRefuse
    self.cost = cost
    self.check = check
  }

  /// Files that come with pagewalk.
  private static func files(_ folders: String...) -> [[UInt8]] {
    let assets = root.deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "assets")
    return folders.flatMap { contents(of: assets.appending(path: $0)) }
  }

  private static func contents(of folder: URL) -> [[UInt8]] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.sorted().compactMap { name in
      (try? Data(contentsOf: folder.appending(path: name))).map { [UInt8]($0) }
    }
  }
}

// MARK: Text of kernels

extension FuzzedReader {
  private static func dump(
    _ bytes: [UInt8], _ random: inout Generator, _ findings: inout Findings
  ) -> Bool {
    let lines = bytes.lineCount
    let found = Result { () throws(TextError) in try DumpReader.read(bytes) }
    let windows = Result { () throws(TextError) in
      try DumpReader.read(bytes.withCarriageReturns)
    }
    let bits = 32 + random.below(17)
    for table in (try? DumpReader.read(bytes, inputBits: bits))?.tables ?? [] {
      findings.expect(table)
      findings.expect(
        (table.runs.last?.end ?? 0) <= 1 << UInt64(bits), "a run ends beyond \(bits) bits")
    }
    importFolder([("stage2_page_tables", bytes), ("nested/nested_mmu0", bytes)], &findings)
    switch (found, windows) {
    case (.success(let one), .success(let other)):
      findings.expect(one == other, "with CRLF it is another dump")
    case (.failure(let one), .failure(let other)):
      findings.expect(
        one.line == other.line, "with CRLF line \(other.line) is wrong, not \(one.line)")
    default: findings.expect(false, "with CRLF: \(found), then \(windows)")
    }
    guard case .success(let reading) = found else {
      if case .failure(let error) = found { findings.expect(error, isIn: bytes) }
      return false
    }
    findings.expect(
      reading.tables.reduce(0) { $0 + $1.runs.count } <= 2 * lines, "more runs than rows")
    for table in reading.tables {
      findings.expect(table)
      // What is read of what it is written as; Android's rows have what ours cannot say.
      guard reading.dialect != .names, !table.runs.isEmpty else { continue }
      let text = Array(DumpWriter.text(of: table).utf8)
      let again = try? DumpReader.read(text).tables.first
      findings.expect(
        again?.runs.map(\.told) == table.runs.map(\.told), "written and read, it is another table")
    }
    return !reading.tables.isEmpty
  }

  private static func reverseMap(
    _ bytes: [UInt8], _ random: inout Generator, _ findings: inout Findings
  ) -> Bool {
    importFolder([("ipa_range", Array("48\n".utf8)), ("revmap0", bytes)], &findings)
    do {
      let rows = try ReverseMapDump.read(bytes)
      let text = rows.map { $0.text + "\n" }.joined()
      let again = try ReverseMapDump.read(Array(text.utf8))
      findings.expect(
        again.count == rows.count && zip(again, rows).allSatisfy { $0.says($1) },
        "written and read, it is another map")
      var chapter = RecordedChapter(label: "fuzz")
      chapter.add(reverseMap: bytes, 0, "revmap0")
      let seen = try SeenScenario([chapter], title: "fuzz")
      var session = Session(seen.made.scenario)
      // Only an entry larger than any leaf is refused; and rows that overlap lose what an exact map cannot keep.
      guard rows.allSatisfy({ $0.nested == nil || $0.canonical.count <= 1 << 30 }) else {
        return true
      }
      try session.finish()
      findings.expect(session.leftOut.isEmpty, "rows are refused")
      if zip(rows, rows.dropFirst()).allSatisfy({
        $0.canonical.upperBound <= $1.canonical.lowerBound
      }) {
        findings.expect(
          ReverseMapDump.text(ofShadow: 0, in: session.timeline.machine) == text,
          "what is shown is not what was read")
      }
      return !rows.isEmpty
    } catch let error as TextError {
      findings.expect(error, isIn: bytes)
    } catch {
      findings.expect(false, "\(error)")
    }
    return false
  }

  private static func trace(
    _ bytes: [UInt8], _ random: inout Generator, _ findings: inout Findings
  ) -> Bool {
    func read(_ bytes: [UInt8]) -> (events: [TraceEvent], summary: TraceReader.Summary) {
      var reader = TraceReader()
      var events: [TraceEvent] = []
      var isSame = true
      reader.read(bytes) { event, offset in
        events.append(event)
        isSame =
          isSame && TraceReader().event(at: offset, line: event.line, in: bytes) == event
      }
      findings.expect(isSame, "a line that is read again is another event")
      return (events, reader.summary)
    }
    let (events, summary) = read(bytes)
    findings.expect(events.count == summary.events, "\(events.count) events, not \(summary.events)")
    findings.expect(
      summary.events + summary.skipped.count <= summary.lines
        && summary.lines <= bytes.lineCount, "more lines than there are")
    findings.expect(
      zip(events, events.dropFirst()).allSatisfy { $0.line < $1.line }, "lines out of order")
    findings.expect(
      read(bytes.withCarriageReturns).events == events, "with CRLF there are other events")
    // A text is what its pieces are.
    let cut = bytes[..<random.below(bytes.count + 1)].lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
    let head = read(Array(bytes[..<cut]))
    let tail = read(Array(bytes[cut...]))
    let lines = bytes[..<cut].count { $0 == 0x0a }
    let joined =
      head.events
      + tail.events.map { event in
        var moved = event
        moved.line += lines
        return moved
      }
    findings.expect(joined == events, "cut behind line \(lines), there are other events")
    findings.expect(
      head.summary.lost &+ tail.summary.lost == summary.lost, "cut, other events were lost")
    importFolder(
      [("ipa_range", Array("40\n".utf8)), ("probes.txt", bytes), ("step.txt", bytes)], &findings)
    return TraceReader.accepts(bytes) && summary.events > 0
  }

  private static func smmuLog(
    _ bytes: [UInt8], _ random: inout Generator, _ findings: inout Findings
  ) -> Bool {
    let events = SMMULog.events(bytes)
    findings.expect(events.count <= bytes.lineCount, "more events than lines")
    findings.expect(
      events.allSatisfy { $0.record.count <= 4 && 1...bytes.lineCount ~= $0.line },
      "a record of more than four words, or of no line")
    findings.expect(
      SMMULog.events(bytes.withCarriageReturns) == events, "with CRLF there are other events")
    importFolder([("ipa_range", Array("40\n".utf8)), ("dmesg.txt", bytes)], &findings)
    return !events.isEmpty
  }

  private static func rawTable(
    _ bytes: [UInt8], _ random: inout Generator, _ findings: inout Findings
  ) -> Bool {
    do {
      let tables = try RawTable.read(bytes)
      for table in tables {
        findings.expect(table.pages.count <= bytes.lineCount, "more pages than lines")
        let walk = try? ImageWalk(table.geometry, root: table.root) {
          table.words(at: $0, count: $1)
        }
        if let walk { findings.expect(walk) }
      }
      return true
    } catch {
      findings.expect(error, isIn: bytes)
      return false
    }
  }
}

extension FuzzedReader {
  private static func casemate(
    _ bytes: [UInt8], _ random: inout Generator, _ findings: inout Findings
  ) -> Bool {
    do throws(TextError) {
      let log = try CasemateLog(bytes)
      let again = try CasemateLog(bytes.withCarriageReturns)
      findings.expect(
        log.records.map(\.action) == again.records.map(\.action), "with CRLF it is another log")
      let imported = try CasemateScenario(log, file: "f", title: "fuzz", writesText: true)
      let ends = [imported.breach.map { $0.record + 1 }, log.verdict?.records, log.records.count]
      findings.expect(
        imported.statements + imported.comments == ends.lazy.compactMap(\.self).first,
        "it goes on behind its end")
      _ = imported.watch.tables.map { findings.expect($0.table) }
      // Beyond 48 bits there is no memory slot, and a context may have any registers: that is left out.
      findings.expect(imported.made)
      return !log.records.isEmpty
    } catch {
      findings.expect(error, isIn: bytes)
      return false
    }
  }
}

// MARK: Files with bytes

extension FuzzedReader {
  private static func tar(
    _ bytes: [UInt8], _ random: inout Generator, _ findings: inout Findings
  ) -> Bool {
    do {
      var cut: Tar.Damage?
      let files = try Tar.files(in: bytes, cut: &cut)
      findings.expect(
        files.reduce(0) { $0 + $1.bytes.count } <= bytes.count, "more than the archive has")
      importFolder(files, &findings)
      return !files.isEmpty
    } catch {
      findings.expect(0..<bytes.count ~= error.offset, "byte \(error.offset) is wrong")
      return false
    }
  }

  private static func core(
    _ bytes: [UInt8], _ random: inout Generator, _ findings: inout Findings
  ) -> Bool {
    walk(bytes, base: nil, &random, &findings)
  }

  private static func memory(
    _ bytes: [UInt8], _ random: inout Generator, _ findings: inout Findings
  ) -> Bool {
    let bases: [UInt64] = [
      0x4000_0000, 0x4000_0000, 0x4000_0000, 0, 8, 0x3fff_f000, 1 << 48, .max - 4095, .max,
    ]
    return walk(bytes, base: bases[random.below(bases.count)], &random, &findings)
  }

  private static func walk(
    _ bytes: [UInt8], base: UInt64?, _ random: inout Generator, _ findings: inout Findings
  ) -> Bool {
    let isRight = random.below(3) > 0
    let vttbr = isRight ? 0x4000_0000 : random.next() >> UInt64(random.below(64))
    let vtcr = isRight ? 0x8002_3558 : random.next()
    let file = FileManager.default.temporaryDirectory.appending(
      path: "pagewalk-image-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    do {
      // Unlike Data's own, this does not wait for the disk.
      guard let stream = fopen(file.path, "w") else { throw CocoaError(.fileWriteUnknown) }
      fwrite(bytes, 1, bytes.count, stream)
      fclose(stream)
      var image =
        if let base { try MemoryImage(raw: file.path, base: base) } else {
          try MemoryImage(core: file.path)
        }
      for (one, other) in zip(image.segments, image.segments.dropFirst()) {
        findings.expect(one.range.upperBound <= other.range.lowerBound, "segments overlap")
      }
      let walk = try ImageWalk(&image, vttbr: vttbr, vtcr: vtcr)
      findings.expect(walk)
      findings.expect(
        try KnownTable.guestScenario(
          walk, segments: image.segments, file: "\n", title: "\0\"\\", writesText: true))
      return true
    } catch {
      return false
    }
  }
}

// MARK: pagewalk's own

extension FuzzedReader {
  private static func scenario(
    _ bytes: [UInt8], _ random: inout Generator, _ findings: inout Findings
  ) -> Bool {
    isRead(bytes, &findings) { () throws(ScenarioError) in
      _ = try Scenario(parsing: bytes, file: "f")
    }
  }

  private static func recording(
    _ bytes: [UInt8], _ random: inout Generator, _ findings: inout Findings
  ) -> Bool {
    isRead(bytes, &findings) { () throws(ScenarioError) in
      let recording = try Recording(bytes, file: "f")
      _ = try Scenario(parsing: bytes, of: recording, file: "f")
    }
  }

  /// Opens a saved session, draws it, and plays what was recorded in it.
  static func savedSession(
    _ bytes: [UInt8], _ random: inout Generator, _ findings: inout Findings
  ) -> Bool {
    var problems: [ScenarioError] = []
    let isRead = isRead(bytes, &findings) { () throws(ScenarioError) in
      let recording = try Recording(bytes, file: "f")
      var main = Session(try Scenario(parsing: bytes, of: recording, file: "f"))
      try main.finish()
      _ = try Verification(recording, bytes, file: "f")
      let saved = SavedSession(recording, main: main, problems: &problems)
      var model = Model(saved, width: 80, height: 24)
      model.finishWork()
      _ = model.frame()
      model.play(recording)
      // Some of it as time goes on, the rest at once.
      for _ in 0..<ticksAtMost { _ = model.update(.tick) }
      while model.replayOn() {}
      // A screen may be large; what is drawn on it is not what this is about.
      _ = model.update(.resize(width: 80, height: 24))
      _ = model.frame()
      var text = RecordingText(RecordingVersion(program: "0.0"))
      text.add(model.savedWithChecks())
    }
    for problem in problems { findings.expect(problem, isIn: bytes) }
    return isRead
  }

  private static let ticksAtMost = 40

  /// The saved session of the corpus, for tokens of its moments.
  private static let session: Session? = {
    guard let bytes = contents(of: root.appending(path: "corpus/saved-session")).last,
      let recording = try? Recording(bytes, file: "f"),
      let scenario = try? Scenario(parsing: bytes, of: recording, file: "f")
    else { return nil }
    var session = Session(scenario)
    return (try? session.finish()).map { session }
  }()

  private static func moment(
    _ bytes: [UInt8], _ random: inout Generator, _ findings: inout Findings
  ) -> Bool {
    let text = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first ?? ""
    guard let token = MomentToken(text), let session else { return false }
    findings.expect(MomentToken(token.text) == token, "written and read, it is another moment")
    if session.has(token) {
      findings.expect(session.timeline.events.count >= token.moment.events, "it is beyond the end")
    }
    return true
  }

  /// Whether a text is read; if not, what is wrong must stand in it.
  private static func isRead(
    _ bytes: [UInt8], _ findings: inout Findings, _ read: () throws(ScenarioError) -> Void
  ) -> Bool {
    do {
      try read()
      return true
    } catch {
      findings.expect(error, isIn: bytes)
      return false
    }
  }

  private static func lesson(
    _ bytes: [UInt8], _ random: inout Generator, _ findings: inout Findings
  ) -> Bool {
    var mistakes: [ScenarioError] = []
    _ = Lesson(reading: bytes, file: "f", &mistakes)
    for mistake in mistakes { findings.expect(mistake, isIn: bytes) }
    return mistakes.isEmpty
  }
}

// MARK: What must hold

extension FuzzedReader {
  /// Imports files as a folder of one moment: what is written of them is a scenario, which is carried out as
  /// far as the engine takes it.
  private static func importFolder(
    _ files: [(path: String, bytes: [UInt8])], _ findings: inout Findings
  ) {
    let chapters = RecordedChapter.all(
      in: files.map { ($0.path.contains("/00") ? $0.path : "0001/\($0.path)", $0.bytes) },
      of: "folder")
    for unmaps in [RecordedScenario.Unmaps.observed, .predicted(.repaired)] {
      do {
        let recorded = try RecordedScenario(
          chapters, title: "fuzz", unmaps: unmaps, writesText: true)
        _ = try ImportedRun(of: recorded.made.scenario, against: chapters)
        findings.expect(recorded.made)
      } catch {
        findings.expect(false, error.description)
      }
    }
  }
}

extension Findings {
  /// What was made of other files is carried out, and so is its text, in which nothing is left to be refused.
  fileprivate mutating func expect(_ made: ScenarioMaker) {
    var text = ""
    do {
      var session = Session(made.scenario, keepsPast: false)
      try session.finish()
      text = made.text(of: session)
      var written = Session(
        try Scenario(parsing: Array(text.utf8), file: "imported"), keepsPast: false)
      try written.finish()
      expect(
        written.timeline.machine.fingerprint == session.timeline.machine.fingerprint,
        "the text does something else")
    } catch {
      expect(false, "\(error.description) in:\n\(text)")
    }
  }

  fileprivate mutating func expect(_ error: TextError, isIn bytes: [UInt8]) {
    expect(
      1...bytes.lineCount + 1 ~= error.line && 1...bytes.count + 1 ~= error.column,
      "no place of the text: \(error)")
  }

  fileprivate mutating func expect(_ error: ScenarioError, isIn bytes: [UInt8]) {
    expect(
      1...bytes.lineCount + 1 ~= error.line && 1...bytes.count + 1 ~= error.column,
      "no place of the text: \(error)")
  }

  /// Runs are ascending, and leave no gap.
  fileprivate mutating func expect(_ table: ObservedTable) {
    expect(table.runs.allSatisfy { $0.start < $0.end && 0...3 ~= $0.level }, "an empty run")
    expect(
      zip(table.runs, table.runs.dropFirst()).allSatisfy { $0.end == $1.start },
      "a gap between runs")
  }

  /// A walk covers all input addresses, once.
  fileprivate mutating func expect(_ walk: ImageWalk) {
    expect(walk.table)
    expect(
      walk.table.runs.first?.start == 0
        && walk.table.runs.last?.end == walk.geometry.inputSize, "not all input addresses")
    expect(walk.faults.count <= 1000, "\(walk.faults.count) faults")
  }
}

extension ObservedTable.Run {
  /// What a row tells of it.
  fileprivate var told: [UInt64] {
    let bits = descriptor.bits & (3 << 53 | 1 << 10 | 3 << 6 | 3)
    return [start, end, UInt64(clamping: level), descriptor.isValid ? bits : bits & ~2]
  }
}

extension [UInt8] {
  fileprivate var lineCount: Int {
    count { $0 == 0x0a } + (last == 0x0a || isEmpty ? 0 : 1)
  }

  fileprivate var withCarriageReturns: [UInt8] {
    flatMap { $0 == 0x0a ? [0x0d, 0x0a] : [$0] }
  }
}
