import Canvas
import Engine
import Inquiry
import Language
import Lesson

/// A lesson on the screen: its player, and the choices of an answer so far.
struct LessonView {
  var player: Player
  /// Records to keep that the program has not yet taken.
  var records: [LearnerProgress.Record] = []
  /// Ticked choices, or items in the order taken.
  var picked: [Int] = []
  /// The class to which a teacher shows it; nil for a single learner.
  var classroom: Classroom?

  init(_ player: Player, asksClass: Bool) {
    self.player = player
    classroom = asksClass ? Classroom() : nil
    records = self.player.takeRecords()
  }

  /// What a line of the pane does.
  enum Choice: Equatable {
    /// Goes on.
    case next
    /// Takes a choice, or an item, by its index.
    case option(Int)
    /// Answers with the picked choices.
    case submit
    /// Opens a line for the answer.
    case type
    /// Answers with the selected entry.
    case point
    case hint, skip, previous
    /// Shows a class the outcome.
    case reveal
  }

  /// Whether the answer is a table's entry.
  var isPointing: Bool {
    if case .asking = player.phase, player.exercise?.kind == .point { true } else { false }
  }
}

extension Model {
  /// A model of a lesson: its scene in the panes, its text instead of explanations.
  ///
  /// - Parameter asksClass: whether a class answers: texts come in pieces, and keys count guesses.
  package init(
    lesson player: Player, asksClass: Bool = false, width: Int, height: Int,
    settings: Settings = Settings()
  ) {
    var settings = settings
    settings.showsStart = false
    self.init(Self.scene(of: player), width: width, height: height, settings: settings)
    lesson = LessonView(player, asksClass: asksClass)
    showLesson()
    settle()
  }

  /// A model of a lesson, for the same person, or the same class.
  package func opening(_ player: Player) -> Model {
    Model(
      lesson: player, asksClass: asksClass, width: size.width, height: size.height,
      settings: settings)
  }

  /// Whether a lesson is played.
  package var isLesson: Bool { lesson != nil }

  /// Whether it is played before a class.
  package var asksClass: Bool { lesson?.classroom != nil }

  /// The lesson's records to keep, each returned once.
  package mutating func takeLessonRecords() -> [LearnerProgress.Record] {
    defer { lesson?.records = [] }
    return lesson?.records ?? []
  }

  /// The default topic of the answer pane.
  var home: Topic { lesson == nil ? .question(.explain) : .lesson }

  /// The lesson's current scene.
  private static func scene(of player: Player) -> Session {
    var session = player.stage.session
    if case .refuting(let scene, _) = player.phase {
      // The learner steps through its statements.
      session.seek(to: Moment(events: scene.before.session.timeline.events.count))
    }
    return session
  }

  /// Shows the lesson's current scene and text, as if just opened.
  private mutating func showLesson() {
    guard let lesson else { return }
    (run, playback, ahead) = (nil, Playback(), nil)
    branches = [Branch(name: "main", session: Self.scene(of: lesson.player), origin: nil)]
    branch = 0
    (marks, newestMark, jumps) = ([:], nil, Jumps())
    (inverse, answered, link, selected) = (InverseIndexes(), nil, nil, nil)
    for pane in views.keys { views[pane] = TableView() }
    (recentShadow, isFollowing) = (0, true)
    reverseMap = ReverseMapView()
    // The scene belongs to the lesson, so there is nothing of the user's to save.
    savedWork = ownWork
    if !panes.contains(lastTableFocus) { lastTableFocus = panes.first ?? .canonical }
    momentHasChanged()
    // On a projector there is room for one table beside a text: the one where something has happened.
    if isPresenting, let selected, let pane = pane(showing: selected) { lastTableFocus = pane }
    ask(.lesson)
    setFocus(.answer)
  }

  // MARK: The text

