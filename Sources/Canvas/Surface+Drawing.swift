extension Surface {
  /// Writes text from `point` to the right.
  ///
  /// - Parameter clip: The only cells to write to; all of the frame if nil.
  /// - Returns: The point after the text, where the next text of a line goes, clipped or not.
  @discardableResult
  public mutating func write(
    _ text: SafeText, at point: Point, style: Style = .plain, clip: Rect? = nil
  ) -> Point {
    let clip = clip?.intersection(bounds) ?? bounds
    if (clip.y..<clip.bottom).contains(point.y) {
      var x = point.x
      for scalar in text.string.unicodeScalars {
        if x >= clip.right { break }
        put(scalar, at: Point(x, point.y), style: style, clip: clip)
        x += scalar.columns
      }
    }
    return Point(point.x &+ text.columns, point.y)
  }

  /// Fills `rect` with a style, and with a drawing character or blanks.
  public mutating func fill(_ rect: Rect, with glyph: Glyph? = nil, style: Style = .plain) {
    let clip = rect.intersection(bounds)
    for y in clip.y..<clip.bottom {
      for x in clip.x..<clip.right {
        put(glyph?.scalar ?? " ", at: Point(x, y), style: style, clip: clip)
      }
    }
  }

  /// Draws a horizontal line of `length` cells from `point` to the right.
  public mutating func hline(
    at point: Point, length: Int, with glyph: Glyph = .horizontal, style: Style = .plain
  ) {
    fill(Rect(x: point.x, y: point.y, width: length, height: 1), with: glyph, style: style)
  }

  /// Draws a vertical line of `length` cells from `point` down.
  public mutating func vline(
    at point: Point, length: Int, with glyph: Glyph = .vertical, style: Style = .plain
  ) {
    fill(Rect(x: point.x, y: point.y, width: 1, height: length), with: glyph, style: style)
  }

  /// Draws the border of a pane along the edges of `rect`, with a title in the upper edge.
  ///
  /// A rectangle of less than two rows or columns has no room for a border and stays as it is. So does
  /// the inside.
  ///
  /// - Returns: The inside.
  @discardableResult
  public mutating func box(_ rect: Rect, title: SafeText = "", focused: Bool = false) -> Rect {
    let inside = rect.inset()
    guard rect.width >= 2 && rect.height >= 2 else { return inside }
    let border = Style(focused ? .paneBorderFocused : .paneBorder)
    let (right, bottom) = (rect.right - 1, rect.bottom - 1)
    for y in [rect.y, bottom] {
      hline(at: Point(inside.x, y), length: inside.width, style: border)
    }
    for x in [rect.x, right] {
      vline(at: Point(x, inside.y), length: inside.height, style: border)
    }
    let corners: [(Glyph, Point)] = [
      (.topLeft, Point(rect.x, rect.y)), (.topRight, Point(right, rect.y)),
      (.bottomLeft, Point(rect.x, bottom)), (.bottomRight, Point(right, bottom)),
    ]
    for (glyph, corner) in corners { write(SafeText(glyph), at: corner, style: border) }
    if !title.isEmpty && inside.width > 1 {
      write(
        title.truncated(to: inside.width - 1) + " ", at: Point(inside.x, rect.y),
        style: Style(focused ? .paneTitleFocused : .paneTitle))
    }
    return inside
  }

  /// Changes the style of every cell of `rect`: for the cursor, a match, a linked entry.
  public mutating func restyle(_ rect: Rect, _ change: (inout Style) -> Void) {
    updateCells(in: rect) { change(&$0.style) }
  }
}
