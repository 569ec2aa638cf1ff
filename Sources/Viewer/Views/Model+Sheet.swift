import Canvas

extension Model {
  /// Draws the open sheet.
  func drawSheet(of frame: inout Surface) {
    guard let sheet else { return }
    let inside = Layout.sheet(sheet, in: size)
    let box = Layout.box(around: inside)
    frame.fill(box)
    let query: SafeText = sheet.query.isEmpty ? "" : " with \(SafeText(sheet.query))"
    frame.box(box, title: " " + sheet.title + query, focused: true)
    let count = sheet.document.layout(width: inside.width, height: inside.height).count
    let mark = SafeText.arrows(
      up: sheet.view.top > 0, down: sheet.view.top + inside.height < count)
    if !mark.isEmpty {
      let point = Point(box.right - mark.columns - 4, box.y)
      frame.write(" " + mark + " ", at: point, style: Style(.paneTitleFocused))
    }
    frame.draw(sheet.document, sheet.view, showsChoice: true, in: inside)
    // A single character is searched as a key.
    if sheet.query.unicodeScalars.count > 1 { frame.mark(sheet.query, in: inside) }
  }
}
