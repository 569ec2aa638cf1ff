/// A place on the screen: column and row in cells, counted from the top left corner.
///
/// Both may be negative or beyond the screen: whatever is drawn there is clipped.
public struct Point: Hashable, Sendable {
  /// The column, 0 at the left edge.
  public var x: Int
  /// The row, 0 at the top edge.
  public var y: Int

  /// Makes the point in column `x` of row `y`.
  public init(_ x: Int, _ y: Int) {
    self.x = x
    self.y = y
  }
}

/// A rectangular part of the screen, in cells.
///
/// A rectangle is never negative and never beyond ``limit``: what would lie above or left of the
/// screen is cut off when it is made, so arithmetic on its edges cannot overflow.
public struct Rect: Hashable, Sendable {
  /// The largest coordinate and extent that a rectangle can have: larger than any real screen, small
  /// enough for a frame of that size to fit into memory.
  public static let limit = 4_096

  /// The rectangle without cells.
  public static let zero = Rect(x: 0, y: 0, width: 0, height: 0)

  /// The leftmost column.
  public let x: Int
  /// The topmost row.
  public let y: Int
  /// The number of columns.
  public let width: Int
  /// The number of rows.
  public let height: Int

  /// Makes the part of the given rectangle that lies within 0 and ``limit``.
  public init(x: Int, y: Int, width: Int, height: Int) {
    (self.x, self.width) = Self.clamp(start: x, extent: width)
    (self.y, self.height) = Self.clamp(start: y, extent: height)
  }

  private static func clamp(start: Int, extent: Int) -> (start: Int, extent: Int) {
    let first = min(max(start, 0), limit)
    let (end, overflow) = start.addingReportingOverflow(max(extent, 0))
    let last = overflow ? limit : min(max(end, first), limit)
    return (first, last - first)
  }

  /// The first column to the right of the rectangle.
  public var right: Int { x + width }

  /// The first row below the rectangle.
  public var bottom: Int { y + height }

  /// The top left corner.
  public var origin: Point { Point(x, y) }

  /// Whether the rectangle has no cell.
  public var isEmpty: Bool { width == 0 || height == 0 }

  /// Whether the cell at `point` belongs to the rectangle.
  public func contains(_ point: Point) -> Bool {
    point.x >= x && point.x < right && point.y >= y && point.y < bottom
  }

  /// The cells that belong to both rectangles; without width or height if there are none.
  public func intersection(_ other: Rect) -> Rect {
    let left = max(x, other.x)
    let top = max(y, other.y)
    return Rect(
      x: left, y: top,
      width: min(right, other.right) - left, height: min(bottom, other.bottom) - top)
  }

  /// The rectangle without `columns` cells at the left and right and `rows` at top and bottom.
  ///
  /// A negative distance leaves the rectangle as it is. If it is too small for the distance, nothing is
  /// left.
  public func inset(columns: Int = 1, rows: Int = 1) -> Rect {
    let columns = min(max(columns, 0), width)
    let rows = min(max(rows, 0), height)
    return Rect(x: x + columns, y: y + rows, width: width - 2 * columns, height: height - 2 * rows)
  }
}
