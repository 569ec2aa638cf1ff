import Canvas
import Engine
import Inquiry
import Language

/// Something to read above the panes.
struct Sheet {
  enum Kind: Equatable {
    /// Actions with their keys, events, and signs.
    case help
    /// Words that contain a text.
    case glossary
    /// One word.
    case term(String)
    /// The rule of the current step.
    case reference
    /// What can be opened.
    case start
    /// The mistakes in the file's current version.
    case mistakes
    /// The statements that make no sense in a new history.
    case leftOut
  }

  let kind: Kind
  /// The text that narrows it.
  var query = ""
  var document = Document()
  var view = DocumentView()

  var title: SafeText {
    switch kind {
    case .help: "Help"
    case .glossary: "Glossary"
    case .term(let name): SafeText(name)
    case .reference: "Reference"
    case .start: "Start"
    case .mistakes: "Mistakes in the file"
    case .leftOut: "Left out of the new history"
    }
  }

  /// Whether it can be narrowed to lines that contain a text.
  var isNarrowed: Bool {
    switch kind {
    case .help, .glossary, .start: true
    case .term, .reference, .mistakes, .leftOut: false
    }
  }
}

extension Model {
  mutating func openHelp(_ query: String = "") { open(Sheet(kind: .help, query: query)) }

  /// Opens the glossary: at a word, or all of it.
  mutating func openGlossary(_ word: String) {
    let word = word.isEmpty && sheet == nil ? focus.operations.term(in: self) : word
    if let entry = Glossary.entry(word) { return open(Sheet(kind: .term(entry.name))) }
    open(Sheet(kind: .glossary, query: word))
  }

  mutating func openMistakes() { open(Sheet(kind: .mistakes)) }

  mutating func openLeftOut() { open(Sheet(kind: .leftOut)) }

  mutating func openStart() { open(Sheet(kind: .start)) }

  mutating func openReference() { open(Sheet(kind: .reference)) }

  private mutating func open(_ sheet: Sheet) {
    self.sheet = sheet
    narrowSheet(sheet.query)
  }

  /// Narrows the open sheet to lines that contain a text.
  mutating func narrowSheet(_ query: String) {
    guard var sheet else { return }
    sheet.query = query
    sheet.view = DocumentView()
    switch sheet.kind {
    case .help: sheet.document = help(query)
    case .start: sheet.document = start(query)
    case .mistakes: sheet.document = mistakesDocument
    case .leftOut: sheet.document = leftOutDocument
    case .glossary: sheet.document = Document(GlossaryAnswer(searching: query).report(detailLevel))
    case .term(let name):
      sheet.document = Document(GlossaryAnswer(name).report(detailLevel))
    case .reference:
      let steps = timeline.steps
      if let index = currentStep, steps.indices.contains(index) {
        sheet.document = Document(steps[index].facts.convention, for: steps[index])
      }
    }
    self.sheet = sheet
  }

  /// A key while something is open above the panes.
  mutating func performInSheet(_ command: Command) -> [Effect] {
    guard let sheet else { return [] }
    let page = Layout.sheet(sheet, in: size).height
    if let movement = command.action.movement(page: page, half: page / 2) {
      moveInSheet(movement)
      return []
    }
    switch command.action {
    case .back where !sheet.query.isEmpty: narrowSheet("")
    case .back, .quit: self.sheet = nil
    case .help: if sheet.kind == .help { self.sheet = nil } else { openHelp() }
    case .quitNow: isFinished = true
    case .redraw: return [.redraw]
    case .suspend: return [.suspend]
    case .play: moveInSheet(.rows(page))
    case .search:
      if sheet.isNarrowed {
        open(.narrow, sheet.query)
      } else {
        openGlossary("")
        open(.narrow)
      }
    case .choose where sheet.view.linesToChoice > 0: moveInSheet(.rows(1))
    case .choose: return sheet.view.target(in: sheet.document).map { follow($0) } ?? []
    case .open: if sheet.kind == .start { self.sheet = nil } else { openStart() }
    case .glossary: openGlossary("")
    case .reference where currentStep != nil: openReference()
    // A user who knows the keys need not close the welcome list first.
    case _ where sheet.kind == .start:
      self.sheet = nil
      return performInPanes(command)
    default: refuse("\(press(.back)) to close this first.")
    }
    return []
  }

  /// Moves to another choice, or scrolls if there are none.
  mutating func moveInSheet(_ movement: Movement) {
    guard var sheet else { return }
    sheet.view.move(movement, in: sheet.document)
    self.sheet = sheet
  }

  mutating func settleSheet() {
    guard var sheet else { return }
    let rect = Layout.sheet(sheet, in: size)
    sheet.view.scroll(sheet.document, width: rect.width, height: rect.height)
    self.sheet = sheet
  }
}

extension Layout {
  /// The inside of the open sheet: as high as its contents, if there is room.
  static func sheet(_ sheet: Sheet, in size: (width: Int, height: Int)) -> Rect {
    let width = min(84, size.width)
    let room = max(0, size.height - 3)
    let lines = sheet.document.layout(width: width - 4, height: room).count
    return Rect(
      x: (size.width - width) / 2 + 2, y: 1, width: width - 4, height: min(room, max(1, lines)))
  }

  /// The border around the open sheet, with a blank column at each side.
  static func box(around inside: Rect) -> Rect {
    Rect(x: inside.x - 2, y: inside.y - 1, width: inside.width + 4, height: inside.height + 2)
  }
}
