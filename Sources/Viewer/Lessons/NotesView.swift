import Canvas

/// A teacher's notes on a separate screen.
package struct NotesView: ScreenView {
  private let keyMap: KeyMap
  private var size: (width: Int, height: Int)
  private var title: SafeText = ""
  private var guesses: SafeText = ""
  private var document = Document()
  private var view = DocumentView()
  /// Whether the user has closed them.
  package private(set) var isFinished = false

  package init(settings: Settings = Settings()) {
    keyMap = settings.keyMap
    size = (0, 0)
  }

  /// Shows other notes, and the class's guesses; notes of another page from their beginning.
  package mutating func show(title: String, guesses: String = "", _ lines: [String]) {
    self.guesses = SafeText(guesses)
    let isOther = self.title != SafeText(title)
    self.title = SafeText(title)
    document = Document(lines.map { Line(SafeText($0)) })
    if isOther { view = DocumentView() }
    settle()
  }

  package mutating func update(_ input: Input) -> [Effect] {
    var effects: [Effect] = []
    switch input {
    case .resize(let width, let height): size = (min(width, Rect.limit), min(height, Rect.limit))
    case .end: isFinished = true
    case .key(let key): effects = perform(keyMap.command(for: key)?.action)
    case .tick, .mouse, .paste: break
    }
    settle()
    return effects
  }

  private mutating func perform(_ action: Action?) -> [Effect] {
    let page = max(1, text.height - 1)
    if let movement = action?.movement(page: page, half: page / 2) {
      view.move(movement, in: document)
      return []
    }
    switch action {
    case .play: view.move(.rows(page), in: document)
    case .redraw: return [.redraw]
    case .suspend: return [.suspend]
    case .quit, .quitNow, .back: isFinished = true
    default: break
    }
    return []
  }

  /// Ends it, since no more notes will come.
  package mutating func finish() { isFinished = true }

  private mutating func settle() { view.scroll(document, width: text.width, height: text.height) }

  /// Where the notes are: below the title, with a blank column at each side.
  private var text: Rect {
    Rect(x: 1, y: 2, width: max(1, size.width - 2), height: max(1, size.height - 2))
  }

  package func frame() -> Surface {
    var frame = Surface(width: size.width, height: size.height)
    // The guesses stay visible, however long the notes are.
    let room = max(0, size.width - 2 - (guesses.isEmpty ? 0 : guesses.columns + 2))
    frame.write(
      title.truncated(to: room), at: Point(1, 0), style: Style(.title), clip: frame.bounds)
    frame.write(
      guesses, at: Point(max(1, size.width - guesses.columns - 1), 0), style: Style(.heading),
      clip: frame.bounds)
    frame.hline(at: Point(0, 1), length: size.width, style: Style(.paneBorder))
    frame.draw(document, view, showsChoice: false, in: text)
    let count = document.layout(width: text.width, height: text.height).count
    let mark = SafeText.arrows(up: view.top > 0, down: view.top + text.height < count)
    frame.write(
      mark, at: Point(size.width - mark.columns - 1, 1), style: Style(.key), clip: frame.bounds)
    return frame
  }
}
