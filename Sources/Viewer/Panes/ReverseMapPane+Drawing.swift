import Canvas
import Engine
import Inquiry
import Language

/// Drawing the reverse map: a line of its ranges, its counts, its last changes, its entries and its
/// nodes.
extension ReverseMapPane {
  func draw(_ model: Model, in rect: Rect, of frame: inout Surface) -> SafeText {
    guard model.hasReverseMap else {
      let lines = [
        Line(
          "revmap=none: nothing is recorded, so whichever page is unmapped, every shadow is unmapped.",
          .dim),
        Line("\(model.press(.policy)) to see the same events under another policy.", .dim),
      ]
      for (y, line) in lines.flatMap({ $0.wrapped(to: rect.width - 2) }).enumerated()
      where y < rect.height {
        frame.write(line, at: Point(rect.x + 1, rect.y + y), clip: rect)
      }
      return ""
    }
    let parts = parts(of: rect, model)
    for (y, line) in parts.about.enumerated() {
      frame.write(line, at: Point(parts.inside.x, parts.inside.y + y), clip: parts.inside)
    }
    draw(parts.entries, model, in: parts.list, of: &frame)
    let isFull = parts.list.bottom + parts.nodes.count >= parts.inside.bottom
    for (y, line) in parts.nodes.enumerated() {
      let point = Point(parts.inside.x, parts.list.bottom + (isFull ? 0 : 1) + y)
      frame.write(line, at: point, clip: parts.inside)
    }
    // Its own lines show the position in the map.
    return ""
  }

  /// What the pane shows: lines about the map, the visible entries, and the nodes that lead to one.
  struct Parts {
    let inside: Rect
    let about: [Line]
    let entries: [ReverseMapEntry]
    let nodes: [Line]

    /// The rectangle of the entries.
    var list: Rect {
      inside.rows(.fixed(about.count), .fixed(max(1, entries.count)), .flexible)[1]
    }
  }

  /// Number of entries visible above the nodes, if there are that many.
  private static let entriesAboveNodes = 5

  func parts(of rect: Rect, _ model: Model) -> Parts {
    let inside = rect.inset(columns: 1, rows: 0)
    let about = about(model, width: inside.width)
    let rest = max(0, inside.height - about.count)
    guard let entry = model.mappedEntry else {
      return Parts(inside: inside, about: about, entries: [], nodes: [])
    }
    // The nodes are below the entries, if there is room for a few of those.
    let entries = model.mapped
    let least = max(1, entries.entries(min(rest, Self.entriesAboveNodes), around: entry).count)
    let hasNodes = model.detailLevel != .plain && !model.machine.configuration.isSeen
    var nodes = hasNodes ? nodeLines(of: entry, model) : []
    if least + nodes.count > rest { nodes = [] }
    return Parts(
      inside: inside, about: about,
      entries: entries.entries(rest - nodes.count, showing: entry, top: model.reverseMap.top),
      nodes: nodes)
  }

  /// The entry at a point: in the list, or in the line of ranges.
  func entry(at point: Point, in rect: Rect, _ model: Model) -> ReverseMapEntry? {
    guard model.hasReverseMap else { return nil }
    let parts = parts(of: rect, model)
    if parts.list.contains(point) {
      let line = point.y - parts.list.y
      return parts.entries.indices.contains(line) ? parts.entries[line] : nil
    }
    guard point.y == parts.inside.y else { return nil }
    var x = parts.inside.x
    for part in rangeParts(model, width: parts.inside.width) {
      if (x..<x + part.text.columns).contains(point.x) { return part.entry }
      x += part.text.columns
    }
    return nil
  }

  // MARK: Entries

