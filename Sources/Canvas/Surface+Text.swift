extension Surface {
  /// The frame as text: a line for each row, without trailing blanks.
  public var text: String {
    rows { row in
      var line = String(String.UnicodeScalarView(row.filter { !$0.isContinuation }.map(\.scalar)))
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  /// The styles, which ``text`` omits, as text: a line for each row that names its columns, from 0, with
  /// their role and attributes, as in `0-7 title+bold  9 changed+reverse`.
  ///
  /// Cells in the plain style are omitted.
  public var styleText: String {
    rows { row in
      Self.runs(in: row).filter { $0.style != .plain }.map { run in
        let last = run.columns == 1 ? "" : "-\(run.x + run.columns - 1)"
        return "\(run.x)\(last) \(run.style.name)"
      }.joined(separator: "  ")
    }
  }

  /// The rows as lines, each with its line feed.
  private func rows(_ line: (ArraySlice<Cell>) -> String) -> String {
    (0..<height).map { line(row($0)) + "\n" }.joined()
  }

  /// Adjacent cells with one style.
  struct Run {
    /// The first column.
    var x: Int
    /// The number of columns.
    var columns: Int
    /// The characters.
    var text: String
    /// The style of all of them.
    var style: Style
  }

  /// The cells of a row by style, from left to right.
  static func runs(in row: ArraySlice<Cell>) -> [Run] {
    var runs: [Run] = []
    for (x, cell) in row.enumerated() {
      if runs.last?.style != cell.style {
        runs.append(Run(x: x, columns: 0, text: "", style: cell.style))
      }
      runs[runs.count - 1].columns += 1
      if !cell.isContinuation { runs[runs.count - 1].text.unicodeScalars.append(cell.scalar) }
    }
    return runs
  }
}

extension Style {
  /// The role and the attributes, as in `title+bold+reverse`.
  fileprivate var name: String {
    let names: [(Attributes, String)] = [
      (.bold, "bold"), (.dim, "dim"), (.italic, "italic"), (.underline, "underline"),
      (.reverse, "reverse"),
    ]
    return names.reduce("\(role)") { name, attribute in
      attributes.contains(attribute.0) ? "\(name)+\(attribute.1)" : name
    }
  }
}
