import Canvas
import Engine
import Language

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
    let parts = reverseMapParts(in: rect)
    for (y, line) in parts.about.enumerated() {
      frame.write(line, at: Point(parts.inside.x, parts.inside.y + y), clip: parts.inside)
    }
    draw(parts.entries, in: parts.list, of: &frame)
    let isFull = parts.list.bottom + parts.nodes.count >= parts.inside.bottom
    for (y, line) in parts.nodes.enumerated() {
      let point = Point(parts.inside.x, parts.list.bottom + (isFull ? 0 : 1) + y)
      frame.write(line, at: point, clip: parts.inside)
    }
  }

  /// What the pane shows: lines about the map, the entries in sight, and the nodes that lead to one.
  struct ReverseMapParts {
    let inside: Rect
    let about: [Line]
    let entries: [ReverseMapEntry]
    let nodes: [Line]

    /// Where the entries are.
    var list: Rect {
      inside.rows(.fixed(about.count), .fixed(max(1, entries.count)), .flexible)[1]
    }
  }

  /// What the pane shows in a rectangle without its title.
  func reverseMapParts(in rect: Rect) -> ReverseMapParts {
    let inside = rect.inset(columns: 1, rows: 0)
    let about = aboutReverseMap(width: inside.width)
    // The nodes stand below the entries, where there is room for a few of those.
    let rest = max(0, inside.height - about.count)
    let least = max(1, mappedEntries(min(rest, Self.entriesAboveNodes)).count)
    var nodes = detailLevel != .plain ? nodeLines : []
    if least + nodes.count > rest { nodes = [] }
    return ReverseMapParts(
      inside: inside, about: about, entries: listedEntries(rest - nodes.count), nodes: nodes)
  }

  /// The entry at a point of the pane: in the list, or in the line of ranges.
  func mappedEntry(at point: Point, in rect: Rect) -> ReverseMapEntry? {
    guard hasReverseMap else { return nil }
    let parts = reverseMapParts(in: rect)
    if parts.list.contains(point) {
      let line = point.y - parts.list.y
      return parts.entries.indices.contains(line) ? parts.entries[line] : nil
    }
    guard point.y == parts.inside.y else { return nil }
    var x = parts.inside.x
    for (text, _, entry) in rangeParts(width: parts.inside.width) {
      if (x..<x + text.columns).contains(point.x) { return entry }
      x += text.columns
    }
    return nil
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
    let ranges = rangeParts(width: width).reduce(into: Line()) { $0.add($1.text, $1.role) }
    var lines = [ranges] + countLine.wrapped(to: width, indent: 2)
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

  /// Ranges and gaps of canonical memory, in their order, around the entry that is looked at: texts, how
  /// they look, and the entries that they are of.
  private func rangeParts(width: Int) -> [(text: SafeText, role: Role, entry: ReverseMapEntry?)] {
    var parts: [(text: SafeText, role: Role, entry: ReverseMapEntry?)] = []
    var columns = 0
    func add(_ text: SafeText, _ role: Role = .dim, _ entry: ReverseMapEntry? = nil) {
      parts.append((text, role, entry))
      columns += text.columns
    }
    let entries = mappedEntries(max(3, width / 16))
    let current = mappedEntry
    // So many entries before the current one as leave room for it.
    let index = entries.firstIndex { $0 == current } ?? 0
    var end = entries.first?.canonical.lowerBound ?? 0
    for index in max(0, index - 1)..<max(1, entries.count) where !entries.isEmpty {
      let entry = entries[index]
      // Ranges of an exact map may overlap.
      let isAdjacent = !parts.isEmpty && entry.canonical.lowerBound <= end
      let target: SafeText =
        entry.nested.map { "\(Glyph.right)\(hex: $0)" } ?? " \(Glyph.unknown)unknown"
      let text: SafeText = "\(hex: entry.canonical.lowerBound)" + target
      // Four columns for the gap before it, and two for what may follow.
      if columns + text.columns + 6 > width {
        add(SafeText(.ellipsis))
        break
      }
      if !isAdjacent { add(SafeText(repeating: SafeText(.horizontal), count: 3)) }
      add(SafeText(isAdjacent ? .vertical : .teeLeft))
      add(text, entry == current ? .linked : entry.nested == nil ? .unknown : .valid, entry)
      end = entry.canonical.upperBound
      let next = index + 1 < entries.count ? entries[index + 1] : nil
      if next.map({ $0.canonical.lowerBound > end }) ?? true { add(SafeText(.teeRight)) }
    }
    add(SafeText(repeating: SafeText(.horizontal), count: max(0, width - columns)))
    return parts
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
