import CTerminal
import Canvas

extension Terminal {
  /// Shows a frame on the screen, with as few bytes as possible.
  ///
  /// A frame of another size than the screen is cut, or leaves the rest of the screen blank.
  public mutating func present(_ frame: Surface) {
    let frame = frame.shown(in: characters)
    if shown?.bounds != frame.bounds {
      shown = nil
      ct_erase()
    }
    for y in 0..<frame.height where shown?.row(y) != frame.row(y) {
      painter.paint(frame.row(y), y: y)
    }
    let caret = frame.caret.flatMap { frame.bounds.contains($0) ? $0 : nil } ?? Point(-1, -1)
    ct_show(Int32(caret.x), Int32(caret.y))
    shown = frame
  }
}
