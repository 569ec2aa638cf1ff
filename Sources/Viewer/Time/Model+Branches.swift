import Canvas
import Engine
import Inquiry
import Language
import Recording

/// Other histories.
extension Model {
  /// Carries out a statement at this moment. If that is not the end, another history begins here, in which
  /// the old future follows as far as it can be carried out.
  ///
  /// - Throws: the mistake in the statement; nothing has happened then.
  mutating func carryOut(_ line: String) throws(ScenarioError) {
    let (events, failures) = (timeline.moment.events, session.failures.count)
    if events == timeline.events.count {
      try session.carryOut(line)
      session.seek(to: timeline.moment)
      didAdd(since: events, failures: failures)
    } else {
      var other = session.branch(at: events)
      let shared = other.scenario.statements.count
      try other.carryOut(line)
      begin(other, at: events, sharing: shared, following: shared)
    }
  }

  /// Begins a history without one event of this one, by its number from 1, or the moment's event without
  /// a number.
  mutating func mute(_ text: String) {
    guard let index = text.isEmpty ? timeline.currentEvent : Int(text).map({ $0 - 1 }),
      timeline.events.indices.contains(index)
    else {
      return refuse(
        timeline.events.isEmpty
          ? "There is no event yet." : "Expected the number of an event, 1 to \(eventCount).")
    }
    let other = session.branch(at: index)
    let shared = other.scenario.statements.count
    begin(other, at: index, sharing: shared, following: shared + 1)
  }

  /// Carries out several statements at this moment, all or none.
  ///
  /// - Throws: the first mistake, and its line; nothing has happened then.
  mutating func carryOut(_ lines: [String]) throws(LineError) {
    let (events, failures) = (timeline.moment.events, session.failures.count)
    let isEnd = events == timeline.events.count
    var other = isEnd ? session : session.branch(at: events)
    let shared = other.scenario.statements.count
    for (index, line) in lines.enumerated() {
      do throws(ScenarioError) {
        try other.carryOut(line)
      } catch {
        throw LineError(line: index + 1, error: error)
      }
    }
    guard isEnd else { return begin(other, at: events, sharing: shared, following: shared) }
    session = other
    session.seek(to: timeline.moment)
    didAdd(since: events, failures: failures)
  }

  /// Reports what was added at the end of this history.
  private mutating func didAdd(since events: Int, failures: Int) {
    let added = timeline.events.count - events
    branches[branch].typed += added
    branches[branch].hasDevices = branches[branch].hasDevices || session.scenario.hasDevices
    momentHasChanged()
    if session.failures.count > failures, let failure = session.failures.last {
      return refuse("Expectation failed: \(SafeText(failure.message)).")
    }
    let what: SafeText =
      added == 0 ? "Chapter" : added == 1 ? "Event" : "\(added) events"
    say("\(what) added to \(branches[branch].name).")
  }

  /// Goes to a history that branches from a moment of this one and shares `shared` statements with it. The
  /// statements of this one, from index `following` on, follow there as far as they can be carried out.
  private mutating func begin(
    _ other: Session, at events: Int, sharing shared: Int, following: Int
  ) {
    let parent = session
    var other = other
    let added = other.timeline.events.count - events
    other.seek(to: other.timeline.moment)
    noteJump()
    branches.append(
      Branch(
        name: "branch-\(branches.count)", session: other,
        origin: Branch.Origin(parent: branch, events: events, statements: shared), typed: added))
    branch = branches.count - 1
    momentHasChanged()
    other.follow(parent, from: following)
    eventsAhead =
      other.timeline.events.count
      + parent.scenario.statements.indices[following...].count {
        parent.scenario.statements.isEvent(at: $0)
      }
    ahead = other
    continueHistory()
  }

  /// Reports which statements followed in a new history, and lists those that could not.
  mutating func didFollow() {
    branches[branch].hasDevices = session.scenario.hasDevices
    guard let origin = branches[branch].origin else { return }
    say(
      "New history \(branches[branch].name), from event \(origin.events). "
        + "Type \":branch \(branches[origin.parent].name)\" to go back.")
    if !session.leftOut.isEmpty { openLeftOut() }
  }

