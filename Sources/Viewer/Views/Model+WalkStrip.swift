import Canvas
import Engine
import Language

extension Model {
  /// The walk of a table for the cursor's address: the index at each level, and how it ends.
  func drawWalk(of pane: Pane, _ rows: Rows, in rect: Rect, of frame: inout Surface) {
    guard let cursor = views[pane]?.cursor, selected != nil else { return }
    let path = rows.reader.path(to: cursor.address)
    var line = Line(" walk", .dim)
    for (page, index) in path { line.add(" L\(page.level)[\(index)]", .text) }
    if let (page, index) = path.last {
      let entry = page[index]
      line.add(" \(Glyph.right) ", .dim)
      if entry.isLeaf(page.level) {
        line.add(entry.permissions.text, .permission)
      } else {
        line.add(SafeText(Phrase.entry(entry.bits, level: page.level)), .invalid)
      }
    }
    frame.write(line, at: rect.origin, clip: rect)
  }

  /// A map of the address space: a column for each power of two from 4K on, as high as much is mapped
  /// there.
  func drawMap(of pane: Pane, _ rows: Rows, in rect: Rect, of frame: inout Surface) {
    guard rect.width > 8 else { return }
    let map = AddressMap(rows.reader)
    let labels: (SafeText, SafeText) = (
      "4K ", " \(SafeText(Phrase.size(rows.reader.geometry.inputSize)))"
    )
    let columns = min(map.cells.count, rect.width - labels.0.columns - labels.1.columns - 2)
    var point = frame.write(labels.0, at: Point(rect.x + 1, rect.y), style: Style(.dim), clip: rect)
    let cursor = views[pane]?.cursor.map { map.cell(of: $0.address) }
    for (index, height) in map.cells.prefix(columns).enumerated() {
      let glyph: Glyph = height == 0 ? .middleDot : Glyph.bars[height - 1]
      let isCursor = index == cursor && selected != nil
      point = frame.write(
        SafeText(glyph), at: point,
        style: Style(height == 0 ? .dim : .valid, isCursor ? .reverse : []), clip: rect)
    }
    frame.write(labels.1, at: point, style: Style(.dim), clip: rect)
  }
}
