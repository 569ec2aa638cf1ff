import Canvas
import Engine
import Inquiry
import Language
import Recording

/// Two histories side by side on one axis: a common event is in one row, and an event of only one has an
/// empty side. Below them the tables that differ at the current row.
package struct DifferenceView: ScreenView {
  /// A history, at the moment of the row.
  struct Side {
    let name: SafeText
    /// Its policies that the other lacks.
    let policies: SafeText
    /// Its name in a sentence, or its policies if both have the same name.
    let label: SafeText
    var session: Session
  }

  let found: HistoryDifference
  var first: Side
  var second: Side
  let axis: [HistoryDifference.Place]
  /// The rows at which a difference begins.
  let beginnings: [Int]
  /// Number of done rows; the last of them is the current one.
  private(set) var done = 0
  /// The differences of the tables there.
  private(set) var tables = Document()
  private(set) var view = DocumentView()
  let keyMap: KeyMap
  private(set) var size: (width: Int, height: Int)
  /// The message of the last key.
  private(set) var message: SafeText = ""
  package private(set) var isFinished = false
  /// Whether the user chose to go to the view's moment in the first history.
  private(set) var isChosen = false

  /// Compares two histories that were carried out, each with its name, and goes to their first
  /// difference. One history under two policies has one name.
  ///
  /// - Complexity: see `HistoryDifference`.
  package init(
    _ first: (name: String, session: Session), _ second: (name: String, session: Session),
    width: Int, height: Int, settings: Settings = Settings()
  ) {
    let found = HistoryDifference(first.session, second.session)
    let axis = found.axis(first.session, second.session)
    self.found = found
    self.axis = axis
    beginnings = axis.indices.filter { axis[$0].beginsDifference }
    func side(_ number: Int, _ name: String, _ session: Session) -> Side {
      let words = found.configurations.map { number == 0 ? $0.first : $0.second }
      let policies = SafeText(words.joined(separator: " "))
      let own: SafeText = policies.isEmpty ? "history \(number + 1)" : policies
      return Side(
        name: SafeText(name), policies: policies,
        label: first.name == second.name ? own : SafeText(name), session: session)
    }
    self.first = side(0, first.name, first.session)
    self.second = side(1, second.name, second.session)
    keyMap = settings.keyMap
    size = (width, height)
    go(to: beginnings.first.map { $0 + 1 } ?? axis.count)
  }

  /// Whether the two do not differ.
  package var isEmpty: Bool { found.isEmpty }

  /// The moment of the first history.
  var moment: Moment { Moment(events: done > 0 ? axis[done - 1].events.first : 0) }

  // MARK: Input

  package mutating func update(_ input: Input) -> [Effect] {
    var effects: [Effect] = []
    switch input {
    case .resize(let width, let height):
      size = (min(width, Rect.limit), min(height, Rect.limit))
    case .end: isFinished = true
    case .key(let key): effects = perform(keyMap.command(for: key)?.action)
    case .tick, .mouse, .paste: break
    }
    settle()
    return effects
  }

  /// Carries out a key's action, which may be nil.
  mutating func perform(_ action: Action?) -> [Effect] {
    message = ""
    defer { settle() }
    let page = max(1, layout.tables.height - 1)
    switch action {
    case .nextEvent, .down: go(to: done + 1)
    case .previousEvent, .up: go(to: done - 1)
    case .nextTouch, .nextMark, .nextMatch: goToDifference(forward: true)
    case .previousTouch, .previousMark, .previousMatch: goToDifference(forward: false)
    case .start, .top: go(to: 0)
    case .end, .bottom: go(to: axis.count)
    case .pageDown, .pageUp, .halfPageDown, .halfPageUp:
      if let movement = action?.movement(page: page, half: page / 2) {
        view.move(movement, in: tables)
      }
    case .play: view.move(.rows(page), in: tables)
    case .choose: (isChosen, isFinished) = (true, true)
    case .redraw: return [.redraw]
    case .suspend: return [.suspend]
    case .back, .quit, .quitNow: isFinished = true
    default:
      message = "This key does nothing here. \"\(keyMap.name(of: .back))\" closes the comparison."
    }
    return []
  }

  /// Goes to the next or previous row at which a difference begins.
  mutating func goToDifference(forward: Bool) {
    let target =
      forward ? beginnings.first { $0 >= done } : beginnings.last { $0 < done - 1 }
    guard let target else {
      message = forward ? "There is no later difference." : "There is no earlier difference."
      return
    }
    go(to: target + 1)
  }

  /// Goes to `row` done rows, clamped to the axis.
  private mutating func go(to row: Int) {
    done = min(max(0, row), axis.count)
    let events = done > 0 ? axis[done - 1].events : (0, 0)
    first.session.seek(to: Moment(events: events.0))
    second.session.seek(to: Moment(events: events.1))
    tables = tablesDocument()
    view = DocumentView()
    settle()
  }

  private mutating func settle() {
    let rect = layout.tables
    view.scroll(tables, width: rect.width, height: rect.height)
  }

  // MARK: What differs

  /// The summary of the comparison: the first event from which they differ.
  package var summary: SafeText {
    guard let place = beginnings.first else { return "No difference in \(axis.count) events." }
    let alike: SafeText = place == 0 ? "From the start: " : "Alike for \(place) events, then "
    switch axis[place].row {
    case .both(let event, _):
      let text = SafeText(first.session.text(ofEvent: event))
      return alike + "event \(event + 1), \(text), does something else."
    case .first(let event):
      return alike + "event \(event + 1), \(SafeText(first.session.text(ofEvent: event))), of "
        + "\(first.label) alone."
    case .second(let event):
      return alike + "event \(event + 1), \(SafeText(second.session.text(ofEvent: event))), of "
        + "\(second.label) alone."
    }
  }

  /// The differences of the tables at the current row.
  private mutating func tablesDocument() -> Document {
    var document = Document()
    if done == 0 || axis[done - 1].isAlike {
      document.add("The two machines are in the same state here.", .dim)
      return document
    }
    let (one, other) = (first.session.timeline.machine, second.session.timeline.machine)
    let differing = TableDifferences(one, other)
    let tables = (differing.tables + differing.reverseMaps).reduce(into: [TableID]()) {
      if !$0.contains($1) { $0.append($1) }
    }
    if tables.isEmpty {
      document.add(
        "All tables and maps are alike here; what differs is in none of them, as a TLB or a counter.",
        .dim)
    }
    for table in tables {
      if !document.items.isEmpty { document.addBlank() }
      var subject = Subject()
      subject.table = table
      subject.other = Subject.Other(
        name: first.label.string, ownName: second.label.string, machine: one)
      do throws(Unanswerable) {
        let answer = try DifferenceAnswer(about: subject, in: &second.session)
        let report = answer.report(.engineer)
        // The header names the two histories.
        document.add(Line(SafeText(Phrase.table(table).capitalized), .title))
        let ranges = ranges(of: table, one, other)
        if answer.items.isEmpty, differing.tables.contains(table) {
          document.add("The same leaves; its properties differ, for example its VMID.", .dim)
        }
        if !answer.items.isEmpty {
          for item in Document(report).items.dropFirst() { document.add(item.line) }
        }
        for line in ranges { document.add(line) }
      } catch {
        document.add(SafeText(error.message), .dim)
      }
    }
    return document
  }

  /// The ranges of a shadow's reverse map that only one side has.
  private func ranges(of table: TableID, _ one: Machine, _ other: Machine) -> [Line] {
    guard case .shadow(let number) = table, number < one.configuration.shadows,
      number < other.configuration.shadows
    else { return [] }
    let maps = (one.reverseMap(ofShadow: number), other.reverseMap(ofShadow: number))
    return lines(maps.0, not: maps.1, sign: "-", of: first.label)
      + lines(maps.1, not: maps.0, sign: "+", of: second.label)
  }

  private func lines(
    _ ranges: [ReverseMapEntry], not others: [ReverseMapEntry], sign: SafeText, of label: SafeText
  ) -> [Line] {
    let there = Dictionary(others.map { ($0.canonical, $0.nested) }) { first, _ in first }
    let alone = ranges.filter { there[$0.canonical] != .some($0.nested) }
    return alone.prefix(Report.linesAtMost).map { range in
      let nested: SafeText = range.nested.map { SafeText(Phrase.address($0)) } ?? "unknown"
      return Line(sign + " ", .changed).adding(
        "\(SafeText(Phrase.address(range.canonical.lowerBound))) "
          + "\(SafeText(Phrase.size(range.canonical.size)).padded(to: 5, .right))  "
          + "only in the map of \(label): \(nested)")
    }
  }

  /// The comparison in lines, for use without a screen.
  var lines: [SafeText] {
    [summary] + tables.text.filter { !$0.isEmpty }
  }
}
