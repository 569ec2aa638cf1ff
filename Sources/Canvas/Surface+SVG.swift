extension Surface {
  /// The frame as a picture: a self-contained SVG document in a monospaced font, with the colours
  /// of a theme on its background.
  ///
  /// Each run of text is stretched to its columns, so the picture is aligned in any font.
  public func svg(theme: Theme) -> String {
    (Self.svgHeader(width: width, height: height, theme: theme) + svgElements(theme: theme)
      + Self.svgFooter + [""]).joined(separator: "\n")
  }

  /// The lines before the elements of frames of a size in cells.
  public static func svgHeader(width: Int, height: Int, theme: Theme) -> [String] {
    let box = "width=\"\(width * cellWidth)\" height=\"\(height * cellHeight)\""
    return [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" \(box)>",
      "<rect \(box) fill=\"\(theme.backdrop.hex)\"/>",
      "<g font-family=\"monospace\" font-size=\"15\" xml:space=\"preserve\">",
    ]
  }

  /// The lines after them.
  public static let svgFooter = ["</g>", "</svg>"]

  /// The elements of the frame.
  public func svgElements(theme: Theme) -> [String] {
    (0..<height).flatMap { y in
      Self.runs(in: row(y)).flatMap { svgElements(of: $0, y: y, theme: theme) }
    }
  }

  // The size of a cell and the distance of the base line from its top, in SVG units, for the font
  // size above.
  private static let cellWidth = 9
  private static let cellHeight = 18
  private static let baseline = 14

  private func svgElements(of run: Run, y: Int, theme: Theme) -> [String] {
    let look = theme.look(of: run.style, at: .full)
    var ink = look.foreground.map(RGB.init) ?? theme.textColour
    var ground = look.background.map(RGB.init) ?? theme.backdrop
    if look.attributes.contains(.reverse) { swap(&ink, &ground) }
    let x = run.x * Self.cellWidth
    let length = run.columns * Self.cellWidth
    var elements: [String] = []
    if ground != theme.backdrop {
      elements.append(
        "<rect x=\"\(x)\" y=\"\(y * Self.cellHeight)\" width=\"\(length)\""
          + " height=\"\(Self.cellHeight)\" fill=\"\(ground.hex)\"/>")
    }
    if run.text.contains(where: { $0 != " " }) || look.attributes.contains(.underline) {
      elements.append(
        "<text x=\"\(x)\" y=\"\(y * Self.cellHeight + Self.baseline)\" textLength=\"\(length)\""
          + " lengthAdjust=\"spacingAndGlyphs\" fill=\"\(ink.hex)\"\(look.attributes.svg)>"
          + "\(Self.escaped(run.text))</text>")
    }
    return elements
  }
}

extension Theme {
  /// The colour of text that has the terminal's own colour.
  var textColour: RGB {
    self == .light ? RGB(16) : RGB(231)
  }
}

extension Attributes {
  /// The attributes as those of an SVG text element. Reverse is in its colours.
  fileprivate var svg: String {
    var text = ""
    if contains(.bold) { text += " font-weight=\"bold\"" }
    if contains(.dim) { text += " fill-opacity=\"0.6\"" }
    if contains(.italic) { text += " font-style=\"italic\"" }
    if contains(.underline) { text += " text-decoration=\"underline\"" }
    return text
  }
}
