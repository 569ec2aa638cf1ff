import CTerminal
import Canvas

/// Paints rows of cells in the colours of a theme. ncurses finds the cells that differ from the screen.
struct Painter {
  let theme: Theme
  let depth: ColourDepth

  /// The cached looks of styles.
  private var looks: [Style: Look] = [:]
  /// The pairs allocated for colours.
  private var pairs: [Look: UInt16] = [:]

  init(theme: Theme, depth: ColourDepth) {
    self.theme = theme
    self.depth = depth
  }

  /// Puts a row onto the screen.
  mutating func paint(_ row: ArraySlice<Cell>, y: Int) {
    var cells: [ct_cell] = []
    cells.reserveCapacity(row.count)
    var before = Look.plain
    var start = row.startIndex
    while start < row.endIndex {
      let style = row[start].style
      let isBlank = row[start].scalar == " "
      let end = row[start...].firstIndex { $0.style != style || ($0.scalar == " ") != isBlank }
      let run = row[start..<(end ?? row.endIndex)]
      var look = look(of: style)
      if isBlank { look = look.ofBlanks(run.count, after: before) }
      append(run, as: look, to: &cells)
      before = look
      start = run.endIndex
    }
    ct_put(0, Int32(y), cells, Int32(cells.count))
  }

  private mutating func append(_ run: ArraySlice<Cell>, as look: Look, to cells: inout [ct_cell]) {
    let pair = pair(of: look)
    let attributes = UInt16(look.attributes.rawValue)
    for cell in run {
      cells.append(ct_cell(scalar: cell.scalar.value, pair: pair, attributes: attributes))
    }
  }

  private mutating func look(of style: Style) -> Look {
    if let known = looks[style] { return known }
    let look = theme.look(of: style, at: depth)
    looks[style] = look
    return look
  }

  /// The number of the pair of a look's colours.
  ///
  /// The terminal's own colours also have one: to return to pair 0, ncurses would also reset all
  /// attributes.
  private mutating func pair(of look: Look) -> UInt16 {
    if depth == .mono { return 0 }
    let colours = Look(foreground: look.foreground, background: look.background, attributes: [])
    if let known = pairs[colours] { return known }
    let pair = UInt16(pairs.count + 1)
    ct_set_pair(
      pair, look.foreground.map(Int32.init) ?? -1, look.background.map(Int32.init) ?? -1)
    pairs[colours] = pair
    return pair
  }
}

extension Look {
  /// The equivalent look for blanks that saves the most bytes.
  ///
  /// Blanks have no strokes. If only strokes would differ, a few blanks are written
  /// like the text before them, and many are plain, so that the terminal can be told to erase.
  fileprivate func ofBlanks(_ count: Int, after before: Look) -> Look {
    let visible: Attributes = [.reverse, .underline]
    guard attributes.isDisjoint(with: visible) else { return self }
    if count < 8 && before.background == background && before.attributes.isDisjoint(with: visible) {
      return before
    }
    return Look(foreground: nil, background: background, attributes: [])
  }
}
