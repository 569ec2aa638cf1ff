import Engine
import Import
import Inquiry
import Observation

/// Observed tables, as text.
enum ObservedText {
  /// The tables of moments, and the differences between moments. The events that caused them are unknown.
  static func lines(_ chapters: [RecordedChapter]) -> [String] {
    var lines: [String] = []
    for (index, chapter) in chapters.enumerated() {
      if index == 0 {
        lines.append("moment \(chapter.label)\(chapter.title.map { ": \($0)" } ?? "")")
        for (id, table) in chapter.tables { lines += self.lines(table, id) }
        for (number, map) in chapter.reverseMaps.sorted(by: { $0.key < $1.key }) {
          lines.append("revmap\(number): \(map.rows.count) entries")
          lines += map.rows.map { "  \($0.text)" }
          if let end = map.knownEnd { lines.append("  not known from \(Phrase.address(end)) on") }
        }
      } else {
        lines += changes(from: chapters[index - 1], to: chapter)
      }
    }
    return lines
  }

  /// A table: a line with its unknowns, and a line for each run.
  static func lines(_ table: ObservedTable, _ id: TableID) -> [String] {
    var head = "\(id.name): \(table.leaves) leaves"
    if let context = table.context {
      head +=
        ", VTTBR 0x\(hex(context.vttbr, 16)) VTCR 0x\(hex(context.vtcr, 16)), stage 2 "
        + (context.stage2Enabled ? "on" : "off")
    }
    let unknowns = table.unknowns
    if !unknowns.isEmpty { head += "; not known: \(unknowns.joined(separator: ", "))" }
    return [head] + table.runs.map { "  " + line($0, table) }
  }

  /// A run, with `?` for an unknown output address.
  static func line(_ run: ObservedTable.Run, _ table: ObservedTable) -> String {
    let range = "0x\(hex(run.start, 16))-0x\(hex(run.end, 16))"
    let output =
      !run.isMapped
      ? "" : table.knowsOutputs ? " -> \(Phrase.address(run.descriptor.address))" : " -> ?"
    return "\(range) \(Judgement.words(run))\(output)"
  }

  /// The differences between two moments.
  static func changes(from before: RecordedChapter, to after: RecordedChapter) -> [String] {
    var lines = [
      "changed between \(before.label) and \(after.label)\(after.title.map { ": \($0)" } ?? "")"
    ]
    let old = Dictionary(uniqueKeysWithValues: before.tables.map { ($0.id, $0.table) })
    let new = Dictionary(uniqueKeysWithValues: after.tables.map { ($0.id, $0.table) })
    var ids: [TableID] = []
    for (id, _) in before.tables + after.tables where !ids.contains(id) { ids.append(id) }
    for id in ids {
      switch (old[id], new[id]) {
      case (nil, nil): break
      case (_, nil) where after.unreadTables.contains(id): lines.append("  \(id.name): not known")
      case (nil, _?) where before.unreadTables.contains(id):
        lines.append("  \(id.name): known again, not compared")
      case (nil, let table?): lines.append("  new: " + (self.lines(table, id).first ?? ""))
      case (_?, nil): lines.append("  \(id.name): not in use any more")
      case (let one?, let two?):
        if one.context != two.context { lines.append("  \(id.name): serves other registers of L1") }
        for change in one.changes(to: two) {
          lines.append(
            "  \(id.name) 0x\(hex(change.range.lowerBound, 16))-0x\(hex(change.range.upperBound, 16)): "
              + "\(Judgement.words(change.before)), then \(Judgement.words(change.after))")
        }
      }
    }
    let maps = Set(before.reverseMaps.keys).union(after.reverseMaps.keys).sorted()
    for number in maps {
      guard let first = before.reverseMaps[number], let second = after.reverseMaps[number] else {
        let isKnown = after.reverseMaps[number] != nil
        lines.append("  revmap\(number): \(isKnown ? "known, not compared" : "not known")")
        continue
      }
      let limit = min(first.knownEnd ?? .max, second.knownEnd ?? .max)
      let (one, two) = (first.rows(below: limit), second.rows(below: limit))
      if limit < .max {
        lines.append("  revmap\(number): not known from \(Phrase.address(limit)) on")
      }
      let (old, new) = (Set(one.map(\.text)), Set(two.map(\.text)))
      lines += one.filter { !new.contains($0.text) }.map { "  revmap\(number) no more: \($0.text)" }
      lines += two.filter { !old.contains($0.text) }.map { "  revmap\(number) new: \($0.text)" }
    }
    return lines.count == 1 ? ["\(lines[0]): nothing"] : lines
  }
}