  private func draw(
    _ entries: [ReverseMapEntry], _ model: Model, in rect: Rect, of frame: inout Surface
  ) {
    if entries.isEmpty, rect.height > 0 {
      frame.write(Line(emptiness(of: model), .dim), at: rect.origin, clip: rect)
    }
    let changed = model.reverseMap.summary?.changedRanges ?? []
    let current = model.mappedEntry
    for (y, entry) in entries.enumerated() {
      let isCursor = entry == current
      let isChanged = changed.contains { $0.overlaps(entry.canonical) }
      var line = Line(isChanged ? SafeText(.changed) : " ", .changed)
      line.add(isCursor ? SafeText(.selected) : " ", .key)
      let text = self.line(of: entry, model)
      line.add(text)
      frame.write(line, at: Point(rect.x, rect.y + y), clip: rect)
      if isCursor, model.focus == pane {
        let width = min(text.columns, rect.width - 2)
        frame.restyle(Rect(x: rect.x + 2, y: rect.y + y, width: width, height: 1)) {
          $0.attributes.formSymmetricDifference(.reverse)
        }
      }
    }
  }

  /// Why no entry is listed.
  private func emptiness(of model: Model) -> SafeText {
    if model.filter == nil {
      let isTold = model.machine.reverseMapUnseen(ofShadow: model.mappedShadow) == nil
      return isTold ? "empty" : "\(Glyph.unknown) no dump tells"
    }
    let all: SafeText =
      model.reverseMap.filtered?.isCut ?? false
      ? "None of the first \(FilteredRanges.entriesAtMost) ranges matches."
      : "No range matches."
    return all + " \(model.quoted(.clearFilter)) shows all."
  }

  /// An entry of the list.
  func line(of entry: ReverseMapEntry, _ model: Model) -> Line {
    let isStale = model.reverseMap.summary?.stale?.contains(entry.canonical) ?? false
    let words = entry.words(isStale: isStale)
    var line = Line(SafeText(words.address))
    line.add(SafeText(words.size), .dim)
    line.add(SafeText(words.target), entry.nested == nil ? .unknown : .text)
    line.add(SafeText(words.remark), .stale)
    return line
  }

  // MARK: Lines about the map

  /// The line of ranges, the counts, and the last changes.
  private func about(_ model: Model, width: Int) -> [Line] {
    let ranges = rangeParts(model, width: width).reduce(into: Line()) { $0.add($1.text, $1.role) }
    var lines = [ranges] + (counts(model)?.wrapped(to: width, indent: 2) ?? [Line()])
    let changes = model.reverseMap.summary?.changes ?? []
    if let last = changes.last {
      var line = Line("last  ", .dim)
      line.add(last.mark + " ", last.role)
      line.add(last.text)
      if changes.count > 1 {
        line.add(
          "  (+\(changes.count - 1) earlier \(changes.count == 2 ? "change" : "changes"))", .dim)
      }
      lines.append(line)
    }
    return lines
  }

  private func counts(_ model: Model) -> Line? {
    guard let summary = model.reverseMap.summary else { return nil }
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
    // Neither whether an insertion failed nor the kernel's own tree is in a dump.
    if model.machine.configuration.isSeen {
      if let from = model.machine.reverseMapUnseen(ofShadow: model.mappedShadow) {
        line.add(
          "  \(Glyph.unknown) not told" + (from > 0 ? " from \(hex: from) on" : ""), .unknown)
      }
      return line
    }
    // A broken map is not asked: everything of the shadow is unmapped.
    if summary.isBroken {
      line.add("  \(Glyph.mismatch) broken", .mismatch)
    } else if let uncovered = summary.uncovered {
      line.add("  uncovered \(uncovered)", uncovered > 0 ? .mismatch : .text)
    } else {
      line.add("  not marked broken")
    }
    if summary.direct > 0 { line.add("  direct map \(summary.direct)", .dim) }
    let nodes = summary.bytes / ReverseMapNode.bytes
    line.add(
      nodes == 1
        ? "  1 maple node (\(ReverseMapNode.bytes) B)"
        : "  \(nodes) maple nodes (\(ReverseMapNode.bytes) B each)", .dim)
    return line
  }