  /// The lesson as a document: its text, and lines to answer or continue.
  var lessonDocument: Document {
    guard let lesson else { return Document() }
    let player = lesson.player
    var document = Document()
    let options = player.exercise?.options ?? []
    let isAsking = if case .asking = player.phase { true } else { false }
    let pieces = isAsking ? [player.question] : player.pieces
    let shown = lesson.classroom.map { min($0.pieces, pieces.count) } ?? pieces.count
    for piece in pieces[..<shown] {
      for item in Document(piece).items { document.add(item) }
    }
    if case .marked(nil, _) = player.phase { addTally(of: lesson, to: &document) }
    document.addBlank()
    func add(_ text: SafeText, _ choice: LessonView.Choice, _ role: Role = .key) {
      document.add(Line(text, role), to: .lesson(choice))
    }
    guard isAsking, let exercise = player.exercise else {
      if !player.isOver { add(shown < pieces.count ? "More" : "Go on", .next) }
      if player.position > 0 { add("Back", .previous, .dim) }
      if player.isOver {
        document.add(Line("Other lessons and scenarios", .key), to: .action(.open))
      }
      return document
    }
    if lesson.isCounting {
      addTally(of: lesson, to: &document)
      document.addBlank()
      document.add(
        "Keys 1 to \(options.count) count a guess, \(quoted(.slower)) takes the last one back.",
        .dim)
    }
    if lesson.classroom != nil { add("Show the outcome", .reveal) }
    for (index, option) in options.enumerated() where exercise.kind != .repair && !lesson.isCounting
    {
      let line = Line(sign(index, exercise, lesson), .key).adding(Line(Prose(option).line))
      document.add(line, to: .lesson(.option(index)), indent: 4)
    }
    switch exercise.kind {
    case .choose: break
    case .tick where lesson.isCounting: break
    case .tick: add(lesson.picked.isEmpty ? "None of them" : "These are right", .submit)
    case .order:
      if lesson.picked.count == options.count { add("That is the order", .submit) }
    case .find:
      if !lesson.picked.isEmpty {
        document.add(
          SafeText(
            lesson.picked.compactMap { options.indices.contains($0) ? options[$0] : nil }
              .joined(separator: "; ")), .dim)
        add("That is the answer", .submit)
      }
    case .number, .count, .write, .repair:
      add("Type \(SafeText(exercise.answerForm))", .type)
    case .point:
      let place: SafeText =
        selected.map {
          "\(SafeText($0.name)) \(SafeText(Phrase.address(self.place.position?.address ?? 0)))"
        }
        ?? "nothing"
      document.add(
        "Select it in its table: \(quoted(.nextPane)) goes there. Then \(quoted(.choose)) answers.",
        .dim)
      add("Answer with the selected entry: \(place)", .point)
    }
    for hint in hintDocument(player.hintLines).items { document.add(hint) }
    // The line stays, so that one request too many for a hint does not skip the question.
    let isLast = player.hints >= LearnerProgress.lastHint
    add(
      isLast ? "No more hints" : "Hint \(player.hints + 1) of \(LearnerProgress.lastHint)",
      .hint, .dim)
    add("Leave it out", .skip, .dim)
    if player.position > 0 { add("Back", .previous, .dim) }
    return document
  }

  /// The prefix of a choice: its letter, and whether it is picked.
  private func sign(_ index: Int, _ exercise: Exercise, _ lesson: LessonView) -> SafeText {
    let letter = SafeText(Exercise.letter(index))
    switch exercise.kind {
    case .tick: return lesson.picked.contains(index) ? "[x] " : "[ ] "
    case .order:
      return lesson.picked.firstIndex(of: index).map { "\($0 + 1)   " } ?? "-   "
    case .choose, .number, .count, .point, .write, .repair, .find: return "\(letter)   "
    }
  }

  private func hintDocument(_ hints: [Player.Hint]) -> Document {
    var document = Document()
    for hint in hints { document.add(Line(hint.line), indent: 2) }
    return document
  }

  // MARK: What a person does

