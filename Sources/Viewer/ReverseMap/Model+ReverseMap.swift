import Canvas
import Engine
import Language

/// The pane of the reverse map.
extension Model {
  /// The shadow whose map is shown.
  var mappedShadow: Int {
    if case .shadow(let number) = tableID(of: .shadow) { number } else { 0 }
  }

  /// Whether there is a reverse map to be seen.
  var hasReverseMap: Bool {
    machine.configuration.nested && machine.configuration.reverseMap != .none
  }

  /// The entry that is looked at: the chosen one, else the one of the selected page.
  var mappedEntry: ReverseMapEntry? {
    let cursor = reverseMap.cursor
    let start = cursor?.canonical.lowerBound
    let address = focus == .reverseMap ? start ?? link?.ipa : link?.ipa ?? start
    if let cursor, address == start, exactEntries?.contains(cursor) ?? false { return cursor }
    return machine.reverseMapEntry(ofShadow: mappedShadow, from: address ?? 0)
      ?? machine.reverseMapEntry(ofShadow: mappedShadow, before: .max)
  }

  mutating func moveReverseMapCursor(by distance: Int) {
    guard var entry = mappedEntry else { return refuse("The map is empty.") }
    let shadow = mappedShadow
    switch distance {
    case -Int.max: entry = machine.reverseMapEntry(ofShadow: shadow, from: 0) ?? entry
    case Int.max: entry = machine.reverseMapEntry(ofShadow: shadow, before: .max) ?? entry
    default:
      for _ in 0..<abs(distance) {
        guard let next = neighbour(of: entry, after: distance > 0) else { break }
        entry = next
      }
    }
    reverseMap.cursor = entry
  }

  /// All entries, where they may overlap, so that addresses alone do not lead from one to the next.
  private var exactEntries: [ReverseMapEntry]? {
    machine.configuration.reverseMap == .ideal ? machine.reverseMap(ofShadow: mappedShadow) : nil
  }

  /// The next, or previous, entry of the map.
  private func neighbour(of entry: ReverseMapEntry, after: Bool) -> ReverseMapEntry? {
    if let entries = exactEntries {
      guard let index = entries.firstIndex(of: entry) else { return nil }
      let next = after ? index + 1 : index - 1
      return entries.indices.contains(next) ? entries[next] : nil
    }
    return after
      ? machine.reverseMapEntry(ofShadow: mappedShadow, from: entry.canonical.upperBound)
      : machine.reverseMapEntry(ofShadow: mappedShadow, before: entry.canonical.lowerBound)
  }

  /// Entries around the one that is looked at, so many at most.
  func mappedEntries(_ count: Int) -> [ReverseMapEntry] {
    guard let entry = mappedEntry else { return [] }
    var first = entry
    for _ in 0..<max(0, (count - 1) / 2) {
      guard let previous = neighbour(of: first, after: false) else { break }
      first = previous
    }
    return mappedEntries(count, from: first)
  }

  /// The entries of the list, so many at most: those that were in sight, moved as little as the one that is
  /// looked at takes.
  func listedEntries(_ count: Int) -> [ReverseMapEntry] {
    guard let entry = mappedEntry else { return [] }
    guard let top = reverseMap.top, isMapped(top) else { return mappedEntries(count) }
    let entries = mappedEntries(count, from: top)
    if entries.contains(entry) { return entries }
    if entry.canonical.lowerBound < top.canonical.lowerBound {
      return mappedEntries(count, from: entry)
    }
    var first = entry
    for _ in 1..<max(1, count) {
      guard let previous = neighbour(of: first, after: false) else { break }
      first = previous
    }
    return mappedEntries(count, from: first)
  }

  private func isMapped(_ entry: ReverseMapEntry) -> Bool {
    exactEntries?.contains(entry)
      ?? (machine.reverseMapEntry(ofShadow: mappedShadow, from: entry.canonical.lowerBound)
        == entry)
  }

