import Canvas
import Inquiry

extension Model {
  /// The frame that the screen shows.
  public func frame() -> Surface {
    if let difference {
      var frame = difference.frame()
      let hasBar = replay.map { $0.isRunning && $0.showsBar } ?? false
      if message != nil || hasBar { drawFooter(in: layout.footer, of: &frame) }
      return frame
    }
    var frame = Surface(width: size.width, height: size.height)
    guard size.width >= Layout.least.width, size.height >= Layout.least.height else {
      let least: SafeText = "\(Layout.least.width)x\(Layout.least.height)"
      let whole = least + " needed"
      frame.write(whole.columns <= size.width ? whole : least, at: Point(0, 0))
      return frame
    }
    if isPresenting {
      drawPresentationHeader(in: layout.header, of: &frame)
      drawSentence(in: layout.sentence, of: &frame)
    } else {
      drawHeader(in: layout.header, of: &frame)
    }
    drawRules(in: &frame)
    for (pane, rect) in layout.panes {
      let mark = pane.operations.draw(self, in: Layout.inside(rect), of: &frame)
      drawTitle(of: pane, mark, in: rect, of: &frame)
    }
    if marksMatches, let rect = layout.rect(of: focus) {
      frame.mark(searched, in: Layout.inside(rect))
    }
    drawTimeline(in: layout.timeline, of: &frame)
    drawSheet(of: &frame)
    drawFooter(in: layout.footer, of: &frame)
    return frame
  }

  /// The lines above the panes, and those between adjacent panes.
  private func drawRules(in frame: inout Surface) {
    let border = Style(.paneBorder)
    for (pane, rect) in layout.panes {
      let rule = Style(pane == focus ? .paneBorderFocused : .paneBorder)
      frame.hline(at: rect.origin, length: rect.width, style: rule)
    }
    if isPresenting { return }
    // A line to the right of each pane that has a neighbour there.
    for (_, rect) in layout.panes where rect.right < frame.width {
      frame.vline(
        at: Point(rect.right, rect.y + 1), length: rect.height - 1, style: border)
      let joint: Glyph =
        frame[Point(rect.right, rect.y - 1)].scalar == Glyph.vertical.scalar
        ? .cross : .teeDown
      frame.write(SafeText(joint), at: Point(rect.right, rect.y), style: border)
    }
    for (_, rect) in layout.panes where rect.y > 1 && rect.right >= frame.width {
      // Where lines from above end on a title line.
      for x in 0..<frame.width
      where frame[Point(x, rect.y - 1)].scalar == Glyph.vertical.scalar
        && frame[Point(x, rect.y)].scalar == Glyph.horizontal.scalar
      {
        frame.write(SafeText(.teeUp), at: Point(x, rect.y), style: border)
      }
    }
  }

  /// The title of a pane: its number, what it shows, and for a table its context; and scroll arrows.
  private func drawTitle(
    of pane: Pane, _ mark: SafeText, in rect: Rect, of frame: inout Surface
  ) {
    let style = Style(pane == focus ? .paneTitleFocused : .paneTitle)
    let room = rect.width - 3 - (mark.isEmpty ? 0 : mark.columns + 3)
    frame.write(
      " " + title(of: pane, width: room).truncated(to: room) + " ", at: rect.origin, style: style)
    if !mark.isEmpty {
      let point = Point(rect.right - mark.columns - 3, rect.y)
      frame.write(" " + mark + " ", at: point, style: style)
    }
  }

  /// The title in at most `width` columns, if its beginning fits. A part that does not fit is left out,
  /// with all less important parts.
  func title(of pane: Pane, width: Int) -> SafeText {
    var title: SafeText = "\((panes.firstIndex(of: pane) ?? 0) + 1) "
    title += pane.operations.name(in: self)
    for part in pane.operations.context(in: self) {
      let part = detailLevel == .plain ? SafeText(PlainWords.expand(part.string)) : part
      if title.columns + 2 + part.columns > width { break }
      title += "  " + part
    }
    return title
  }
}