  /// Carries out the action of a lesson's line.
  mutating func perform(_ choice: LessonView.Choice) {
    guard var lesson else { return }
    switch choice {
    case .next where lesson.hasMore:
      self.lesson?.classroom?.pieces += 1
      updateAnswer()
    case .next: change { player throws(ScenarioError) in try player.goOn() }
    case .reveal:
      let tally = lesson.tally
      change { player throws(ScenarioError) in try player.reveal(tally) }
    case .previous: change { player throws(ScenarioError) in try player.move(by: -1) }
    case .skip: change { player throws(ScenarioError) in try player.move(by: 1) }
    case .hint:
      self.lesson?.player.takeHint()
      updateAnswer()
    case .type: open(.answer)
    case .point: pointAtSelection()
    case .option(let index):
      switch lesson.player.exercise?.kind {
      case .choose: answer(.choices([index]))
      case .tick, .order:
        if let place = lesson.picked.firstIndex(of: index) {
          lesson.picked.remove(at: place)
        } else {
          lesson.picked.append(index)
        }
        self.lesson = lesson
      case .find:
        if lesson.picked.count < Guess.statementsAtMost { lesson.picked.append(index) }
        self.lesson = lesson
      case .number, .count, .point, .write, .repair, nil: break
      }
    case .submit:
      switch lesson.player.exercise?.task {
      case .tick: answer(.choices(Set(lesson.picked)))
      case .order: answer(.order(lesson.picked))
      case .find(_, let from):
        answer(.statements(lesson.picked.map { from[$0].text }))
      case .choose, .number, .point, .write, .repair, nil: break
      }
    }
  }

  /// Answers with the entry under the cursor.
  mutating func pointAtSelection() {
    guard let selected, let position = place.position else { return refuse(noSelection) }
    answer(.place(selected, position.address))
  }

  /// Answers with the typed text. A wrong one stays open for correction.
  mutating func answerLesson(_ text: String) {
    guard let exercise = lesson?.player.exercise else { return }
    do throws(GuessError) {
      answer(try Guess(parsing: text, for: exercise))
    } catch {
      refuse(SafeText(error.message))
    }
  }

  private mutating func answer(_ guess: Guess) {
    change { player throws(ScenarioError) in try player.answer(guess) }
  }

  /// Continues the lesson, and shows the result.
  private mutating func change(_ play: (inout Player) throws(ScenarioError) -> Void) {
    guard var lesson else { return }
    do throws(ScenarioError) {
      try play(&lesson.player)
    } catch {
      return refuse("The lesson has a mistake: \(SafeText(error.description))")
    }
    lesson.picked = []
    lesson.classroom?.pieces = 1
    if case .asking = lesson.player.phase { lesson.classroom?.guesses = [] }
    lesson.records += lesson.player.takeRecords()
    self.lesson = lesson
    showLesson()
  }
}

// MARK: - The footer

extension Model {
  /// The most useful keys in a lesson; nil if they are those of any scene.
  var lessonHints: [(Action, SafeText)]? {
    guard let lesson, question == .lesson else { return nil }
    let others: [(Action, SafeText)] = [
      (.nextPane, "pane"), (.nextEvent, "next event"), (.previousEvent, "back"),
      (.why, "why"), (.glossary, "word"), (.maximise, isMaximised ? "all panes" : "zoom"),
      (.help, "help"), (.quit, "quit"),
    ].filter { obstacle(to: $0.0) == nil }
    if focus == .answer {
      return [(.choose, choiceName), (.down, "down"), (.up, "up")] + others
    }
    if lesson.isPointing, focus.isTable {
      return [(.choose, "answer: this entry"), (.down, "down"), (.up, "up")] + others
    }
    return [(.previousPane, "to the lesson")] + others
  }

  /// What Enter does in the lesson.
  private var choiceName: SafeText {
    guard case .lesson(let choice)? = detail.target(in: answer) else { return "open" }
    if detail.linesToChoice > 0 { return "read on" }
    return switch choice {
    case .next: lesson?.hasMore ?? false ? "more" : "go on"
    case .reveal: "show it"
    case .option where lesson?.player.exercise?.kind == .choose: "answer this"
    case .option: "take it"
    case .submit, .point: "answer"
    case .type: "type the answer"
    case .hint: "hint"
    case .skip: "leave out"
    case .previous: "back"
    }
  }
}