  /// The changes of the map by the last event or micro-step, in the order of its steps. O(n) in the steps.
  func changes(in model: Model) -> [ReverseMapChange] {
    if let sight = model.session.sight { return changes(of: sight, in: model) }
    return model.lastSteps.compactMap { step in
      guard step.table == .shadow(model.mappedShadow) else { return nil }
      let range = step.addresses
      let place = SafeText(Phrase.span(step))
      func change(_ mark: SafeText, _ role: Role, _ text: SafeText) -> ReverseMapChange {
        ReverseMapChange(mark: mark, role: role, text: text, range: range)
      }
      if case .sight(.entry(let nested)) = step.action {
        let target: SafeText = nested.map { "\(hex: $0)" } ?? "unknown"
        return change("+", .changed, "seen \(place) \(Glyph.right) \(target)")
      }
      if case .sight(.mapUnseen) = step.action {
        return change(SafeText(.unknown), .unknown, "not told \(place)")
      }
      if case .sight(.noEntry) = step.action { return change("-", .changed, "no more \(place)") }
      guard case .reverseMap(let action) = step.action else { return nil }
      switch action {
      case .recordKnown(let nested):
        return change("+", .changed, "inserted \(place) \(Glyph.right) \(hex: nested)")
      case .recordUnknown(let count):
        let old: SafeText = count == 1 ? "1 range" : "\(count) ranges"
        return change(SafeText(.unknown), .unknown, "fused with \(old): \(place) unknown")
      case .recordSkipped:
        return change(SafeText(.mismatch), .error, "not recorded \(place): the map is broken")
      case .recordOff:
        return change(SafeText(.mismatch), .warning, "not recorded \(place): stage 2 is off")
      case .recordFailed:
        return change(SafeText(.mismatch), .error, "not inserted \(place): no memory")
      case .lookUpKnown: return change("-", .changed, "removed \(place)")
      case .eraseFailed:
        return change(SafeText(.mismatch), .error, "not removed \(place): no memory")
      case .resetMap: return change("-", .changed, "emptied")
      case .forget(isEmpty: false): return change("-", .changed, "forgot nested \(place)")
      case .brokenCleared: return change("+", .changed, "complete again")
      case .record, .recordKept, .lookUpUnknown, .lookUpNothing, .lookUpBroken, .lookUpSwept,
        .forget(isEmpty: true), .failuresArmed:
        return nil
      }
    }
  }

  /// What is new in the map since the moment before, of those at which dumps were read.
  private func changes(of sight: Session.Sight, in model: Model) -> [ReverseMapChange] {
    guard sight.before != nil else { return [] }
    return sight.rows.compactMap { event in
      guard case .recorded(let call) = model.timeline.events[event] else { return nil }
      func place(_ range: Range<UInt64>) -> SafeText {
        "\(hex: range.lowerBound)+\(SafeText(Phrase.size(range.size)))"
      }
      switch call {
      case .seenEntry(.shadow(model.mappedShadow), let range, let nested):
        let target: SafeText = nested.map { "\(hex: $0)" } ?? "unknown"
        return ReverseMapChange(
          mark: "+", role: .changed, text: "new \(place(range)) \(Glyph.right) \(target)",
          range: range)
      case .seenNoEntry(.shadow(model.mappedShadow), let range):
        return ReverseMapChange(
          mark: "-", role: .changed, text: "no more \(place(range))", range: range)
      case .unseenMap(.shadow(model.mappedShadow), let from):
        let range = from..<1 << UInt64(model.machine.configuration.ipaBits)
        return ReverseMapChange(
          mark: SafeText(.unknown), role: .unknown, text: "not told \(place(range))", range: range)
      default: return nil
      }
    }
  }

  /// A part of the line of ranges.
  private struct RangePart {
    let text: SafeText
    let role: Role
    let entry: ReverseMapEntry?
  }

  /// Ranges and gaps of canonical memory, in their order, around the current entry.
  private func rangeParts(_ model: Model, width: Int) -> [RangePart] {
    var parts: [RangePart] = []
    var columns = 0
    func add(_ text: SafeText, _ role: Role = .dim, _ entry: ReverseMapEntry? = nil) {
      parts.append(RangePart(text: text, role: role, entry: entry))
      columns += text.columns
    }
    let current = model.mappedEntry
    let entries =
      current.map { model.mapped.entries(max(3, width / 16), around: $0) } ?? []
    // As many entries before the current one as leave room for it.
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

  // MARK: Nodes

  /// The nodes on the path to an entry, with their pivots, and its payload.
  private func nodeLines(of entry: ReverseMapEntry, _ model: Model) -> [Line] {
    ReverseMapNodes(to: entry, ofShadow: model.mappedShadow, model.machine).lines.map { Line($0) }
  }
}
