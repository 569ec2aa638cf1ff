import Canvas
import Engine

/// What the screen, the keys, the mouse, help and `--plain` need to know of a pane.
///
/// Everything about one pane is in its own type, which everything else asks. Rectangles are the pane's
/// inside: below the title line, which is drawn the same way for all panes.
protocol PaneOperations: Sendable {
  /// Which pane it is.
  var pane: Pane { get }
  /// Its region of the screen.
  var region: PaneRegion { get }

  /// Whether a VM of a configuration has the pane.
  ///
  /// - Parameter hasDevices: Whether there are devices, now or later.
  func exists(in configuration: VMConfiguration, hasDevices: Bool) -> Bool
  /// Whether the overview has it beside other panes, if there is room; else it replaces them.
  func isInOverview(of model: Model) -> Bool
  /// The table that it shows; nil if it shows none now.
  func table(in model: Model) -> TableID?
  /// A reader of that table; nil if there is none now.
  func reader(in model: Model) -> TableReader?
  /// The tables of the kind that it shows.
  func tables(in model: Model) -> [TableID]

  /// Its name, as it follows the number in the title line.
  func name(in model: Model) -> SafeText
  /// The rest of the title line, the most important first.
  func context(in model: Model) -> [SafeText]
  /// The glossary word for its contents.
  var term: String { get }
  /// The glossary word for the item under the cursor.
  func term(in model: Model) -> String

  /// Updates its cursor and scrolling after any change.
  func settle(_ model: inout Model, in rect: Rect)
  /// Draws it. Returns scroll arrows; empty if all of it is visible.
  func draw(_ model: Model, in rect: Rect, of frame: inout Surface) -> SafeText

  /// Called when it gets the focus.
  func takeFocus(in model: inout Model)
  /// Number of rows that a page of `height` lines moves.
  func rowCount(height: Int, in model: Model) -> Int
  /// Moves the cursor.
  func move(_ movement: Movement, in model: inout Model)
  /// Puts the cursor at a point of the pane. Returns whether there is anything.
  func select(at point: Point, in rect: Rect, of model: inout Model) -> Bool
  /// Why an action on the pane's contents is unavailable now; nil if it is available.
  func obstacle(to action: Action, in model: Model) -> SafeText?
  /// Carries out an action on the pane's contents, one for which `Action.concernsPane` is true.
  func perform(_ action: Action, in model: inout Model)
  /// Goes to the next match of the searched text, or reports that there is none.
  func find(forward: Bool, in model: inout Model)

  /// The item under the cursor in words: a sentence without its first words, which name the pane.
  func place(in model: Model) -> SafeText
  /// All of it in words, a line for each row.
  func content(in model: Model) -> [SafeText]
}

/// The region of the screen for a pane.
enum PaneRegion: Equatable {
  /// Among the tables, beside each other at the top. If there is no room for all, those with the lowest
  /// rank stay beside the focused one.
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

  /// Where the pane is on the screen, without its title; nil if it is not visible.
  func inside(_ model: Model) -> Rect? { model.layout.rect(of: pane).map(Layout.inside) }

  /// Why an action on tables is unavailable in a pane without one.
  func obstacleOutsideTables(to action: Action, in model: Model) -> SafeText? {
    switch action {
    case .flat: "Only tables have a tree and a flat view. \(model.press(.nextPane)) to go to one."
    case .left, .right: "Only tables can be folded. \(model.press(.nextPane)) to go to one."
    case .nextTable, .previousTable: "There is no other table of this kind."
    default: nil
    }
  }

  /// Why Enter does nothing in a pane without links.
  func nothingToChoose(in model: Model) -> SafeText {
    "There is nothing to open here. \(model.press(.nextPane)) to go to another pane."
  }
}

extension Action {
  /// Whether it acts on the contents of the focused pane, which defines its meaning.
  var concernsPane: Bool {
    switch self {
    case .left, .right, .choose, .flat, .nextTable, .previousTable: true
    default: false
    }
  }
}

extension SafeText {
  /// Scroll arrows.
  static func arrows(up: Bool, down: Bool) -> SafeText {
    (up ? SafeText(.up) : "") + (down ? SafeText(.down) : "")
  }
}

/// Maximum number of lines of one pane said at once.
enum Spoken {
  static let linesAtMost = 100

  /// The first lines, and the number of the rest.
  static func shortened(_ lines: [SafeText]) -> [SafeText] {
    if lines.count <= linesAtMost { return lines }
    return lines.prefix(linesAtMost) + ["\(lines.count - linesAtMost) more."]
  }
}
