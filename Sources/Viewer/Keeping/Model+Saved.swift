import Canvas
import Engine
import Inquiry
import Language
import Recording

/// Saving a session: the parts of the model kept in a file, and a model from them.
extension Model {
  /// The user's work in the session, without choices on the screen. All of its history must have been
  /// carried out.
  ///
  /// - Complexity: O(histories + marks + notes): events are not copied.
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

  /// The same with the choices on the screen.
  public var savedWithChoices: SavedSession {
    var saved = saved
    saved.choices = ScreenChoice.all.map { .init(name: $0.name, value: $0.value(self)) }
    saved.choices += foldChoices
    return saved
  }

  /// All of it, with checks of all tables at the end of chapters, for a permanent file. O(n) in the
  /// tables, for each chapter.
  public mutating func savedWithChecks() -> SavedSession {
    completeHistory()
    let checks = branches.indices.map { TableCheck.atChapters(of: &branches[$0].session) }
    var saved = savedWithChoices
    for index in checks.indices { saved.histories[index].tableChecks = checks[index] }
    return saved
  }

  /// A model of a saved session, as it was.
  public init(
    _ saved: SavedSession, width: Int, height: Int, settings: Settings = Settings()
  ) {
    self.init(saved.histories[0].session, width: width, height: height, settings: settings)
    branches = saved.histories.map {
      Branch(name: SafeText($0.name), session: $0.session, origin: $0.origin)
    }
    for mark in saved.marks {
      var place = Place(branch: mark.place.history, moment: mark.place.moment)
      select(mark.selection, at: &place)
      marks[mark.letter] = place
      newestMark = mark.letter
    }
    notes = saved.notes
    take(saved.choices)
    noteSaved()
  }

  /// The user's work that would be missed: statements, names, marks and notes.
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

  /// Whether there is work in no file that would be missed: statements and notes; in a saved session,
  /// also marks and names.
  public var hasUnsaved: Bool {
    if isRecorded { return false }
    let own = ownWork
    if isKept { return own != savedWork }
    return own.statements != savedWork.statements || own.notes != savedWork.notes
  }

  /// Notes that all work is in a file.
  public mutating func noteSaved() {
    savedWork = ownWork
    isKept = true
    for index in branches.indices { branches[index].typed = 0 }
  }

  /// Notes that the work comes from a program that was killed: it is in no file of the user's.
  public mutating func noteRecovered() {
    savedWork = OwnWork()
    isKept = true
  }

  /// The unsaved work, as the beginning of a sentence.
  var unsavedAre: SafeText {
    let typed = typedEvents
    if typed == 1 { return "The typed event is" }
    if typed > 1 { return "\(typed) typed events are" }
    return notes.count > savedWork.notes
      ? "A note is" : marks != savedWork.marks ? "A mark is" : "What you made is"
  }
}

extension Place {
  /// The selected table and entry, or an empty text.
  var selectionText: String {
    guard let table else { return "" }
    return table.name + (position.map { " \($0.text)" } ?? "")
  }
}

extension Model {
  /// Selects at a place what its `selectionText` names; any other text selects nothing.
  func select(_ text: String, at place: inout Place) {
    let words = text.split(separator: " ")
    place.table = words.first.flatMap { table(named: $0) }
    place.position = place.table != nil && words.count > 1 ? Position(text: words[1]) : nil
  }
}

extension Position {
  /// The position in one word: `0x80000000:3`.
  var text: String { "\(Phrase.address(address)):\(level)" }

  /// Reads what `text` writes.
  init?(text: some StringProtocol) {
    let parts = text.split(separator: ":")
    guard parts.count == 2, let address = Number.value(of: parts[0]), let level = Int(parts[1]),
      (-1...Geometry.lastLevel).contains(level)
    else { return nil }
    self.init(address, level: level)
  }
}
