import Canvas
import Engine
import Inquiry
import Language

extension Model {
  /// The first lines: the moment, the state of the rules, and the chapter.
  func drawHeader(in rect: Rect, of frame: inout Surface) {
    let lines = rect.rows(.fixed(1), .fixed(1))
    var right = Line()
    if rect.width >= 70 {
      let typed = branches[branch].typed
      if branches.count > 1 || typed > 0 {
        right.add("in \(branches[branch].name)", .heading)
        right.add(typed > 0 ? " +\(typed) typed  " : "  ", .changed)
      }
      if machine.configuration.nested, !machine.configuration.isSeen {
        right.add("revmap=\(SafeText(machine.configuration.reverseMap.rawValue))  ", .dim)
      }
    }
    if let paused = timeline.pausedEvent {
      right.add(
        rect.width >= 60
          ? "\(Glyph.paused) event \(paused + 1) paused  " : "\(Glyph.paused)\(paused + 1) ",
        .warning)
    }
    right.add(state)
    let start = Point(rect.right - right.columns, rect.y)
    frame.write(right, at: start, clip: rect)
    frame.write(
      momentLine, at: rect.origin,
      clip: Rect(x: rect.x, y: rect.y, width: start.x - rect.x - 1, height: 1))
    let signs = signs
    let isLow = lines[1].height == 0
    let place = isLow ? lines[0] : lines[1]
    let left = isLow ? start.x : rect.right
    let hasRoom = signs.columns < left - rect.x
    if hasRoom { frame.write(signs, at: Point(left - signs.columns, place.y), clip: place) }
    frame.write(
      headline, at: lines[1].origin,
      clip: Rect(
        x: rect.x, y: lines[1].y, width: rect.width - (isLow || !hasRoom ? 0 : signs.columns),
        height: lines[1].height))
  }

  /// Switches that a user might forget: filtered entries, unlinked cursors.
  private var signs: Line {
    var line = Line()
    if let filter { line.add("  only \(SafeText(filter.filter.text)) ", .warning) }
    if !isLinked { line.add("  cursors unlinked ", .warning) }
    if !isFollowing { line.add("  cursor stays ", .dim) }
    return line
  }

  /// The state of rules and expectations.
  var state: Line {
    let isWide = size.width >= 60
    if isFileMissing {
      return Line("\(Glyph.mismatch) \(isWide ? "the file is missing" : "no file") ", .mismatch)
    }
    if !mistakes.isEmpty {
      return Line("\(Glyph.mismatch) \(isWide ? "the file has mistakes" : "mistakes") ", .mismatch)
    }
    if violationsNow?.isEmpty ?? true,
      let failure = session.failures.first(where: { $0.position == timeline.moment.events })
    {
      let place: SafeText = size.width >= 80 ? ", \(SafeText(failure.place))" : ""
      // Expectations for another policy, or other events, need not hold under these.
      if !ownPolicy.isEmpty {
        return Line("\(Glyph.differs) not as under \(ownPolicy)\(place) ", .dim)
      }
      if failure.isOfOtherEvents {
        return Line("\(Glyph.differs) not as in the file\(place) ", .dim)
      }
      return Line("\(Glyph.mismatch) expectation failed\(place) ", .mismatch)
    }
    let violations = violationsNow
    let rules = (violations ?? []).reduce(into: [Invariant]()) { rules, violation in
      if !rules.contains(violation.invariant) { rules.append(violation.invariant) }
    }
    guard let first = rules.first else {
      if machine.configuration.isSeen { return unknownState }
      if let percentRead {
        let all = SafeText(Number.grouped(eventCount))
        return Line(
          isWide ? "read \(percentRead)% of \(all) events " : "read \(percentRead)% ", .dim)
      }
      if !isWide { return Line("", .dim) }
      // A recording of calls does not tell what all rules ask for.
      let held: SafeText = machine.configuration.isRecorded ? "known rules hold " : "rules hold "
      return Line(violations == nil ? "rules unchecked " : held, .dim)
    }
    let more: SafeText = rules.count > 1 ? " +\(rules.count - 1)" : ""
    let name = SafeText(first.rawValue) + more
    return Line("\(Glyph.mismatch) \(isWide ? name : "rule broken") ", .mismatch)
  }

  /// How much is not known of tables that were seen: no rule can be judged of them.
  private var unknownState: Line {
    let names = UnknownsAnswer(of: machine).unknowns.map(\.name)
    let long = Line("? " + SafeText(names.joined(separator: ", ")) + " ", .unknown)
    if long.columns <= size.width / 2 { return long }
    return Line(
      size.width >= 60 ? "? \(names.count) things not known " : "? \(names.count) ", .unknown)
  }

  /// Which event this is, and which micro-step of it.
  var momentLine: Line {
    let count = eventCount
    let number = timeline.currentEvent.map { $0 + 1 } ?? 0
    // What a dump shows is no event.
    let noun: SafeText = machine.configuration.isSeen ? "row" : "event"
    var line = Line(size.width >= 60 ? " \(noun) \(number)/\(count)  " : " \(number)/\(count) ")
    guard let event = timeline.currentEvent else {
      return line.adding(
        machine.configuration.isSeen ? "no dump was read yet" : "nothing has happened yet", .title)
    }
    line.add(SafeText(session.text(ofEvent: event)), .title)
    if case .imported = session.origin(ofEvent: event), size.width >= 80,
      let source = session.source(ofEvent: event)
    {
      line.add("  \(SafeText(source))", .dim)
    }
    if timeline.stepsDone < timeline.steps.count {
      line.add("  step \(timeline.stepsDone)/\(timeline.steps.count)", .changed)
    }
    return line
  }

  /// The current chapter; at the start and after the last one, the session's title.
  var chapter: Line {
    guard let event = timeline.currentEvent,
      let chapter = session.chapters.first(where: { $0.end > event })
    else { return written(SafeText(session.scenario.title), nil, .dim) }
    return Line(SafeText(chapter.label), .heading).adding("  ").adding(written(chapter, .text))
  }

  /// A chapter's text; where it may not be so, marked as written for something else.
  func written(_ chapter: Session.Chapter, _ role: Role) -> Line {
    written(SafeText(chapter.text), purpose(isOfOtherEvents: chapter.isOfOtherEvents), role)
  }

  private func written(_ text: SafeText, _ purpose: SafeText?, _ role: Role) -> Line {
    guard let purpose = purpose ?? self.purpose(isOfOtherEvents: false), !text.isEmpty else {
      return Line(text, role)
    }
    return Line("(written for \(purpose)) ", .warning).adding(text, .dim)
  }

  /// What a text or an expectation of the file was written for; nil if that is the case here.
  func purpose(isOfOtherEvents: Bool) -> SafeText? {
    if !ownPolicy.isEmpty { return ownPolicy }
    return isOfOtherEvents ? "the file's own events" : nil
  }

  /// The policies for which the file's texts were written; empty if they are in force.
  var ownPolicy: SafeText { SafeText(session.scenario.ownPolicy.joined(separator: " ")) }

  /// The chapter for the header: if a title does not fit, only its name, the part before a colon. The
  /// answer pane then shows all of it.
  private var headline: Line {
    let title = session.scenario.title
    guard isChapterCut, chapter.text == SafeText(title), let colon = title.firstIndex(of: ":")
    else { return Line(" ").adding(chapter) }
    return Line(" " + SafeText(title[..<colon]), .dim)
  }

  /// Whether the header has no room for all of the chapter's text.
  var isChapterCut: Bool { chapter.columns + 1 > size.width }
}
