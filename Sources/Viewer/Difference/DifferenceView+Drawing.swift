import Canvas
import Engine
import Recording

extension DifferenceView {
  /// The parts of the screen.
  struct Parts {
    var header, strips, rule, rows, tablesRule, tables, footer: Rect
  }

  var layout: Parts {
    let screen = Rect(x: 0, y: 0, width: size.width, height: size.height)
    let strips = size.height >= 10 ? 3 : 0
    let room = max(0, size.height - strips - 4)
    let rows = min((room + 1) / 2, max(1, axis.count))
    let parts = screen.rows(
      .fixed(1), .fixed(strips), .fixed(1), .fixed(rows), .fixed(1), .flexible, .fixed(1))
    return Parts(
      header: parts[0], strips: parts[1], rule: parts[2], rows: parts[3], tablesRule: parts[4],
      tables: parts[5].inset(columns: 1, rows: 0), footer: parts[6])
  }

  /// Minimum width in columns for showing the two side by side.
  private static let wide = 60

  private var isWide: Bool { size.width >= Self.wide }

  package func frame() -> Surface {
    var frame = Surface(width: size.width, height: size.height)
    guard size.width >= Layout.least.width, size.height >= Layout.least.height else {
      frame.write("\(Layout.least.width)x\(Layout.least.height) needed", at: Point(0, 0))
      return frame
    }
    let parts = layout
    drawHeader(in: parts.header, of: &frame)
    if parts.strips.height > 0 { drawStrips(in: parts.strips, of: &frame) }
    drawTitle(summary, number, in: parts.rule, of: &frame)
    drawRows(in: parts.rows, of: &frame)
    let events = done > 0 ? axis[done - 1].events : (0, 0)
    drawTitle(
      "Tables after event \(events.0) and event \(events.1)",
      .arrows(up: view.top > 0, down: isCut(in: parts.tables)), in: parts.tablesRule,
      of: &frame)
    frame.draw(tables, view, showsChoice: false, in: parts.tables)
    drawFooter(in: parts.footer, of: &frame)
    return frame
  }

  private func isCut(in rect: Rect) -> Bool {
    view.top + rect.height < tables.layout(width: rect.width, height: rect.height).count
  }

  /// The two halves of a row, with a column between them for a sign.
  private func halves(_ rect: Rect) -> (left: Rect, middle: Rect, right: Rect) {
    let parts = rect.columns(.flexible, .fixed(3), .flexible)
    return (parts[0], parts[1], parts[2])
  }

  private func drawHeader(in rect: Rect, of frame: inout Surface) {
    func line(_ side: Side, _ sign: SafeText) -> Line {
      Line(" " + sign + " ", .changed).adding(side.name, .title).adding("  ").adding(
        side.policies, .dim)
    }
    let (left, _, right) = halves(rect)
    frame.write(line(first, "-"), at: left.origin, clip: left)
    frame.write(line(second, "+"), at: right.origin, clip: right)
  }

  /// A line with a title, and something short at its right end.
  private func drawTitle(
    _ title: SafeText, _ mark: SafeText, in rect: Rect, of frame: inout Surface
  ) {
    frame.hline(at: rect.origin, length: rect.width, style: Style(.paneBorder))
    let room = rect.width - 3 - (mark.isEmpty ? 0 : mark.columns + 3)
    frame.write(
      " " + title.shortened(to: room) + " ", at: rect.origin, style: Style(.paneTitle), clip: rect)
    if !mark.isEmpty {
      frame.write(
        " " + mark + " ", at: Point(rect.right - mark.columns - 3, rect.y),
        style: Style(.paneTitle),
        clip: rect)
    }
  }

  /// The number of the current or last passed difference.
  private var number: SafeText {
    if beginnings.isEmpty { return "" }
    return "\(beginnings.count { $0 < done })/\(beginnings.count)"
  }

  // MARK: The axis

  /// A letter for each event of the first, a sign where they differ, a letter for each event of the second.
  private func drawStrips(in rect: Rect, of frame: inout Surface) {
    let scale = TimeScale(count: axis.count, width: rect.width - 2)
    let now = done > 0 ? scale.column(of: done - 1) : nil
    for column in 0..<scale.columns {
      let rows = scale.events(in: column)
      let x = rect.x + 1 + column
      for (y, kind) in [kind(of: rows, isFirst: true), kind(of: rows, isFirst: false)].enumerated()
      {
        guard let kind else { continue }
        frame.write(
          SafeText(kind.letter), at: Point(x, rect.y + 2 * y),
          style: Style(kind.role, column == now ? .reverse : []), clip: rect)
      }
      let seen = axis[rows].prefix(Self.sample)
      let sign: (SafeText, Role) =
        if seen.contains(where: \.beginsDifference) {
          (SafeText(.mismatch), .mismatch)
        } else if seen.contains(where: { !$0.isAlike }) {
          (SafeText(.differs), .dim)
        } else {
          (SafeText(.middleDot), .dim)
        }
      frame.write(
        sign.0, at: Point(x, rect.y + 1), style: Style(sign.1, column == now ? .reverse : []),
        clip: rect)
    }
  }

