import Canvas

/// A terminal recording for asciinema: version 2 has times from the beginning, version 3 from the
/// previous event. One JSON value per line.
package struct Cast {
  private let version: Int
  private let theme: Theme
  private var rows: [String] = []
  private var time = 0

  /// A cast without frames.
  ///
  /// - Parameter version: 2 or 3.
  package init(version: Int, theme: Theme) {
    self.version = version
    self.theme = theme
  }

  /// The first line: the size and the title, and nothing about the machine that made it.
  package func header(width: Int, height: Int, title: SafeText) -> String {
    version == 2
      ? #"{"version":2,"width":\#(width),"height":\#(height),"title":\#(Self.json(title.string))}"#
        + "\n"
      : #"{"version":3,"term":{"cols":\#(width),"rows":\#(height)},"title":\#(Self.json(title.string))}"#
        + "\n"
  }

  /// The lines of a frame: the rows that have changed, and a marker if it is a landmark.
  package mutating func lines(of frame: Film.Frame) -> String {
    let new = frame.surface.ansiRows(theme: theme, depth: .full)
    // Start without a cursor, on a blank screen.
    var output = rows.isEmpty ? "\u{1B}[?25l\u{1B}[2J" : ""
    for (y, row) in new.enumerated() where rows.isEmpty || rows[y] != row {
      output += "\u{1B}[\(y + 1);1H\(row)\u{1B}[K"
    }
    rows = new
    var lines = ""
    if let landmark = frame.landmark {
      lines += line(at: frame.time, "m", landmark.string)
    }
    if !output.isEmpty { lines += line(at: frame.time, "o", output) }
    return lines
  }

  private mutating func line(at milliseconds: Int, _ code: String, _ data: String) -> String {
    let shown = version == 2 ? milliseconds : milliseconds - time
    time = milliseconds
    let fraction = String(1_000 + shown % 1_000).dropFirst()
    return "[\(shown / 1_000).\(fraction),\"\(code)\",\(Self.json(data))]\n"
  }

  /// A text as a JSON string, in ASCII.
  static func json(_ text: String) -> String {
    Export.json(text) { (0x20..<0x7F).contains($0.value) }
  }
}
