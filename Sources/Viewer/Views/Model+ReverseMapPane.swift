import Canvas
import Engine
import Scenario

extension Model {
  /// The reverse map: a line of its ranges, what it holds, what was done last, its entries and its nodes.
  func drawReverseMap(in rect: Rect, of frame: inout Surface) {
    guard hasReverseMap else {
      let lines = [
        Line("revmap=none: nothing is recorded, so whatever page goes, every shadow goes.", .dim),
        Line("\(key(.policy)) shows the same events under another policy.", .dim),
      ]
      for (y, line) in lines.flatMap({ $0.wrapped(to: rect.width - 2) }).enumerated()
      where y < rect.height {
        frame.write(line, at: Point(rect.x + 1, rect.y + y), clip: rect)
      }
      return
    }
    let inside = Rect(x: rect.x + 1, y: rect.y, width: rect.width - 2, height: rect.height)
    let about = aboutReverseMap(width: inside.width)
    // The nodes stand below the entries, where there is room for a few of those.
    let rest = max(0, inside.height - about.count)
    let least = max(1, mappedEntries(min(rest, Self.entriesAboveNodes)).count)
    var nodes = detailLevel != .plain ? nodeLines : []
    if least + nodes.count > rest { nodes = [] }
    let entries = mappedEntries(rest - nodes.count)
    let shown = max(1, entries.count)
    let gap = nodes.isEmpty || shown + nodes.count == rest ? 0 : 1
    let parts = inside.rows(.fixed(about.count), .fixed(shown), .fixed(gap), .flexible)
    for (y, line) in about.enumerated() {
      frame.write(line, at: Point(inside.x, parts[0].y + y), clip: parts[0])
    }
    draw(entries, in: parts[1], of: &frame)
    for (y, line) in nodes.enumerated() {
      frame.write(line, at: Point(inside.x, parts[3].y + y), clip: parts[3])
    }
  }

  private static let entriesAboveNodes = 5

  private func draw(_ entries: [ReverseMapEntry], in rect: Rect, of frame: inout Surface) {
    if entries.isEmpty, rect.height > 0 {
      frame.write(Line("empty", .dim), at: rect.origin, clip: rect)
    }
    let changed = reverseMapChanges
    for (y, entry) in entries.enumerated() {
      let isCursor = entry == mappedEntry
      let isChanged = changed.contains { $0.mark != "-" && $0.range.overlaps(entry.canonical) }
      var line = Line(isChanged ? SafeText(.changed) : " ", .changed)
      line.add(isCursor ? SafeText(.selected) : " ", .key)
      let text = self.line(of: entry)
      line.add(text)
      frame.write(line, at: Point(rect.x, rect.y + y), clip: rect)
      if isCursor, focus == .reverseMap {
        let width = min(text.columns, rect.width - 2)
        frame.restyle(Rect(x: rect.x + 2, y: rect.y + y, width: width, height: 1)) {
          $0.attributes.formSymmetricDifference(.reverse)
        }
      }
    }
  }

  /// The line of ranges, the counts, and what was done last.
  private func aboutReverseMap(width: Int) -> [Line] {
    var lines = [rangeLine(width: width)] + countLine.wrapped(to: width, indent: 2)
    let changes = reverseMapChanges
    if let last = changes.last {
      var line = Line("last  ", .dim)
      line.add(last.mark + " ", last.role)
      line.add(last.text)
      if changes.count > 1 { line.add("  and \(changes.count - 1) before", .dim) }
      lines.append(line)
    }
    return lines
  }

