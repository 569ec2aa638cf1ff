import Canvas
import Engine
import Inquiry
import Language
import Recording

/// The file that was opened has changed.
extension Model {
  /// Shows the history of the file as it is now, all of it carried out, in the place of the one that was
  /// opened. The moment stays if the events that lead there are the same, else it is the last one to which
  /// the same events lead. Histories that began in it stay as they are; if something was typed at its end,
  /// so does it, as one of them. O(n) in the events.
  ///
  /// - Parameter news: what is said of it, where a running VM is looked at: who stands at the end, goes on to the
  ///   new one. Nil where a file was read.
  public mutating func reload(_ new: Session, telling news: SafeText? = nil) {
    completeHistory()
    let followsEnd =
      news != nil && branch == 0
      && timeline.moment == Moment(events: timeline.events.count)
    (run, playback) = (nil, Playback())
    let old = branches[0].session
    let common = Self.commonEvents(old, new)
    if old.scenario.hasTyped {
      branches.append(
        Branch(
          name: "typed-\(branches.count)", session: old,
          origin: Branch.Origin(
            parent: 0, events: common, statements: old.statementCount(before: common)),
          typed: branches[0].typed))
      if branch == 0 { branch = branches.count - 1 }
    }
    var session = new
    let moment = old.timeline.moment
    let isKept = moment.events + (moment.steps > 0 ? 1 : 0) <= common
    session.seek(
      to: followsEnd
        ? Moment(events: session.timeline.events.count)
        : isKept ? moment : Moment(events: common))
    branches[0] = Branch(name: branches[0].name, session: session, origin: nil)
    branches = branches.map { $0.sharing(atMost: common, with: session) }
    forgetPlaces(ofBranch: 0, after: common)
    (mistakes, isFileMissing) = ([], false)
    if sheet?.kind == .mistakes { sheet = nil }
    forgetFindings()
    if let news { return say(news) }
    say(
      isKept
        ? "The file was read again."
        : "The file was read again: its events differ from event \(common + 1) on.")
  }

  /// Puts what was seen of a running VM since the opened history's end there: who stands at the end goes on to the
  /// new one. O(n) in that, and in what it changes.
  ///
  /// - Parameter news: what is said of it.
  /// - Returns: whether that was possible: nobody has typed anything at the end.
  /// - Throws: never for what was seen: what the engine refuses of it is left out.
  package mutating func extend(
    by addition: ScenarioMaker.Addition, telling news: SafeText
  ) throws(ScenarioError) -> Bool {
    completeHistory()
    if branches[0].typed > 0 { return false }
    let moment = branches[0].session.timeline.moment
    let followsEnd =
      branch == 0 && moment == Moment(events: branches[0].session.timeline.events.count)
    (run, playback) = (nil, Playback())
    defer {
      if !followsEnd { branches[0].session.seek(to: moment) }
      forgetFindings()
      say(news)
    }
    try branches[0].session.extend(by: addition)
    return true
  }

  /// Drops everything found in the history as it was.
  private mutating func forgetFindings() {
    (inverse, answered, link) = (InverseIndexes(), nil, nil)
    reverseMap.summary = nil
    momentHasChanged()
    settle()
  }

  /// How old a table is at the end of the history, if it is looked at while it changes.
  func age(of table: TableID) -> SafeText? {
    branch == 0 && timeline.moment.events == timeline.events.count ? ages[table] : nil
  }

  /// Says what is wrong with the file as it is now. What is shown is still what it was before.
  public mutating func show(_ mistakes: [ScenarioError]) {
    (self.mistakes, isFileMissing) = (mistakes, false)
    openMistakes()
    settle()
  }

  /// Says, and shows from now on, that the file cannot be found. What was read of it stays.
  public mutating func fileIsMissing() {
    isFileMissing = true
    say(
      "The file was removed or renamed. What was read of it stays; it is read again when it returns."
    )
    settle()
  }

  /// Says that the file is there again, and as it was.
  public mutating func fileIsBack() {
    isFileMissing = false
    say("The file is there again, unchanged.")
    settle()
  }

  /// Number of leading events that two histories share; 0 under different configurations.
  private static func commonEvents(_ old: Session, _ new: Session) -> Int {
    if old.scenario.configuration != new.scenario.configuration { return 0 }
    return zip(old.timeline.events, new.timeline.events).prefix { $0 == $1 }.count
  }

  /// Drops marks and jumps at moments that have changed.
  private mutating func forgetPlaces(ofBranch index: Int, after events: Int) {
    marks = marks.filter { $0.value.branch != index || $0.value.moment.events <= events }
    if let newestMark, marks[newestMark] == nil { self.newestMark = nil }
    jumps = Jumps()
  }

  /// The mistakes in the file, a line each.
  var mistakesDocument: Document {
    var document = Document(
      mistakes.map {
        Line("\($0.line):\($0.column)  ", .key).adding(SafeText($0.message))
      })
    if mistakes.count == Scenario.mistakesAtMost {
      document.add("There may be more: these are the first.", .dim)
    }
    document.addBlank()
    document.add(
      "On the screen is the file as it was before. It is read again when it changes.", .dim)
    return document
  }
}

extension Scenario {
  /// Whether a statement was typed.
  fileprivate var hasTyped: Bool {
    statements.indices.contains {
      if case .typed = statements.origin(at: $0) { true } else { false }
    }
  }
}

extension Branch {
  /// The same branch, sharing at most `count` events with the first history.
  fileprivate func sharing(atMost count: Int, with first: Session) -> Branch {
    guard let origin, origin.parent == 0, origin.events > count else { return self }
    var branch = self
    branch.origin = Origin(
      parent: 0, events: count, statements: first.statementCount(before: count),
      kept: session.statementCount(before: count), policy: origin.policy)
    return branch
  }
}
