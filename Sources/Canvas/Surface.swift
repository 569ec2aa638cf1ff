/// A frame: a grid of cells, drawn by views and shown by terminals, files and tests.
///
/// Drawing is clipped on all sides, so any size, from none to a terminal's largest, and any place are
/// allowed. Both halves of a wide character are in the frame or neither.
public struct Surface: Hashable, Sendable {
  /// The number of columns.
  public let width: Int
  /// The number of rows.
  public let height: Int

  /// The place where text is being typed, or nil.
  ///
  /// A terminal shows its own cursor there, which input methods and screen readers follow.
  public var caret: Point?

  private var cells: [Cell]

  /// Makes a blank frame. Extents are clamped to 0 and ``Rect/limit``.
  public init(width: Int, height: Int) {
    let bounds = Rect(x: 0, y: 0, width: width, height: height)
    self.width = bounds.width
    self.height = bounds.height
    cells = Array(repeating: .blank(), count: bounds.width * bounds.height)
  }

  /// All of the frame.
  public var bounds: Rect { Rect(x: 0, y: 0, width: width, height: height) }

  /// The cell at `point`; a plain blank outside of the frame.
  public subscript(point: Point) -> Cell {
    bounds.contains(point) ? cells[point.y * width + point.x] : .blank()
  }

  /// The cells of row `y` from left to right; none outside of the frame.
  public func row(_ y: Int) -> ArraySlice<Cell> {
    (0..<height).contains(y) ? cells[y * width..<(y + 1) * width] : []
  }

  /// Changes every cell of `rect`.
  mutating func updateCells(in rect: Rect, _ change: (inout Cell) -> Void) {
    let rect = rect.intersection(bounds)
    for y in rect.y..<rect.bottom {
      for index in y * width + rect.x..<y * width + rect.right { change(&cells[index]) }
    }
  }

  /// Puts a character at `point`, or as much of it as lies in `clip`, which lies in the frame.
  ///
  /// Half a wide character cannot be drawn: a cut one, and the rest of one drawn over, become blanks.
  mutating func put(_ scalar: Unicode.Scalar, at point: Point, style: Style, clip: Rect) {
    guard scalar.columns == 2 else {
      return store(Cell(scalar: scalar, style: style), at: point, clip: clip)
    }
    let second = Point(point.x + 1, point.y)
    if clip.contains(point) && clip.contains(second) {
      store(Cell(scalar: scalar, style: style), at: point, clip: clip)
      store(.continuation(style), at: second, clip: clip)
    } else {
      store(.blank(style), at: point, clip: clip)
      store(.blank(style), at: second, clip: clip)
    }
  }

  private mutating func store(_ cell: Cell, at point: Point, clip: Rect) {
    guard clip.contains(point) else { return }
    let index = point.y * width + point.x
    if cells[index].isContinuation { cells[index - 1].scalar = " " }
    if point.x + 1 < width && cells[index + 1].isContinuation { cells[index + 1].scalar = " " }
    cells[index] = cell
  }
}
