import Canvas

extension Model {
  /// What is open above the panes.
  func drawSheet(of frame: inout Surface) {
    guard let sheet else { return }
    let inside = Layout.sheet(in: size)
    let box = Rect(
      x: inside.x - 2, y: inside.y - 1, width: inside.width + 4, height: inside.height + 2)
    frame.fill(box)
    let query: SafeText = sheet.query.isEmpty ? "" : " with \(SafeText(sheet.query))"
    frame.box(box, title: " " + sheet.title + query, focused: true)
    frame.draw(sheet.document, sheet.view, showsChoice: true, in: inside)
  }
}
