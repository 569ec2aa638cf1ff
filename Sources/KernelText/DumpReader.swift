import Engine
import Observation

/// Reads stage-2 dumps of any kernel: from debugfs or a mail, with CRLF or stripped blanks.
///
/// A dump is interpreted by its contents, never by a kernel version. Six dialects exist:
///
/// | dialect | kernels | it is known by |
/// |---|---|---|
/// | mark | 6.12 | `X` where the entry must NOT execute, blank where it may |
/// | words | 7.1, 7.2, 7.3 | `px ux`, `PXNux`, `PXNUXN`, `px UXN` |
/// | names | Android's | levels PGD PUD PMD PTE, the start level always PGD; `XN`, `FnXS`, `CON` |
///
/// Kernels up to 7.2 do not print the last run. Up to 7.1 a dump of more than 4096 bytes has no marker,
/// and its first row is the last run, which makes the dump complete again.
package enum DumpReader {
  /// How a kernel words its rows.
  package enum Dialect: Equatable, Sendable {
    case mark, words, names
    /// No row has attributes, so all dialects are equal.
    case any

    /// Its name in a sentence.
    package var name: String {
      switch self {
      case .mark: "dump of Linux 6.12's form: X is execute-never"
      case .words: "dump of the form of Linux 7.1 and later"
      case .names: "dump of Android's form"
      case .any: "dump without a leaf"
      }
    }

    /// The descriptor bits that its rows contain.
    fileprivate var known: UInt64 {
      let common =
        Descriptor.valid | Descriptor.tableOrPage | Descriptor.read | Descriptor.write
        | Descriptor.accessed
      return switch self {
      case .mark: common | 1 << 54
      case .words, .any: common | Descriptor.executeNeverMask
      case .names: common | 1 << 54 | 1 << 11 | Descriptor.contiguous
      }
    }
  }

  /// The contents of a text.
  package struct Reading: Equatable, Sendable {
    /// The tables, in their order.
    package var tables: [ObservedTable] = []
    /// How the kernel words its rows.
    package var dialect = Dialect.any
    /// Whether a table was printed after the kernel restarted with a larger buffer.
    package var hasRestarted = false
    /// Lines outside dumps.
    package var skipped = SkippedLines()
  }

  /// Maximum number of rows read from one text.
  package static let rowsAtMost = 1 << 24

  /// Reads the dumps in a text, in order; none from an empty file, like that of a shadow not in use.
  ///
  /// - Parameter inputBits: the VM's `ipa_range`, 48 for a shadow; nil if unknown.
  /// - Throws: where a row contradicts itself, the row before it, or the input size.
  package static func read(_ bytes: [UInt8], inputBits: Int? = nil) throws(TextError) -> Reading {
    let result = bytes.withUnsafeBufferPointer { buffer in
      Result { () throws(TextError) in
        var parser = Parser(inputBits: inputBits)
        var lines = Lines(buffer)
        while let line = lines.next() { try parser.add(line, lines.number) }
        return try parser.finish(at: lines.number)
      }
    }
    return try result.get()
  }

  /// Whether a text begins like a row of a dump.
  fileprivate static func isRow(_ row: Words) -> Bool {
    guard row.hasPrefix("0x"), row.count > 20 else { return false }
    var rest = row.dropFirst(2)
    return rest.takeHex() != nil && rest.hasPrefix("-0x")
  }

  /// A line without a mail's quote marks.
  static func unquoted(_ line: Words) -> Words {
    var rest = line
    _ = rest.take { Words.isBlank($0) || $0 == UInt8(ascii: ">") || $0 == UInt8(ascii: "|") }
    rest.trimEnd()
    return rest
  }

  /// A row of any dialect.
  private struct Row {
    var start: UInt64 = 0
    var end: UInt64 = 0
    var level = 0
    var bits: UInt64 = 0
    var dialect: Dialect?
    /// Whether its level has a name, and the name is PGD.
    var isNamed = false
    var isRoot = false
  }

  private struct Parser {
    let inputBits: Int?
    private var reading = Reading()
    private var rows: [ObservedTable.Run] = []
    private var context: ObservedTable.Context?
    private var isOpen = false
    /// The first row of a restarted table: the last run, and the end of the first.
    private var restart: Row?
    private var dialect: Dialect?
    /// Whether some run has attributes, and the line of the first without execute permissions.
    private var hasAttributes = false
    private var silentLine: Int?
    private var rowCount = 0
    /// A row that the next line may go on with: a mail program breaks lines.
    private var pending: Pending?

    private struct Pending {
      let text: Words
      let number: Int
      /// Whether no line feed follows.
      let isLast: Bool
      var rest: [UInt8] = []
    }

    init(inputBits: Int?) { self.inputBits = inputBits }

    mutating func add(_ line: Words, _ number: Int) throws(TextError) {
      let text = DumpReader.unquoted(line)
      if text.isEmpty { return }
      if let row = pending, Self.goesOn(row.text, with: text) {
        pending?.rest += [0x20] + text.bytes[text.start..<text.end]
        return
      }
      try addPending()
      let isRow = DumpReader.isRow(text)
      if !isRow, text.last == UInt8(ascii: "-"), text.after("---[ ") != nil {
        if isOpen, !rows.isEmpty || restart != nil { try close(at: number) }
        isOpen = true
        return
      }
      if !isRow, let context = Self.context(text) {
        if isOpen { try close(at: number) }
        self.context = context
        isOpen = true
        return
      }
      guard let row = isRow ? text : Self.prefixed(text) else {
        reading.skipped.add(number, "no row of a dump")
        return
      }
      pending = Pending(text: row, number: number, isLast: line.end == line.bytes.count)
    }

    /// A row behind what some tool puts before each line: a number, a file's name, the kernel log's time. Nil if
    /// there is none, or not all of it is a row.
    private static func prefixed(_ line: Words) -> Words? {
      var rest = line
      while let after = rest.after("0x") {
        let found = Words(line.bytes, after.start - 2..<line.end)
        if DumpReader.isRow(found) { return (try? row(found, 1)) == nil ? nil : found }
        rest = after
      }
      return nil
    }

    /// Whether a line is the rest of a row that was broken: attributes, or what the row lacks before them.
    private static func goesOn(_ row: Words, with text: Words) -> Bool {
      guard let first = text.first, first != UInt8(ascii: "0") || text[1] != UInt8(ascii: "x")
      else {
        return false
      }
      var rest = text
      let word = rest.takeWord()
      if attributeWords[word] != nil { return true }
      return Words.isDigit(first) && (try? Self.row(row, 1)) == nil
        || levels.contains { word == $0.name } && (try? Self.row(row, 1)) == nil
    }

    /// Reads the row that is complete now.
    private mutating func addPending() throws(TextError) {
      guard let row = pending else { return }
      pending = nil
      let number = row.number
      rowCount += 1
      if rowCount > DumpReader.rowsAtMost {
        throw TextError(line: number, "more than \(DumpReader.rowsAtMost) rows: this is no dump")
      }
      let found = Result { () throws(TextError) in
        if row.rest.isEmpty { return try Self.row(row.text, number) }
        let whole = row.text.bytes[row.text.start..<row.text.end] + row.rest
        return try Array(whole).withUnsafeBufferPointer { buffer in
          Result { () throws(TextError) in
            try Self.row(Words(buffer, 0..<buffer.count), number)
          }
        }.get()
      }
      switch found {
      case .success(let row): try add(row, number)
      case .failure(let error):
        // What broke off in the middle of a row has all rows before it.
        guard row.isLast, rowCount > 1 else { throw error }
        reading.skipped.add(number, "the text ends in the middle of a row")
      }
    }

    private mutating func add(_ row: Row, _ number: Int) throws(TextError) {
      isOpen = true
      if row.start > row.end {
        // The kernel had already shown everything, and its state was still at the end.
        if !rows.isEmpty || restart != nil { try close(at: number) }
        isOpen = true
        restart = row
        reading.hasRestarted = true
        if row.end != 0 { append(row, 0..<row.end, number) }
      } else if row.start == row.end {
        throw TextError(
          line: number, "a row of no addresses: expected an end above \(Phrase.address(row.start))")
      } else {
        let expected = rows.last?.end ?? 0
        if row.start != expected {
          // Another dump without a marker, as two files one after the other.
          guard row.start == 0, !rows.isEmpty else {
            throw TextError(
              line: number,
              "a row that begins at \(Phrase.address(row.start)): expected \(Phrase.address(expected))"
            )
          }
          try close(at: number)
          isOpen = true
        }
        append(row, row.start..<row.end, number)
      }
      if row.bits != 0 {
        hasAttributes = true
        if row.dialect == nil, silentLine == nil { silentLine = number }
      }
      if row.isNamed {
        dialect = .names
      } else if let found = row.dialect {
        if let dialect, dialect != found, dialect != .names {
          throw TextError(line: number, "a row of another kernel than those before it")
        }
        dialect = dialect == .names ? .names : found
      }
    }

    private mutating func append(_ row: Row, _ range: Range<UInt64>, _ number: Int) {
      rows.append(
        ObservedTable.Run(
          range, level: row.isRoot ? Self.rootLevel : row.level, descriptor: Descriptor(row.bits),
          line: number))
    }

    /// The level PGD is the table's start level, which its end or lower rows determine.
    private static let rootLevel = -1

    /// Ends a table.
    private mutating func close(at number: Int) throws(TextError) {
      defer {
        rows = []
        context = nil
        restart = nil
        isOpen = false
      }
      let bits = inputBits ?? (context == nil ? nil : 48)
      var coverage = ObservedTable.Coverage.whole
      let end = rows.last?.end ?? 0
      if let bits, bits < 64 {
        if end > 1 << UInt64(bits) {
          throw TextError(
            line: number,
            "a row ends at \(Phrase.address(end)), beyond \(bits) bits of input addresses")
        }
        if let restart, end < 1 << UInt64(bits), restart.start == end {
          append(restart, end..<1 << UInt64(bits), number)
        } else if end < 1 << UInt64(bits) {
          coverage = .lastRunMissing
        }
      } else if restart != nil || end < 1 << 32 || end & (end - 1) != 0 {
        coverage = .lastRunMissing
      }
      nameLevels(bits)
      reading.tables.append(
        ObservedTable(context: context, runs: rows, known: 0, coverage: coverage))
    }

    /// Android's kernels always call the root's level PGD.
    private mutating func nameLevels(_ bits: Int?) {
      guard rows.contains(where: { Int($0.level) == Self.rootLevel }) else { return }
      let end = bits.map { UInt64(1) << UInt64(min(63, $0)) } ?? rows.last?.end ?? 0
      var width = 32
      while width < 48, UInt64(1) << UInt64(width) < end { width += 1 }
      let level = Geometry.stage2(bits: width).startLevel
      rows = rows.map { run in
        Int(run.level) == Self.rootLevel
          ? ObservedTable.Run(
            run.range, level: level, descriptor: run.descriptor, line: Int(run.line)) : run
      }
    }

    mutating func finish(at number: Int) throws(TextError) -> Reading {
      try addPending()
      if isOpen { try close(at: number) }
      reading.dialect = dialect ?? (hasAttributes ? .mark : .any)
      if reading.dialect == .words, let silentLine {
        throw TextError(
          line: silentLine, "a row without px, ux, PXN or UXN: expected as in the others")
      }
      for index in reading.tables.indices { reading.tables[index].known = reading.dialect.known }
      return reading
    }

    /// The line above a shadow's rows: `VTCR: 0x... VTTBR: 0x... s2: enabled`.
    private static func context(_ line: Words) -> ObservedTable.Context? {
      guard var rest = line.after("VTCR: 0x"), let vtcr = rest.takeHex(), rest.take(" VTTBR: 0x"),
        let vttbr = rest.takeHex(), rest.take(" s2: ")
      else { return nil }
      guard rest == "enabled" || rest == "disabled" else { return nil }
      return ObservedTable.Context(vtcr: vtcr, vttbr: vttbr, stage2Enabled: rest == "enabled")
    }

    private static func row(_ text: Words, _ number: Int) throws(TextError) -> Row {
      func fail(_ rest: Words, _ message: String) -> TextError {
        TextError(line: number, column: rest.start - text.start + 1, message)
      }
      var rest = text
      var row = Row()
      guard rest.take("0x"), let start = rest.takeHex(), rest.take("-0x"),
        let end = rest.takeHex()
      else { throw fail(rest, "expected a range, as 0x0000000040000000-0x0000000040001000") }
      row.start = start
      row.end = end
      rest.skipBlanks()
      let sizeText = rest
      guard let count = rest.takeDecimal(), let unit = rest.takeByte(),
        let power = "KMGTPE".utf8.enumerated().first(where: { $0.element == unit })?.offset
      else { throw fail(rest, "expected a size, as 4K") }
      let size = (end &- start) >> 10
      if count << UInt64(10 * power) != size {
        throw fail(sizeText, "a size that is not that of the range, which is \(size)K")
      }
      let level = rest.takeWord()
      if level.count == 1, let digit = level.first, digit &- 0x30 < 4 {
        row.level = Int(digit &- 0x30)
      } else if let found = levels.first(where: { level == $0.name }) {
        (row.isNamed, row.isRoot) = (true, found.level == nil)
        row.level = found.level ?? 0
      } else {
        throw fail(level, "expected a level, 0 to 3 or PGD, PUD, PMD or PTE")
      }
      try attributes(&rest, &row, fail)
      return row
    }

    /// Android's names of levels; PGD is the table's start level.
    private static let levels: [(name: StaticString, level: Int?)] = [
      ("PGD", nil), ("PUD", 1), ("PMD", 2), ("PTE", 3),
    ]

    /// What a word says of an entry.
    private struct Attribute {
      var bits: UInt64 = 0
      /// The dialect that has the word, if not all have it.
      var dialect: Dialect?
      var isInvalid = false
      var isBlock = false
    }

    private static let attributeWords = NameTable<Attribute>([
      ("F", Attribute(isInvalid: true)), ("R", Attribute(bits: Descriptor.read)),
      ("W", Attribute(bits: Descriptor.write)), ("AF", Attribute(bits: Descriptor.accessed)),
      ("BLK", Attribute(isBlock: true)), ("X", Attribute(bits: 1 << 54, dialect: .mark)),
      ("XN", Attribute(bits: 1 << 54, dialect: .names)),
      ("FnXS", Attribute(bits: 1 << 11, dialect: .names)),
      ("CON", Attribute(bits: Descriptor.contiguous, dialect: .names)),
      ("px", Attribute(dialect: .words)), ("ux", Attribute(dialect: .words)),
      ("PXNux", Attribute(bits: 1 << 53, dialect: .words)),
      ("PXNUXN", Attribute(bits: 2 << 53, dialect: .words)),
      ("UXN", Attribute(bits: 3 << 53, dialect: .words)),
    ])

    /// Attributes by their words, with any blanks between them.
    private static func attributes(
      _ rest: inout Words, _ row: inout Row, _ fail: (Words, String) -> TextError
    ) throws(TextError) {
      var all = Attribute()
      var hasAny = false
      while case let word = rest.takeWord(), !word.isEmpty {
        guard let found = attributeWords[word] else {
          throw fail(word, "'\(word.string)' is no attribute of an entry")
        }
        hasAny = true
        row.bits |= found.bits
        row.dialect = found.dialect ?? row.dialect
        all.isInvalid = all.isInvalid || found.isInvalid
        all.isBlock = all.isBlock || found.isBlock
      }
      if hasAny, !all.isInvalid {
        row.bits |= Descriptor.valid | (all.isBlock ? 0 : Descriptor.tableOrPage)
      }
    }
  }
}
