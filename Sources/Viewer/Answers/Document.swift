import Canvas
import Engine

/// Lines of text, some with links.
struct Document {
  /// The target of a line.
  enum Target: Equatable {
    case moment(Moment)
    case place(TableID, UInt64)
    case branch(Int)
    case watch(Int)
    case action(Action)
    case term(String)
    /// A file, or a scenario of the program, at a moment in its typed form.
    case open(String, at: String?)
    /// Removing a file with unsaved work from the last time.
    case discard(String)
    /// A choice in a lesson.
    case lesson(LessonView.Choice)
    /// A lesson, by its id.
    case learn(String)
    /// The beginning of a line to type.
    case typing(String)
  }

  struct Item {
    var line: Line
    var target: Target?
    /// Indent of continuation lines, in columns.
    var indent = 2
    /// For a row of a table, which is not wrapped: the cells after the line, as far as they fit.
    var cells: [Line] = []

    /// The line with the cells from index `left` on that fit completely into `width` columns.
    func row(from left: Int, width: Int) -> Line {
      var row = line
      for cell in cells.dropFirst(left) {
        if row.columns + cell.columns > width, row.columns > line.columns { break }
        row = row.adding(cell)
      }
      return row
    }

    /// All of it without styles.
    var text: SafeText { cells.reduce(line.text) { $0 + $1.text } }

    /// Number of cells to scroll out at the left until the last is visible.
    func overhang(width: Int) -> Int {
      if cells.isEmpty { return 0 }
      var columns = line.columns
      let seen = cells.reversed().prefix { cell in
        columns += cell.columns
        return columns <= width
      }
      return max(0, cells.count - max(1, seen.count))
    }
  }

  private(set) var items: [Item] = []
  /// Number of items at the start that stay visible while the others scroll.
  var heads = 0
  /// The item about the present moment, or nil.
  var current: Int?

  init() {}

  init(_ lines: [Line]) { items = lines.map { Item(line: $0) } }

  mutating func add(_ item: Item) { items.append(item) }

  mutating func add(_ line: Line, to target: Target? = nil, indent: Int = 2) {
    items.append(Item(line: line, target: target, indent: indent))
  }

  /// Adds a row of a table, which stays one line; its beginning always stays visible.
  mutating func add(row: Line, cells: [Line], to target: Target? = nil) {
    items.append(Item(line: row, target: target, cells: cells))
  }

  mutating func add(_ text: SafeText, _ role: Role = .text) { add(Line(text, role)) }

  /// A line between two parts.
  mutating func addBlank() { add(Line()) }

  /// The indices of the items with links.
  var choices: [Int] { items.indices.filter { items[$0].target != nil } }

  /// The lines without styles.
  var text: [SafeText] { items.map(\.text) }

  /// The document in lines of at most `width` columns, each with its item.
  ///
  /// If that is more than `height` lines, blank ones are omitted.
  func layout(width: Int, height: Int) -> [(line: Line, item: Int)] {
    var lines = items.enumerated().flatMap { index, item in
      (item.cells.isEmpty ? item.line.wrapped(to: width, indent: item.indent) : [item.line])
        .map { ($0, index) }
    }
    if lines.count > height { lines.removeAll { $0.0.parts.isEmpty } }
    return lines.map { (line: $0.0, item: $0.1) }
  }
}

extension Document {
  /// Number of cells by which its tables can be scrolled sideways.
  func overhang(width: Int) -> Int { items.map { $0.overhang(width: width) }.max() ?? 0 }
}

/// The position in a document.
struct DocumentView: Equatable {
  /// Index of the selected choice.
  var choice = 0
  /// The first visible line.
  var top = 0
  /// Number of table cells scrolled out at the left.
  var left = 0
  /// Lines to scroll until the first choice is visible: the text above it may take several pages.
  private(set) var linesToChoice = 0
  /// Number of visible lines.
  private var height = 1

  /// Goes to another choice, or scrolls if there is none, or none is visible yet.
  mutating func move(_ movement: Movement, in document: Document) {
    let choices = document.choices.count
    let page = max(1, height - 1)
    switch movement {
    case .rows(let distance) where distance > 0 && linesToChoice > 0:
      top += min(page, linesToChoice)
    case .rows(let distance) where distance < 0 && choices > 0 && choice == 0:
      top = max(0, top - page)
    case .rows, .first, .last:
      if movement == .first { top = 0 }
      if choices > 0 {
        choice = movement.target(from: min(choice, choices - 1), last: choices - 1)
      } else {
        top = movement.target(from: top, last: document.items.count * 4)
      }
    }
  }

  /// Scrolls tables sideways.
  mutating func moveSideways(by distance: Int) { left = max(0, left + distance) }

  /// Selects an item, if it has a link. Returns whether it does.
  @discardableResult
  mutating func choose(item: Int, in document: Document) -> Bool {
    guard let index = document.choices.firstIndex(of: item) else { return false }
    choice = index
    return true
  }

  /// Scrolls so that the choice is visible, with as few empty lines as possible.
  mutating func scroll(_ document: Document, width: Int, height: Int) {
    let all = document.layout(width: width, height: height)
    let lines = Array(all.drop { $0.item < document.heads })
    let height = max(1, height - (all.count - lines.count))
    let choices = document.choices
    (self.height, linesToChoice) = (height, 0)
    if !choices.isEmpty {
      choice = min(choice, choices.count - 1)
      let chosen = lines.indices.filter { lines[$0].item == choices[choice] }
      if let first = chosen.first, let last = chosen.last {
        if choice > 0 {
          top = min(max(top, last - height + 1), first)
        } else {
          // The text above the first choice is shown first.
          let lowest = max(0, last - height + 1)
          top = min(max(0, top), lowest)
          linesToChoice = lowest - top
        }
      }
    }
    top = min(max(0, top), max(0, lines.count - height))
    left = min(left, document.overhang(width: width))
  }

  /// The visible lines.
  func visible(in document: Document, width: Int, height: Int) -> [(line: Line, item: Int)] {
    let lines = document.layout(width: width, height: height)
    let heads = lines.prefix { $0.item < document.heads }
    let rest = lines.dropFirst(heads.count + top).prefix(max(0, height - heads.count))
    return (heads + rest).map { line, item in
      let whole = document.items[item]
      return (whole.cells.isEmpty ? line : whole.row(from: left, width: width), item)
    }
  }

  /// The target of the selected line.
  func target(in document: Document) -> Document.Target? {
    let choices = document.choices
    return choices.indices.contains(choice) ? document.items[choices[choice]].target : nil
  }
}

extension Surface {
  /// Draws the visible part of a document; with `showsChoice`, the selected line as a bar.
  mutating func draw(_ document: Document, _ view: DocumentView, showsChoice: Bool, in rect: Rect) {
    let lines = view.visible(in: document, width: rect.width, height: rect.height)
    let choices = document.choices
    let chosen = showsChoice && choices.indices.contains(view.choice) ? choices[view.choice] : nil
    for (y, (line, item)) in lines.enumerated() {
      let point = Point(rect.x, rect.y + y)
      write(line, at: point, clip: rect)
      if item == chosen {
        restyle(Rect(x: point.x, y: point.y, width: min(line.columns, rect.width), height: 1)) {
          $0.attributes.formSymmetricDifference(.reverse)
        }
      }
    }
  }
}
