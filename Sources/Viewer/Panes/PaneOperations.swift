import Canvas
import Engine

/// What the screen, the keys, the mouse, help and `--plain` need to know of a pane.
///
/// Everything about one pane is in the type that says so, and everything else asks it. Rectangles are
/// those of the inside: below the title line, which is drawn for all panes alike.
protocol PaneOperations: Sendable {
  /// Which pane it is.
  var pane: Pane { get }
  /// Where on the screen it is.
  var region: PaneRegion { get }

  /// Whether a VM of a configuration has the pane.
  ///
  /// - Parameter hasDevices: Whether there are devices, now or later.
  func exists(in configuration: VMConfiguration, hasDevices: Bool) -> Bool
  /// Whether the overview has it beside other panes, if there is room; else it is shown in their place.
  func isInOverview(of model: Model) -> Bool
  /// The table that it shows; nil if it shows none now.
  func table(in model: Model) -> TableID?
  /// A reader of that table; nil if there is none now.
  func reader(in model: Model) -> TableReader?
  /// The tables of the kind that it shows.
  func tables(in model: Model) -> [TableID]

  /// Its name, as the title line has it behind the number.
  func name(in model: Model) -> SafeText
  /// What else the title line says, the most important first.
  func context(in model: Model) -> [SafeText]
  /// The word of the glossary for what it shows.
  var term: String { get }
  /// The word of the glossary for what the cursor is on.
  func term(in model: Model) -> String

  /// Brings its cursor and scrolling in order after anything has changed.
  func settle(_ model: inout Model, in rect: Rect)
  /// Draws it. Returns arrows to where it goes on; empty if all of it is in sight.
  func draw(_ model: Model, in rect: Rect, of frame: inout Surface) -> SafeText

  /// Does what the focus, which it has now, brings with it.
  func takeFocus(in model: inout Model)
  /// Rows that a page of so many lines moves by.
  func rowCount(height: Int, in model: Model) -> Int
  /// Moves the cursor by rows; by a number that is too large, to the first or last row.
  func move(by distance: Int, in model: inout Model)
  /// Puts the cursor where a point of the pane is. Returns whether there is anything.
  func select(at point: Point, in rect: Rect, of model: inout Model) -> Bool
  /// Why an action about what is in the pane can do nothing now; nil if it can.
  func obstacle(to action: Action, in model: Model) -> SafeText?
  /// Does an action about what is in the pane: one of those that `Action.concernsPane` names.
  func perform(_ action: Action, in model: inout Model)
  /// Goes to the next place of the searched text, or says that there is none.
  func find(forward: Bool, in model: inout Model)

  /// In words what the cursor is on: a sentence without its first words, which name the pane.
  func place(in model: Model) -> SafeText
  /// All of it in words, a line for each row.
  func content(in model: Model) -> [SafeText]
}

/// Where on the screen a pane is.
enum PaneRegion: Equatable {
  /// Among the tables, beside each other at the top. Where there is no room for all, those with the
  /// lowest rank stay beside the one that has the focus.
  case table(rank: Int)
  /// Below the tables, as wide as the screen.
  case band
  /// Among the texts, at the bottom.
  case text
}

extension PaneOperations {
  func isInOverview(of model: Model) -> Bool { true }
  func table(in model: Model) -> TableID? { nil }
  func reader(in model: Model) -> TableReader? { nil }
  func tables(in model: Model) -> [TableID] { [] }
  func term(in model: Model) -> String { term }
  func takeFocus(in model: inout Model) {}
  func rowCount(height: Int, in model: Model) -> Int { height }

  /// Where the pane is on the screen, without its title; nil if it is not in sight.
  func inside(_ model: Model) -> Rect? { model.layout.rect(of: pane).map(Layout.inside) }

  /// Why an action that is about tables can do nothing in a pane without one.
  func obstacleOutsideTables(to action: Action, in model: Model) -> SafeText? {
    switch action {
    case .flat: "Only tables have a tree and a flat view. \(model.press(.nextPane)) to go to one."
    case .left, .right: "Only tables can be folded. \(model.press(.nextPane)) to go to one."
    case .nextTable, .previousTable: "There is no other table of this kind."
    default: nil
    }
  }

  /// Why Enter can do nothing in a pane where nothing leads on.
  func nothingToChoose(in model: Model) -> SafeText {
    "There is nothing to open here. \(model.press(.nextPane)) to go to another pane."
  }
}

extension Action {
  /// Whether it is about what is in the pane that has the focus, which knows what it means there.
  var concernsPane: Bool {
    switch self {
    case .left, .right, .choose, .flat, .nextTable, .previousTable: true
    default: false
    }
  }
}

extension SafeText {
  /// Arrows to where something goes on.
  static func arrows(up: Bool, down: Bool) -> SafeText {
    (up ? SafeText(.up) : "") + (down ? SafeText(.down) : "")
  }
}

/// Lines of one pane that are said at once at most.
enum Spoken {
  static let linesAtMost = 100

  /// The first lines, and how many more there are.
  static func shortened(_ lines: [SafeText]) -> [SafeText] {
    if lines.count <= linesAtMost { return lines }
    return lines.prefix(linesAtMost) + ["\(lines.count - linesAtMost) more."]
  }
}
