import Engine

/// The text form of a reverse map: a line for each range, ascending by canonical IPA, its end exclusive.
///
///     0x80080000-0x80081000 known 0x1000
///     0x80100000-0x80102000 unknown
public enum ReverseMapDump {
  /// A line of a dump.
  package struct Row: Equatable, Sendable {
    /// The canonical IPAs, whole pages.
    package let canonical: Range<UInt64>
    /// The nested IPA of the first of them; nil if it is unknown.
    package let nested: UInt64?
    /// Its line, from 1.
    package let line: Int

    /// The row in the words of a dump.
    package var text: String {
      "\(Phrase.address(canonical.lowerBound))-\(Phrase.address(canonical.upperBound)) "
        + (nested.map { "known \(Phrase.address($0))" } ?? "unknown")
    }

    /// Whether it says the same as another row.
    package func says(_ other: Row) -> Bool {
      canonical == other.canonical && nested == other.nested
    }
  }

  /// Maximum number of rows read.
  package static let rowsAtMost = 1 << 22

  /// The rows of a dump, with a mail's quote marks or without, in the order of their canonical IPAs. Those of an
  /// exact map may overlap.
  ///
  /// - Throws: at the first line that is no row.
  package static func read(_ bytes: [UInt8]) throws(TextError) -> [Row] {
    let (rows, cut) = try readToCut(bytes)
    if let cut { throw cut.error }
    return rows
  }

  /// Where a dump broke off.
  package struct Cut: Sendable {
    /// The line that is no row, and why.
    package let error: TextError
    /// The canonical IPA before which all rows are there.
    package let end: UInt64
  }

  /// The same; of a dump that broke off within its last line, the rows before.
  package static func readToCut(
    _ bytes: [UInt8]
  ) throws(TextError) -> (rows: [Row], cut: Cut?) {
    // Each row has an end of line; after the last one nothing is missing.
    let isWhole = bytes.last.map { $0 == UInt8(ascii: "\n") } ?? true
    let lastLine = bytes.count { $0 == UInt8(ascii: "\n") } + 1
    let result = bytes.withUnsafeBufferPointer { buffer in
      Result { () throws(TextError) -> (rows: [Row], cut: Cut?) in
        var rows: [Row] = []
        var lines = Lines(buffer)
        while let line = lines.next() {
          let text = DumpReader.unquoted(line)
          if text.isEmpty { continue }
          guard rows.count < rowsAtMost else {
            throw TextError(line: lines.number, "more than \(rowsAtMost) rows")
          }
          let row: Row
          do throws(TextError) {
            row = try self.row(text, lines.number)
          } catch {
            if isWhole || lines.number < lastLine || rows.isEmpty { throw error }
            return (rows, Cut(error: error, end: end(of: rows)))
          }
          if let last = rows.last, last.canonical.lowerBound > row.canonical.lowerBound {
            throw TextError(
              line: lines.number, "a row below the one before it: expected ascending addresses")
          }
          rows.append(row)
        }
        return (rows, nil)
      }
    }
    return try result.get()
  }

  /// The canonical IPA before which no row can follow these. Rows of an exact map may begin where others are.
  private static func end(of rows: [Row]) -> UInt64 {
    let overlap = zip(rows, rows.dropFirst()).contains { $0.canonical.overlaps($1.canonical) }
    return rows.last.map { overlap ? $0.canonical.lowerBound : $0.canonical.upperBound } ?? 0
  }

  /// Whether a text's first line that is not empty is a row.
  package static func accepts(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBufferPointer { buffer in
      var lines = Lines(buffer)
      while let line = lines.next() {
        let text = DumpReader.unquoted(line)
        if !text.isEmpty { return (try? row(text, 1)) != nil }
      }
      return false
    }
  }

  private static func row(_ text: Words, _ number: Int) throws(TextError) -> Row {
    var rest = text
    guard rest.take("0x"), let start = rest.takeHex(), rest.take("-0x"), let end = rest.takeHex()
    else {
      throw TextError(line: number, "expected a range, as 0x80080000-0x80081000 known 0x1000")
    }
    guard start < end, end <= 1 << 48, (start | end).pageOffset == 0 else {
      throw TextError(line: number, "expected whole pages below 2^48")
    }
    let word = rest.takeWord()
    var nested: UInt64?
    if word == "known" {
      var value = rest.takeWord()
      guard value.take("0x"), let address = value.takeHex(), value.isEmpty,
        address.pageOffset == 0, address >> 48 == 0
      else {
        throw TextError(
          line: number, column: value.start - text.start + 1,
          "expected a nested IPA, a multiple of 4K below 2^48")
      }
      nested = address
    } else if !(word == "unknown") {
      throw TextError(
        line: number, column: word.start - text.start + 1, "expected 'known 0xADDRESS' or 'unknown'"
      )
    }
    rest.skipBlanks()
    guard rest.isEmpty else {
      throw TextError(
        line: number, column: rest.start - text.start + 1, "expected the end of the line")
    }
    return Row(canonical: start..<end, nested: nested, line: number)
  }

  /// The entries of a shadow, which must exist; empty if there are none.
  public static func text(ofShadow number: Int, in machine: Machine) -> String {
    rows(ofShadow: number, in: machine).map { $0.text + "\n" }.joined()
  }

  /// The same as rows, with their lines in that text.
  package static func rows(ofShadow number: Int, in machine: Machine) -> [Row] {
    machine.reverseMap(ofShadow: number).enumerated().map { index, entry in
      Row(canonical: entry.canonical, nested: entry.nested, line: index + 1)
    }
  }
}
