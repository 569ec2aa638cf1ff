import Canvas

/// A session as one animated SVG: a group for each frame, visible for its time (SMIL). The
/// last one stays.
package struct MovingPicture {
  private let size: (width: Int, height: Int)
  private let theme: Theme
  /// The frame not written yet: the next one determines its duration.
  private var pending: (time: Int, elements: [String])?

  /// A picture without frames; the size is in cells.
  package init(width: Int, height: Int, theme: Theme) {
    size = (width, height)
    self.theme = theme
  }

  /// The text before the frames.
  package var header: String {
    Surface.svgHeader(width: size.width, height: size.height, theme: theme).joined(separator: "\n")
      + "\n"
  }

  /// The group of the previous frame.
  package mutating func lines(of frame: Film.Frame) -> String {
    let lines = pending.map { Self.group($0.elements, from: $0.time, to: frame.time) } ?? ""
    pending = (frame.time, frame.surface.svgElements(theme: theme))
    return lines
  }

  /// The last group, and the text after the frames.
  package mutating func footer() -> String {
    (pending.map { Self.group($0.elements, from: $0.time, to: nil) } ?? "")
      + Surface.svgFooter.joined(separator: "\n") + "\n"
  }

  private static func group(_ elements: [String], from start: Int, to end: Int?) -> String {
    let duration = end.map { "dur=\"\(max(1, $0 - start))ms\"" } ?? "fill=\"freeze\""
    return "<g visibility=\"hidden\"><set attributeName=\"visibility\" to=\"visible\" "
      + "begin=\"\(start)ms\" \(duration)/>\n" + elements.joined(separator: "\n") + "</g>\n"
  }
}