  /// Entries from one on, so many at most; where the map ends before that, some before it, too.
  private func mappedEntries(_ count: Int, from first: ReverseMapEntry) -> [ReverseMapEntry] {
    guard count > 0 else { return [] }
    if let all = exactEntries, let index = all.firstIndex(of: first) {
      let start = max(0, min(index, all.count - count))
      return Array(all[start..<min(start + count, all.count)])
    }
    var entries = [first]
    while entries.count < count, let next = neighbour(of: entries[entries.count - 1], after: true) {
      entries.append(next)
    }
    while entries.count < count, let previous = neighbour(of: entries[0], after: false) {
      entries.insert(previous, at: 0)
    }
    return entries
  }

  /// Goes to the canonical page of the entry that is looked at.
  mutating func chooseReverseMapEntry() {
    guard let entry = mappedEntry else { return refuse("The map is empty.") }
    follow(.place(.canonical, entry.canonical.lowerBound))
  }

  /// Finds the next entry with a text in its line.
  mutating func findReverseMapEntry(_ forward: Bool) {
    guard var entry = mappedEntry else { return refuse("The map is empty.") }
    for _ in 0..<10_000 {
      guard let next = neighbour(of: entry, after: forward) else { break }
      entry = next
      if matches(line(of: entry).text.string) {
        reverseMap.cursor = entry
        return
      }
    }
    refuse("No \(SafeText(searched)) \(forward ? "after" : "before") this entry.")
  }

  /// Brings the list in order, and counts what is in sight if another moment or shadow is shown.
  mutating func settleReverseMap(_ layout: Layout) {
    guard let rect = layout.rect(of: .reverseMap), hasReverseMap else { return }
    defer { reverseMap.top = reverseMapParts(in: Layout.inside(rect)).entries.first }
    let now = reverseMap.summary
    if now?.branch == branch, now?.moment == timeline.moment, now?.shadow == mappedShadow { return }
    reverseMap.summary = ReverseMapSummary(
      ofShadow: mappedShadow, machine, branch: branch, moment: timeline.moment)
  }

  /// What was done last did to the map, in the order of its steps.
  var reverseMapChanges: [(mark: SafeText, role: Role, text: SafeText, range: Range<UInt64>)] {
    lastSteps.compactMap { step in
      guard step.table == .shadow(mappedShadow) else { return nil }
      let range = step.address..<step.address &+ step.size
      let place: SafeText = "\(hex: step.address)+\(SafeText(Phrase.size(step.size)))"
      guard case .reverseMap(let change) = step.action else { return nil }
      switch change {
      case .recordKnown(let nested):
        return ("+", .changed, "inserted \(place) \(Glyph.right) \(hex: nested)", range)
      case .recordUnknown(let count):
        let old: SafeText = count == 1 ? "1 range" : "\(count) ranges"
        return (SafeText(.unknown), .unknown, "fused with \(old): \(place) unknown", range)
      case .recordSkipped:
        return (SafeText(.mismatch), .error, "not recorded \(place): the map is broken", range)
      case .recordOff:
        return (SafeText(.mismatch), .warning, "not recorded \(place): stage 2 is off", range)
      case .recordFailed:
        return (SafeText(.mismatch), .error, "not inserted \(place): no memory", range)
      case .lookUpKnown: return ("-", .changed, "removed \(place)", range)
      case .eraseFailed:
        return (SafeText(.mismatch), .error, "not removed \(place): no memory", range)
      case .resetMap: return ("-", .changed, "emptied", range)
      case .forget: return ("-", .changed, "forgot nested \(place)", range)
      case .brokenCleared: return ("+", .changed, "whole again", range)
      case .record, .recordKept, .lookUpUnknown, .lookUpNothing, .lookUpBroken, .lookUpSwept,
        .failuresArmed:
        return nil
      }
    }
  }

  /// A line of the list of entries.
  func line(of entry: ReverseMapEntry) -> Line {
    var line = Line("\(hex: entry.canonical.lowerBound)")
    line.add(("+\(SafeText(Phrase.size(entry.size)))" as SafeText).padded(to: 7), .dim)
    if let nested = entry.nested {
      line.add("\(Glyph.right) \(hex: nested)")
      if reverseMap.summary?.stale?.contains(entry.canonical) ?? false {
        line.add("  \(Glyph.stale) stale: no leaf is there", .stale)
      }
    } else {
      line.add("\(Glyph.unknown) unknown", .unknown)
    }
    return line
  }
}
