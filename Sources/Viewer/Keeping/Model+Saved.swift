import Canvas
import Engine
import Inquiry
import Language
import Recording

/// A session that lasts: what of the model is kept in a file, and a model of what was.
extension Model {
  /// What was made in the session, without what was chosen on the screen. All of its history must have been
  /// carried out.
  ///
  /// - Complexity: O(histories + marks + notes): what happened is not copied.
  public var saved: SavedSession {
    var saved = SavedSession(
      branches.map { .init(name: $0.name.string, origin: $0.origin, session: $0.session) })
    saved.marks = orderedMarks.map { letter, place in
      SavedSession.Mark(
        letter: letter,
        place: SavedSession.Place(history: place.branch, moment: place.moment),
        selection: place.selectionText)
    }
    saved.notes = notes
    return saved
  }

  /// The same with what was chosen on the screen.
  public var savedWithChoices: SavedSession {
    var saved = saved
    saved.choices = ScreenChoice.all.map { .init(name: $0.name, value: $0.value(self)) }
    saved.choices += foldChoices
    return saved
  }

  /// All of it, with checks of all tables at the end of chapters, for a file that lasts. O(n) in the tables, for
  /// each chapter.
  public mutating func savedWithChecks() -> SavedSession {
    completeHistory()
    let checks = branches.indices.map { TableCheck.atChapters(of: &branches[$0].session) }
    var saved = savedWithChoices
    for index in checks.indices { saved.histories[index].tableChecks = checks[index] }
    return saved
  }

  /// A model of a session that was kept, as it was.
  public init(
    _ saved: SavedSession, width: Int, height: Int, settings: Settings = Settings()
  ) {
    self.init(saved.histories[0].session, width: width, height: height, settings: settings)
    branches = saved.histories.map {
      Branch(name: SafeText($0.name), session: $0.session, origin: $0.origin)
    }
    for mark in saved.marks {
      marks[mark.letter] = Place(mark)
      newestMark = mark.letter
    }
    notes = saved.notes
    take(saved.choices)
    noteSaved()
  }

  /// What a person has made and would miss: statements, names, marks and notes.
  struct OwnWork: Equatable {
    var statements: [Int] = []
    var names: [SafeText] = []
    var marks: [Unicode.Scalar: Place] = [:]
    var notes = 0
  }

  var ownWork: OwnWork {
    OwnWork(
      statements: branches.map(\.session.scenario.statements.count), names: branches.map(\.name),
      marks: marks, notes: notes.count)
  }

  /// Whether something was made that is in no file, and would be missed: statements and notes; of a session
  /// that is kept, marks and names also.
  public var hasUnsaved: Bool {
    let own = ownWork
    if isKept { return own != savedWork }
    return own.statements != savedWork.statements || own.notes != savedWork.notes
  }

  /// Notes that all that was made is in a file.
  public mutating func noteSaved() {
    savedWork = ownWork
    isKept = true
    for index in branches.indices { branches[index].typed = 0 }
  }

  /// What would be lost now, as the beginning of a sentence.
  var unsavedAre: SafeText {
    let typed = typedEvents
    if typed == 1 { return "The typed event is" }
    if typed > 1 { return "\(typed) typed events are" }
    return notes.count > savedWork.notes
      ? "A note is" : marks != savedWork.marks ? "A mark is" : "What you made is"
  }
}

extension Place {
  /// A place with a letter, as it was kept.
  init(_ mark: SavedSession.Mark) {
    self.init(branch: mark.place.history, moment: mark.place.moment)
    select(mark.selection)
  }

  /// The table and the entry that were selected, or nothing.
  var selectionText: String {
    guard let table else { return "" }
    return table.name + (position.map { " \($0.text)" } ?? "")
  }

  /// Selects what `selectionText` says; anything else is nothing.
  mutating func select(_ text: String) {
    let words = text.split(separator: " ")
    table = words.first.flatMap { TableID(name: $0) }
    position = words.count > 1 ? Position(text: words[1]) : nil
  }
}

extension Position {
  /// The position in one word: `0x80000000:3`.
  var text: String { "0x\(String(address, radix: 16)):\(level)" }

  /// Reads what `text` gives.
  init?(text: some StringProtocol) {
    let parts = text.split(separator: ":")
    guard parts.count == 2, let address = Number.value(of: parts[0]), let level = Int(parts[1]),
      (-1...Geometry.lastLevel).contains(level)
    else { return nil }
    self.init(address, level: level)
  }
}