  /// Maximum number of rows examined for one column.
  private static let sample = 64

  /// The weightiest kind of event on one side in some rows; nil if there is none.
  private func kind(of rows: Range<Int>, isFirst: Bool) -> EventKind? {
    axis[rows].prefix(Self.sample).compactMap { place -> EventKind? in
      let event: Event?
      switch place.row {
      case .both(let a, let b):
        event = isFirst ? first.session.timeline.events[a] : second.session.timeline.events[b]
      case .first(let a): event = isFirst ? first.session.timeline.events[a] : nil
      case .second(let b): event = isFirst ? nil : second.session.timeline.events[b]
      }
      return event?.facts.kind
    }.max { $0.rawValue < $1.rawValue }
  }

  /// Draws the events around the current row, those of the first at the left.
  private func drawRows(in rect: Rect, of frame: inout Surface) {
    let top = min(max(0, done - 1 - rect.height / 2), max(0, axis.count - rect.height))
    for (y, index) in (top..<min(axis.count, top + rect.height)).enumerated() {
      let place = axis[index]
      let row = Rect(x: rect.x, y: rect.y + y, width: rect.width, height: 1)
      isWide ? draw(place, wide: row, of: &frame) : draw(place, narrow: row, of: &frame)
      if index == done - 1 {
        frame.restyle(row) { $0.attributes.formSymmetricDifference(.reverse) }
      }
    }
    if axis.isEmpty { frame.write(" no event in either", at: rect.origin, style: Style(.dim)) }
  }

  private func line(_ side: Side, _ event: Int, _ role: Role) -> Line {
    Line(SafeText("\(event + 1)").padded(to: 6, .right) + "  ", .dim)
      .adding(SafeText(side.session.text(ofEvent: event)), role)
  }

  private func draw(_ place: HistoryDifference.Place, wide row: Rect, of frame: inout Surface) {
    let (left, middle, right) = halves(row)
    let role: Role = place.row.isOfBoth ? .text : .changed
    switch place.row {
    case .both(let a, let b):
      frame.write(line(first, a, role), at: left.origin, clip: left)
      frame.write(line(second, b, role), at: right.origin, clip: right)
    case .first(let a): frame.write(line(first, a, role), at: left.origin, clip: left)
    case .second(let b): frame.write(line(second, b, role), at: right.origin, clip: right)
    }
    let (sign, signRole) = sign(of: place)
    frame.write(sign, at: Point(middle.x + 1, row.y), style: Style(signRole), clip: row)
  }

  private func draw(_ place: HistoryDifference.Place, narrow row: Rect, of frame: inout Surface) {
    let (sign, signRole) = sign(of: place)
    var text = Line(sign, signRole)
    switch place.row {
    case .both(let a, _): text.add(line(first, a, .text))
    case .first(let a): text.add(line(first, a, .changed))
    case .second(let b): text.add(line(second, b, .changed))
    }
    frame.write(text, at: row.origin, clip: row)
  }

  /// The sign between the two: whose an event is; for a common one, whether its effects differ, and
  /// whether the states differ after it.
  private func sign(of place: HistoryDifference.Place) -> (SafeText, Role) {
    switch place.row {
    case .first: ("-", .changed)
    case .second: ("+", .changed)
    case .both where place.beginsDifference: (SafeText(.mismatch), .mismatch)
    case .both: place.isAlike ? (SafeText(.vertical), .dim) : (SafeText(.differs), .dim)
    }
  }

  private func drawFooter(in rect: Rect, of frame: inout Surface) {
    if !message.isEmpty {
      frame.write(" " + message, at: rect.origin, style: Style(.warning), clip: rect)
      return
    }
    var line = Line(" ")
    let hints: [(Action, SafeText)] = [
      (.nextTouch, "next difference"), (.previousTouch, "back"), (.nextEvent, "event"),
      (.previousEvent, "back"), (.quit, "close"), (.pageDown, "tables"), (.start, "start"),
      (.end, "end"),
    ]
    for (action, text) in hints {
      guard let name = keyMap.keys(for: action).first?.shortName else { continue }
      if line.columns + name.columns + text.columns + 3 > rect.width { break }
      line.add(name, .key)
      line.add(" " + text + "  ")
    }
    frame.write(line, at: rect.origin, clip: rect)
  }
}