/// The observations, for programs.
struct ImportRecord: Encodable {
  struct Table: Encodable {
    struct Run: Encodable {
      @Hex var start: UInt64
      @Hex var end: UInt64
      let level: Int
      /// The known bits of the descriptor.
      @Hex var bits: UInt64
      /// Output address of the first entry; nil if unknown, or there is none.
      @Hex var output: UInt64?
    }

    let table: String
    @Hex var vttbr: UInt64?
    @Hex var vtcr: UInt64?
    let leaves: UInt64
    /// Mask of the descriptor bits that the source has.
    @Hex var known: UInt64
    let unknown: [String]
    let runs: [Run]

    init(_ id: TableID, _ table: ObservedTable) {
      self.table = id.name
      vttbr = table.context?.vttbr
      vtcr = table.context?.vtcr
      leaves = table.leaves
      known = table.known
      unknown = table.unknowns
      runs = table.runs.map {
        Run(
          start: $0.start, end: $0.end, level: Int($0.level), bits: $0.descriptor.bits,
          output: table.knowsOutputs && $0.isMapped ? $0.descriptor.address : nil)
      }
    }
  }

  /// A reverse map of a shadow.
  struct ReverseMap: Encodable {
    struct Entry: Encodable {
      @Hex var start: UInt64
      @Hex var end: UInt64
      /// The nested IPA of the first page; nil if it is unknown.
      @Hex var nested: UInt64?
    }

    let shadow: Int
    let entries: [Entry]
    /// The canonical IPA from which on the map is not known; nil if all of it is.
    @Hex var unknownFrom: UInt64?

    init(_ shadow: Int, _ map: RecordedChapter.ReverseMap) {
      self.shadow = shadow
      unknownFrom = map.knownEnd
      entries = map.rows.map {
        Entry(start: $0.canonical.lowerBound, end: $0.canonical.upperBound, nested: $0.nested)
      }
    }
  }

  struct Moment: Encodable {
    let label: String
    let title: String?
    let tables: [Table]
    let reverseMaps: [ReverseMap]
    let unread: [String]
    /// Number of tables compared with the model, and their differences.
    let compared: Int
    let differences: [String]
  }

  let sources: [Imported.Source]
  let moments: [Moment]
  let lines, statements, comments, skipped: Int
  let lost: UInt64
  let firstSkipped, unknown, notes: [String]
  /// The first row in which a table is not the model's; nil if all are.
  let difference: Discrepancy?

  init(_ imported: Imported, _ difference: Discrepancy?) {
    self.difference = difference
    sources = imported.sources
    moments = imported.chapters.map { chapter in
      let judgement = imported.run?.judgements.first { $0.label == chapter.label }?.judgement
      return Moment(
        label: chapter.label, title: chapter.title,
        tables: chapter.tables.map { Table($0.id, $0.table) },
        reverseMaps: chapter.reverseMaps.sorted { $0.key < $1.key }.map(ReverseMap.init),
        unread: chapter.unread,
        compared: judgement?.compared ?? 0,
        differences: judgement?.differences.map(\.sentence) ?? [])
    }
    let summary = imported.summary
    (lines, statements, comments) = (summary.lines, summary.statements, summary.comments)
    (skipped, lost) = (summary.skipped, summary.lost)
    (firstSkipped, unknown) = (summary.firstSkipped, summary.unknowns)
    notes = imported.notes + imported.refused.map { "refused: \($0)" }
  }
}