  private var countLine: Line {
    guard let summary = reverseMap.summary else { return Line() }
    var line = Line(summary.entries == 1 ? "1 entry" : "\(summary.entries) entries", .heading)
    if let unknown = summary.unknown {
      line.add("  known \(summary.entries - unknown.entries)")
      line.add(
        "  unknown \(unknown.entries)"
          + (unknown.bytes > 0 ? ", \(SafeText(Phrase.size(unknown.bytes)))" : ""),
        unknown.entries > 0 ? .unknown : .text)
      let stale = summary.stale?.count ?? 0
      line.add("  stale \(stale)", stale > 0 ? .stale : .text)
    } else {
      line.add("  too many to count the unknown and stale", .dim)
    }
    line.add(
      summary.isBroken ? "  \(Glyph.mismatch) broken" : "  whole",
      summary.isBroken ? .mismatch : .text)
    if summary.direct > 0 { line.add("  direct map \(summary.direct)", .dim) }
    let nodes = summary.bytes / ReverseMapNode.bytes
    line.add("  \(nodes) node\(nodes == 1 ? "" : "s") of \(ReverseMapNode.bytes)B", .dim)
    return line
  }

  /// Ranges and gaps of canonical memory, in their order, around the entry that is looked at.
  private func rangeLine(width: Int) -> Line {
    var line = Line()
    let entries = mappedEntries(max(3, width / 16))
    guard let first = entries.first else {
      return Line(SafeText(repeating: SafeText(.horizontal), count: width), .dim)
    }
    let current = mappedEntry
    // So many entries before the current one as leave room for it.
    let index = entries.firstIndex { $0 == current } ?? 0
    var end = first.canonical.lowerBound
    for index in max(0, index - 1)..<entries.count {
      let entry = entries[index]
      // Ranges of an exact map may overlap.
      let isAdjacent = !line.parts.isEmpty && entry.canonical.lowerBound <= end
      let target: SafeText =
        entry.nested.map { "\(Glyph.right)\(hex: $0)" } ?? " \(Glyph.unknown)unknown"
      let text: SafeText = "\(hex: entry.canonical.lowerBound)" + target
      // Four columns for the gap before it, and two for what may follow.
      if line.columns + text.columns + 6 > width {
        line.add(SafeText(.ellipsis), .dim)
        break
      }
      if !isAdjacent { line.add(SafeText(repeating: SafeText(.horizontal), count: 3), .dim) }
      line.add(SafeText(isAdjacent ? .vertical : .teeLeft), .dim)
      line.add(text, entry == current ? .linked : entry.nested == nil ? .unknown : .valid)
      end = entry.canonical.upperBound
      let next = index + 1 < entries.count ? entries[index + 1] : nil
      if next.map({ $0.canonical.lowerBound > end }) ?? true { line.add(SafeText(.teeRight), .dim) }
    }
    line.add(SafeText(repeating: SafeText(.horizontal), count: max(0, width - line.columns)), .dim)
    return line
  }

  /// The nodes on the way to the entry that is looked at, with their pivots, and its payload.
  private var nodeLines: [Line] {
    guard let entry = mappedEntry else { return [] }
    let isIdeal = machine.configuration.reverseMap == .ideal
    let path = machine.reverseMapPath(
      ofShadow: mappedShadow, to: isIdeal ? entry.nested ?? 0 : entry.canonical.lowerBound,
      direct: isIdeal)
    var lines = [
      Line("payload  ", .dim).adding(entry.encoding(machine.configuration.reverseMap))
    ]
    for node in path {
      var line = Line(node.level == 0 ? "leaf     " : "level \(node.level)  ", .dim)
      line.add("\(hex: node.address)  ", .address)
      line.add("\(node.pivots.count) of \(ReverseMapNode.capacity)  pivots ", .dim)
      let start = max(0, min(node.taken - 1, node.pivots.count - 4))
      if start > 0 { line.add("\(Glyph.ellipsis) ", .dim) }
      for index in start..<min(start + 4, node.pivots.count) {
        if index == node.taken { line.add(SafeText(.selected), .key) }
        line.add("\(hex: node.pivots[index]) ", index == node.taken ? .linked : .text)
      }
      if start + 4 < node.pivots.count { line.add(SafeText(.ellipsis), .dim) }
      lines.append(line)
    }
    return lines
  }
}

extension Line {
  /// Adds another line's parts.
  mutating func add(_ line: Line) {
    for part in line.parts { add(part.text, part.style.role) }
  }

  func adding(_ line: Line) -> Line {
    var both = self
    both.add(line)
    return both
  }
}
