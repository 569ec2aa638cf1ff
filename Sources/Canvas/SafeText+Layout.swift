extension SafeText {
  /// The alignment of text in a column.
  public enum Alignment: Sendable {
    /// Blanks follow the text.
    case left
    /// Blanks precede the text.
    case right
    /// Blanks on both sides; an odd one follows.
    case centre
  }

  /// The text in at most `columns` columns. If it was cut, it ends in an ellipsis.
  public func truncated(to columns: Int) -> SafeText {
    if self.columns <= columns { return self }
    if columns < 1 { return SafeText() }
    return prefix(columns - 1) + SafeText(.ellipsis)
  }

  /// The text padded with blanks to at least `columns` columns.
  public func padded(to columns: Int, _ alignment: Alignment = .left) -> SafeText {
    let missing = columns - self.columns
    if missing <= 0 { return self }
    let before =
      switch alignment {
      case .left: 0
      case .right: missing
      case .centre: missing / 2
      }
    return SafeText(repeating: " ", count: before) + self
      + SafeText(repeating: " ", count: missing - before)
  }

  /// The text in exactly `columns` columns: truncated or padded.
  public func fitted(to columns: Int, _ alignment: Alignment = .left) -> SafeText {
    truncated(to: columns).padded(to: columns, alignment)
  }

  /// The text in lines of at most `columns` columns, broken between words.
  ///
  /// Blanks at a break are dropped, those between the words of a line count as one. A word is cut only if
  /// it is longer than a line. There is always at least one line, even if empty. Less than two columns
  /// count as two, the width of the widest scalar.
  public func wrapped(to columns: Int) -> [SafeText] {
    let columns = max(columns, 2)
    var lines: [SafeText] = []
    var line = SafeText()
    for word in string.split(separator: " ") {
      var word = SafeText(word)
      if !line.isEmpty {
        if line.columns + 1 + word.columns <= columns {
          line += " " + word
          continue
        }
        lines.append(line)
      }
      while word.columns > columns {
        let head = word.prefix(columns)
        lines.append(head)
        word = SafeText(word.string.unicodeScalars.dropFirst(head.string.unicodeScalars.count))
      }
      line = word
    }
    return line.isEmpty && !lines.isEmpty ? lines : lines + [line]
  }

  /// As many whole scalars from the start as fit into `columns`.
  private func prefix(_ columns: Int) -> SafeText {
    var head = SafeText()
    for scalar in string.unicodeScalars {
      guard head.columns + scalar.columns <= columns else { break }
      head.append(scalar)
    }
    return head
  }

  /// Makes text from scalars of a safe text.
  private init(_ scalars: Substring.UnicodeScalarView) {
    self.init(Substring(scalars))
  }
}