  /// The statements that could not follow, and why.
  var leftOutDocument: Document {
    let left = session.leftOut
    var document = Document()
    document.add(
      left.count == 1
        ? "The engine refuses a later statement now:"
        : "The engine refuses \(left.count) later statements now:")
    document.addBlank()
    for statement in left.prefix(Report.linesAtMost) {
      document.add(Line("  ").adding(SafeText(statement.text), .heading))
      document.add(Line("    \(SafeText(statement.reason.capitalized)).", .dim), indent: 4)
    }
    if left.count > Report.linesAtMost {
      document.add("  and \(left.count - Report.linesAtMost) more", .dim)
    }
    return document
  }

  /// Goes to another history, at the moment last viewed.
  mutating func show(_ index: Int) {
    completeHistory()
    branch = index
    momentHasChanged()
  }

  /// Goes to a history by its name or number.
  mutating func showBranch(_ name: String) {
    if name.isEmpty { return ask(.branches) }
    guard let index = branchIndex(name) else {
      return refuse("There is no history \(SafeText(name)). \(press(.branches)) for a list.")
    }
    completeHistory()
    let moment = timeline.moment
    noteJump()
    branch = index
    session.seek(to: moment)
    momentHasChanged()
    say("Now in \(branches[index].name).")
  }

  /// Whether a moment of a history also belongs to the history on the screen: its own, or in the past
  /// shared with its ancestors. O(histories).
  func isHere(_ history: Int, _ moment: Moment) -> Bool {
    var index = branch
    while index != history {
      guard let origin = branches[index].origin, origin.policy == nil,
        moment <= Moment(events: origin.events)
      else { return false }
      index = origin.parent
    }
    return true
  }

  /// The marks of such moments, the newest last.
  var marksHere: [(letter: Unicode.Scalar, place: Place)] {
    orderedMarks.filter { isHere($0.place.branch, $0.place.moment) }
  }

  /// The notes of such moments, in the order in which they were typed.
  var notesHere: [SavedSession.Note] {
    notes.filter { isHere($0.place.history, $0.place.moment) }
  }

  /// The name of the mark at a moment of this history, the first by letter; nil if there is none.
  func mark(at moment: Moment) -> SafeText? {
    marksHere.filter { $0.place.moment == moment }.map(\.letter).min()
      .map { "mark \(SafeText(String($0)))" }
  }

  /// The history with a name, or with a number from 1.
  func branchIndex(_ name: String) -> Int? {
    branches.firstIndex { $0.name.string == name }
      ?? Int(name).flatMap { branches.indices.contains($0 - 1) ? $0 - 1 : nil }
  }

  mutating func nameBranch(_ name: String) {
    guard !name.isEmpty, !name.contains(" "), branchIndex(name) == nil else {
      return refuse("Expected a name of one word that no other history has.")
    }
    branches[branch].name = SafeText(name)
    say("This history is now \(SafeText(name)).")
  }

  /// Carries out the same events under another policy, and goes to the same moment there.
  mutating func switchPolicy(_ text: String) {
    let scenario: Scenario
    do throws(ScenarioError) {
      scenario = try session.scenario.under(policy: text)
    } catch {
      return refuse("\(SafeText(error.message.capitalized)).")
    }
    if scenario.configuration == machine.configuration {
      return refuse("This policy is already in effect.")
    }
    let moment = timeline.moment
    noteJump()
    if let index = branches.indices.first(where: { isSibling($0, under: scenario.configuration) }) {
      branch = index
    } else {
      var other = Session(scenario)
      do throws(ScenarioError) {
        try other.finish()
      } catch {
        return refuse("\(SafeText(text)) stops: \(SafeText(error.message)).")
      }
      let value = text.hasPrefix("revmap=") ? String(text.dropFirst(7)) : text
      let name = SafeText(value)
      let isFree = branchIndex(value) == nil
      branches.append(
        Branch(
          name: isFree ? name : name + "-\(branches.count)", session: other,
          origin: Branch.Origin(
            parent: branch, events: timeline.events.count,
            statements: session.scenario.statements.count,
            kept: other.scenario.statements.count, policy: text)))
      branch = branches.count - 1
    }
    session.seek(to: moment)
    momentHasChanged()
    say("The same events under \(SafeText(text)). \(press(.compare)) to compare.")
  }

  /// Whether a history has the same events as this one, under other policies.
  private func isSibling(_ index: Int, under configuration: VMConfiguration) -> Bool {
    let other = branches[index].session.timeline
    return other.machine.configuration == configuration && other.events == timeline.events
  }
}
