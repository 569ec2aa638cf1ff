import Canvas

extension Model {
  /// The frame that the screen shows.
  public func frame() -> Surface {
    var frame = Surface(width: size.width, height: size.height)
    guard size.width >= Layout.least.width, size.height >= Layout.least.height else {
      frame.write("\(Layout.least.width)x\(Layout.least.height) needed", at: Point(0, 0))
      return frame
    }
    let layout = Layout(self)
    drawHeader(in: layout.header, of: &frame)
    drawRules(layout, in: &frame)
    for (pane, rect) in layout.panes {
      let inside = Layout.inside(rect)
      switch pane {
      case .canonical, .guest, .shadow, .iommu: drawTable(pane, in: inside, of: &frame)
      case .reverseMap: drawReverseMap(in: inside, of: &frame)
      case .steps: drawSteps(in: inside, of: &frame)
      case .detail: drawDetail(in: inside, of: &frame)
      }
    }
    if marksMatches, let rect = layout.rect(of: focus) {
      frame.mark(searched, in: Layout.inside(rect))
    }
    drawTimeline(in: layout.timeline, of: &frame)
    drawSheet(of: &frame)
    drawFooter(in: layout.footer, of: &frame)
    return frame
  }

  /// The title lines of the panes, and the lines between panes that are beside each other.
  private func drawRules(_ layout: Layout, in frame: inout Surface) {
    let border = Style(.paneBorder)
    for (pane, rect) in layout.panes {
      let isFocused = pane == focus
      let rule = Style(isFocused ? .paneBorderFocused : .paneBorder)
      frame.hline(at: rect.origin, length: rect.width, style: rule)
      let mark = scrollMark(of: pane, in: rect)
      let room = rect.width - 3 - (mark.isEmpty ? 0 : mark.columns + 3)
      let style = Style(isFocused ? .paneTitleFocused : .paneTitle)
      frame.write(
        " " + title(of: pane, width: room).truncated(to: room) + " ", at: rect.origin,
        style: style)
      if !mark.isEmpty {
        let point = Point(rect.right - mark.columns - 3, rect.y)
        frame.write(" " + mark + " ", at: point, style: style)
      }
    }
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
}
