import Engine
import KernelText
import Language
import Observation

/// Tables of a real kernel that were seen at some moments, and of which no event is known, as a scenario: each
/// row of a dump that says something new is a statement, with the place that it is from behind it. A moment is
/// a chapter.
///
/// Between two moments a table was changed by nobody knows what, and in no known order: what a dump shows is
/// told, and never an event that would explain it.
package struct SeenScenario: Sendable {
  /// The scenario, and its text if that is wanted.
  package private(set) var made: ScenarioMaker
  /// What cannot be known, in sentences.
  package private(set) var unknowns: [String] = []

  private var seen: [TableID: ObservedTable] = [:]
  private var maps: [Int: RecordedChapter.ReverseMap] = [:]
  /// Shadows of which it was told that they serve nobody.
  private var unused: Set<TableID> = []
  private let inputBits: Int
  private let format: Descriptor.Format
  /// Number of shadows that the machine has.
  private let shadows: Int
  /// Whether it keeps reverse maps.
  private let hasMaps: Bool
  /// What the pages of each table took at most, in bytes.
  private var room: [TableID: UInt64]
  /// The label of the last moment.
  private var last: String?

  /// What a table of pages takes, and what all tables that were seen may take. A row of a dump costs a line, but
  /// can stand for as many pages as a shadow has input addresses for.
  private static let tableBytes: UInt64 = Page.size
  private static let bytesAtMost: UInt64 = 1 << 30

  /// A scenario of moments, at least one of which has a table.
  ///
  /// - Throws: why the machine cannot have such tables.
  package init(
    _ chapters: [RecordedChapter], title: String, file: String = "imported",
    writesText: Bool = false
  ) throws(Unshowable) {
    let tables = chapters.flatMap(\.tables).filter { Self.isShown($0.id) }
    inputBits = try Self.inputBits(of: chapters)
    let told = chapters.contains { $0.inputBits != nil }
    if !told { unknowns.append("the size of the IPA space, taken to be \(inputBits) bits") }
    room = try Self.room(for: tables, besides: [:])
    let seenShadows =
      chapters.flatMap { Array($0.shadows.keys) + Array($0.reverseMaps.keys) }.max().map { $0 + 1 }
      ?? 0
    let vcpus = min(VMConfiguration.vcpusRange.upperBound, max(1, (seenShadows + 1) / 2))
    shadows = seenShadows > 0 ? 2 * vcpus : 0
    format = Self.commonFormat(of: tables.map(\.table))
    let rows = chapters.flatMap { $0.reverseMaps.values.map(\.rows) }
    hasMaps = rows.contains { !$0.isEmpty }
    var head = [
      "pagewalk 1", "title \(StatementText.quoted(title))",
      "vm ipa=\(inputBits) vcpus=\(vcpus)\(shadows > 0 ? " nested=on" : "")"
        + " seen=\(format.seenWord ?? "marks")",
    ]
    if hasMaps {
      // Only of an exact map can rows overlap.
      let isExact = rows.contains { rows in
        zip(rows, rows.dropFirst()).contains { $0.canonical.overlaps($1.canonical) }
      }
      head.append("policy revmap=\((isExact ? ReverseMapVersion.ideal : .repaired).rawValue)")
    }
    do throws(ScenarioError) {
      made = try ScenarioMaker(head: head, file: file, writesText: writesText)
    } catch {
      throw Unshowable(message: error.description)
    }
    add(.unseen(.canonical, inputs(of: .canonical)), "until a dump is read")
    for number in 0..<(hasMaps ? shadows : 0) {
      add(.unseenMap(.shadow(number), from: 0), "until a dump of it is read")
    }
    for chapter in chapters { write(chapter) }
  }

  /// Adds one more moment. Cost: what its dumps and those before say, not how many moments there are.
  ///
  /// - Returns: whether the machine is made for what was seen; if not, nothing is added.
  /// - Throws: why no machine can have such tables.
  package mutating func extend(by chapter: RecordedChapter) throws(Unshowable) -> Bool {
    let tables = chapter.tables.filter { Self.isShown($0.id) }
    let room = try Self.room(for: tables, besides: room)
    let told = chapter.shadows.keys.max() ?? -1
    guard told < shadows, chapter.reverseMaps.isEmpty, maps.isEmpty,
      chapter.inputBits ?? inputBits == inputBits,
      chapter.canonical?.runs.last?.end ?? 0 <= 1 << UInt64(inputBits),
      tables.allSatisfy({ $0.table.known & format.known == format.known })
    else { return false }
    self.room = room
    write(chapter)
    return true
  }

  /// Takes the scenario, to be carried out.
  package mutating func takeScenario() -> Scenario { made.takeScenario() }

  /// Takes what `extend` has added.
  package mutating func take() -> ScenarioMaker.Addition { made.take() }

  /// What each table takes at most, with more of them or larger ones.
  ///
  /// - Throws: with which table all take too much.
  private static func room(
    for tables: [(id: TableID, table: ObservedTable)], besides old: [TableID: UInt64]
  ) throws(Unshowable) -> [TableID: UInt64] {
    var room = old
    for (id, table) in tables {
      room[id] = max(room[id] ?? 0, bytes(of: table))
      guard room.values.reduce(0, +) > bytesAtMost else { continue }
      let others = room.count > 1 ? ", with those of the other tables," : ""
      throw Unshowable(
        message:
          "\(id.name): its rows\(others) stand for more than \(bytesAtMost >> 30) GiB of tables")
    }
    return room
  }

  /// Tables that a machine cannot have.
  package struct Unshowable: Error {
    /// Which, and why.
    package let message: String
  }

  private static func isShown(_ id: TableID) -> Bool {
    switch id {
    case .canonical, .shadow: true
    case .guest, .vmmStage1, .iommu, .pkvmHost, .protectedGuest: false
    }
  }

  /// The size of the IPA space: what a moment says, or the least that has all rows.
  private static func inputBits(of chapters: [RecordedChapter]) throws(Unshowable) -> Int {
    let mapped = chapters.flatMap { $0.reverseMaps.values.flatMap(\.rows) }.map(
      \.canonical.upperBound)
    let end = (chapters.compactMap { $0.canonical?.runs.last?.end } + mapped).max() ?? 0
    let least = end > 1 ? 64 - (end - 1).leadingZeroBitCount : 0
    if least > VMConfiguration.ipaBitsRange.upperBound {
      throw Unshowable(
        message: "canonical: rows beyond \(VMConfiguration.ipaBitsRange.upperBound) bits of IPA")
    }
    if let bits = chapters.lazy.compactMap(\.inputBits).first {
      guard least <= bits else {
        throw Unshowable(message: "canonical: rows beyond the \(bits) bits that ipa_range says")
      }
      return bits
    }
    // A dump whose last run is there ends where the IPA space does.
    return chapters.contains { $0.canonical?.coverage == .whole }
      ? max(least, VMConfiguration.ipaBitsRange.lowerBound) : max(least, 40)
  }

  /// What the pages of a table take, as far as its rows say that there are such pages.
  private static func bytes(of table: ObservedTable) -> UInt64 {
    let geometry = Geometry.stage2(bits: VMConfiguration.physicalBits)
    return table.runs.reduce(0) { bytes, run in
      bytes + (run.end - run.start) / geometry.size(Int(run.level)) / 512 * tableBytes
    }
  }

  /// The format of which all dumps tell all bits.
  private static func commonFormat(of tables: [ObservedTable]) -> Descriptor.Format {
    if tables.isEmpty { return .dump(.words) }
    return ObservedTable(runs: [], known: tables.reduce(~0) { $0 & $1.known }).format
  }

  private mutating func write(_ chapter: RecordedChapter) {
    made.comment()
    for id in chapter.unreadTables.sorted(by: { $0.name < $1.name }) where seen[id] != nil {
      forget(id)
    }
    let told = Dictionary(chapter.tables.map { ($0.id, $0.table) }, uniquingKeysWith: { $1 })
    if let table = told[.canonical] {
      write(.canonical, table, chapter)
    } else if seen[.canonical] != nil {
      forget(.canonical)
    }
    for (number, table) in chapter.shadows.sorted(by: { $0.key < $1.key }) {
      let id = TableID.shadow(number)
      if let table {
        write(id, table, chapter)
      } else if seen.removeValue(forKey: id) != nil || !unused.contains(id) {
        unused.insert(id)
        add(.unused(id), place(id, chapter))
      }
    }
    // Where a file was that is no more, a shadow serves nobody.
    for id in seen.keys.sorted(by: { $0.name < $1.name }) {
      guard case .shadow(let number) = id, chapter.shadows[number] == nil else { continue }
      seen[id] = nil
      add(.unused(id), "no dump of \(id.name) in \(chapter.label)")
    }
    for (number, map) in chapter.reverseMaps.sorted(by: { $0.key < $1.key }) {
      write(map, ofShadow: number)
    }
    // A map of which there is no dump has not become empty.
    for number in maps.keys.sorted() where chapter.reverseMaps[number] == nil {
      maps[number] = nil
      add(
        .unseenMap(.shadow(number), from: 0), "no dump of its reverse map in \(chapter.label)")
      unknowns.append("the reverse map of shadow \(number) at \(chapter.label)")
    }
    let title =
      chapter.title ?? last.map { "What changed between \($0) and \(chapter.label)" }
    last = chapter.label
    made.addPlain(
      .chapter(label: chapter.label, text: StatementText.safe(title ?? "")),
      made.origin(chapter.label))
  }

  /// The rows of a reverse map that are new, after those that are no more.
  private mutating func write(_ map: RecordedChapter.ReverseMap, ofShadow number: Int) {
    struct Said: Hashable {
      let canonical: Range<UInt64>
      let nested: UInt64?
      init(_ row: ReverseMapDump.Row) { (canonical, nested) = (row.canonical, row.nested) }
    }
    let id = TableID.shadow(number)
    if !hasMaps { return }
    let end: UInt64 = 1 << UInt64(inputBits)
    let before = maps.updateValue(map, forKey: number)
    let said = Set(map.rows.map(Said.init))
    let (known, knownBefore) = (
      min(map.knownEnd ?? end, end), before.map { min($0.knownEnd ?? end, end) } ?? 0
    )
    var left: [Range<UInt64>] = []
    for row in before?.rows ?? []
    where !said.contains(Said(row)) && row.canonical.lowerBound < known {
      left.append(row.canonical)
      add(.seenNoEntry(id, row.canonical), map.source)
    }
    if known < knownBefore {
      left.append(known..<end)
      add(.unseenMap(id, from: known), map.source)
    } else if known > knownBefore {
      left.append(knownBefore..<known)
      add(.seenNoEntry(id, knownBefore..<known), map.source)
    }
    var gone = Ranges()
    for range in left.sorted(by: { $0.lowerBound < $1.lowerBound }) { gone.add(range) }
    let told = Set((before?.rows ?? []).map(Said.init))
    for row in map.rows
    // Of an exact map what is told to be gone takes all entries of its pages with it.
    where !told.contains(Said(row)) || gone.overlaps(row.canonical) {
      add(.seenEntry(id, row.canonical, nested: row.nested), map.source, line: row.line)
    }
  }

  /// Where there is no dump, the one before says nothing of this moment.
  private mutating func forget(_ id: TableID) {
    seen[id] = nil
    add(.unseen(id, inputs(of: id)), "no dump of it")
  }

  /// All input addresses of a table.
  private func inputs(of id: TableID) -> Range<UInt64> {
    0..<1 << UInt64(id == .canonical ? inputBits : VMConfiguration.physicalBits)
  }

  private mutating func write(_ id: TableID, _ table: ObservedTable, _ chapter: RecordedChapter) {
    let place = place(id, chapter)
    let before = seen.updateValue(table, forKey: id)
    if let context = table.context, before?.context != context {
      add(
        .context(
          id, vttbr: context.vttbr, vtcr: context.vtcr, stage2Enabled: context.stage2Enabled),
        place, line: 1)
    }
    guard var old = before else {
      if id != .canonical {
        add(.unseen(id, inputs(of: id)), "until \(place) is read")
      }
      for run in table.runs { add(run, run.range, id, place) }
      return
    }
    // What only one of the two tells is a difference, too.
    var new = table
    old.coverage = .whole
    new.coverage = .whole
    var last: (run: ObservedTable.Run, range: Range<UInt64>)?
    for change in old.changes(to: new) {
      guard let run = change.after else {
        add(.unseen(id, change.range), "\(place) has no row")
        continue
      }
      // A row counts as a whole: of a block no part is new.
      let size = Geometry.stage2(bits: VMConfiguration.physicalBits).size(Int(run.level))
      let range =
        change.range.lowerBound
        & ~(size - 1)..<min(run.end, (change.range.upperBound + size - 1) & ~(size - 1))
      if let (other, part) = last, other == run, part.upperBound >= range.lowerBound {
        last = (run, part.lowerBound..<max(part.upperBound, range.upperBound))
        continue
      }
      if let (run, range) = last { add(run, range, id, place) }
      last = (run, range)
    }
    if let (run, range) = last { add(run, range, id, place) }
  }

  /// Ranges by their ascending starts, as one set of addresses.
  private struct Ranges {
    private var parts: [Range<UInt64>] = []

    mutating func add(_ range: Range<UInt64>) {
      if let last = parts.last, range.lowerBound <= last.upperBound {
        parts[parts.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        parts.append(range)
      }
    }

    /// O(log n) in the number of parts.
    func overlaps(_ range: Range<UInt64>) -> Bool {
      let index = parts.indices.partitioningIndex { parts[$0].upperBound > range.lowerBound }
      return index < parts.count && parts[index].overlaps(range)
    }
  }

  /// The dump that a row stands in.
  private func place(_ id: TableID, _ chapter: RecordedChapter) -> String {
    chapter.sources[id] ?? chapter.label
  }

  private mutating func add(
    _ run: ObservedTable.Run, _ range: Range<UInt64>, _ id: TableID, _ place: String
  ) {
    add(
      .seen(id, range, level: Int(run.level), run.descriptor), place, line: Int(run.line))
  }

  private mutating func add(_ call: RecordedCall, _ source: String, line: Int = 0) {
    made.add(.event(.recorded(call)), made.origin(source, line: line))
  }
}
