import Canvas
import Engine

/// Whether more is above or below what is in sight.
extension Model {
  /// Arrows to where a pane goes on; empty if all of it is in sight.
  ///
  /// - Parameter rect: The pane with its title.
  func scrollMark(of pane: Pane, in rect: Rect) -> SafeText {
    let inside = Layout.inside(rect)
    switch pane {
    case .canonical, .guest, .shadow, .iommu:
      guard let rows = rows(of: pane) else { return "" }
      let visible = visibleRows(of: pane, height: Self.rowCount(paneHeight: rect.height))
      guard let first = visible.first, let last = visible.last else { return "" }
      return Self.arrows(
        rows.previous(before: first) != nil, rows.next(after: last) != nil)
    case .steps:
      guard let last = visibleStepLines(in: inside).last else { return "" }
      let rest = stepLines(last.step, width: inside.width).last
      return Self.arrows(
        steps.top > 0, last.step + 1 < timeline.steps.count || rest != last.line)
    case .detail:
      let count = answer.layout(width: inside.width - 2, height: inside.height).count
      let overhang = answer.overhang(width: inside.width - 2)
      return (detail.left > 0 ? SafeText(.left) : "")
        + Self.arrows(detail.top > 0, detail.top + inside.height < count)
        + (detail.left < overhang ? SafeText(.right) : "")
    // Its own lines say where in the map one is.
    case .reverseMap: return ""
    }
  }

  static func arrows(_ up: Bool, _ down: Bool) -> SafeText {
    (up ? SafeText(.up) : "") + (down ? SafeText(.down) : "")
  }
}
