import Canvas
import Engine
import Inquiry
import Language

/// The columns of a table's rows, as many as fit into the width of its pane.
///
///     *▾L2 0x00000000 table of 5
///     * L3 0x00030000 → 0x800206000 RWX   4K ~
///
/// A column that does not fit is left out in all rows, so that columns stay aligned.
struct RowFormat {
  private let geometry: Geometry
  private let isFlat: Bool
  /// Columns for marks after a row.
  let markColumns: Int
  private let inputDigits: Int
  private let outputDigits: Int
  private let knowsOutputs: Bool
  private var prefix: SafeText = "0x"
  private var arrow: SafeText = " \(Glyph.right) "
  private var hasSize = true
  private var hasLevel = true
  private var hasOutput = true
  /// Columns of the words about a leaf, or 0.
  private var detailColumns = 0
  /// Whether the bits of a leaf are shown as a number.
  private var hasBits = false
  /// Whether a leaf's permissions are shown in words.
  private let hasWords: Bool

  /// - Parameters:
  ///   - inputEnd: The end of the input addresses that occur.
  ///   - outputEnd: The end of the output addresses that occur.
  ///   - markColumns: Columns that are left for marks.
  init(
    _ rows: Rows, inputEnd: UInt64, outputEnd: UInt64, width: Int, markColumns: Int = 1,
    detail: DetailLevel
  ) {
    self.markColumns = markColumns
    geometry = rows.reader.geometry
    isFlat = rows.face == .flat
    hasWords = detail == .plain
    inputDigits = Self.digits(inputEnd)
    knowsOutputs = geometry.format.knowsOutputs
    outputDigits = Self.digits(outputEnd)
    let omissions: [(inout RowFormat) -> Void] = [
      { $0.prefix = "" }, { $0.arrow = SafeText(.right) }, { $0.hasSize = false },
      { $0.hasLevel = false }, { $0.hasOutput = false },
    ]
    if hasWords { hasLevel = false }
    for omission in omissions where columns > width { omission(&self) }
    if detail == .bits, columns + Self.bitsColumns <= width { hasBits = true }
    if !hasWords, columns + Self.wordColumns <= width { detailColumns = Self.wordColumns }
  }

  private static func digits(_ end: UInt64) -> Int {
    max(8, String(max(end, 1) - 1, radix: 16).utf8.count)
  }

  private static let bitsColumns = 19
  private static let wordColumns = 8

  private var depth: Int { isFlat ? 0 : Geometry.lastLevel - geometry.startLevel }

  /// Columns of the widest row.
  private var columns: Int {
    let tree = isFlat ? 1 : depth + 2
    let level = hasLevel ? 3 : 0
    let input = prefix.columns + inputDigits + (isFlat ? 6 : 0)
    let output =
      !hasOutput ? 0 : arrow.columns + (knowsOutputs ? prefix.columns + outputDigits : 1)
    let rights = hasWords ? 1 + Permissions.shortColumns : 4
    return tree + level + input + output + rights + (hasSize ? 5 : 0) + markColumns
      + (hasBits ? Self.bitsColumns : 0) + detailColumns
  }

  /// An entry in its columns.
  func text(of row: Row, entries: Int) -> SafeText {
    var text =
      isFlat ? SafeText() : SafeText(repeating: " ", count: row.level - geometry.startLevel)
    if !isFlat { text += foldMark(of: row) }
    if hasLevel { text += row.kind == .absent ? "   " : "L\(row.level) " }
    text += number(row.address, digits: inputDigits)
    switch row.kind {
    case .table:
      return text + " table, \(entries) " + (entries == 1 ? "entry" : "entries")
    case .absent:
      return text + " not mapped" + absence(of: row)
    case .leaf, .removed, .coming:
      if isFlat { text += (" +" + size(row)).padded(to: 6) }
      return text + leaf(row)
    }
  }

  private func foldMark(of row: Row) -> SafeText {
    switch row.kind {
    case .table(let isOpen): SafeText(isOpen ? .foldOpen : .foldClosed)
    case .leaf where row.count > 1: SafeText(.foldClosed)
    default: " "
    }
  }

  private func leaf(_ row: Row) -> SafeText {
    let entry = row.descriptor
    guard isLeaf(row) else {
      return " " + SafeText(Phrase.entry(entry, level: row.level, in: geometry))
    }
    var text = SafeText()
    if hasOutput {
      let output = geometry.output(of: entry, at: row.level)
      text += arrow + (knowsOutputs ? number(output, digits: outputDigits) : "?")
    }
    text +=
      " "
      + (hasWords
        ? SafeText(entry.permissions.shortWords).padded(to: hasSize ? Permissions.shortColumns : 0)
        : SafeText(entry.permissions.text))
    if hasSize, !isFlat {
      text += (row.count > 1 ? "×\(row.count)" : size(row)).padded(to: 5, .right)
    }
    return text
  }

  /// Whether the row's entries map memory.
  func isLeaf(_ row: Row) -> Bool { geometry.kind(of: row.descriptor, at: row.level).isLeaf }

  /// Further facts about an entry, in the columns after it.
  func remarks(on row: Row) -> SafeText {
    guard row.kind != .absent, isLeaf(row) else { return "" }
    var text = detailColumns > 0 ? "  " + words(of: row).padded(to: 6) : ""
    if hasBits { text += " \(hex: row.descriptor.bits, digits: 16)" }
    return text
  }

  /// Further attributes of a leaf: accessed, a block, one of a contiguous run.
  private func words(of row: Row) -> SafeText {
    let entry = row.descriptor
    let kind: SafeText =
      entry.bits & Descriptor.contiguous != 0
      ? "CNT" : row.level < Geometry.lastLevel ? "BLK" : ""
    return (entry.bits & Descriptor.accessed != 0 ? "AF " : "   ") + kind
  }

  private func absence(of row: Row) -> SafeText {
    hasOutput && !hasWords ? ": L\(row.level) \(row.descriptor.isLocked ? "LOCKED" : "empty")" : ""
  }

  private func size(_ row: Row) -> SafeText {
    SafeText(Phrase.size(row.entrySize * UInt64(row.count)))
  }

  private func number(_ value: UInt64, digits: Int) -> SafeText {
    let text = String(value, radix: 16)
    return prefix
      + SafeText(String(repeating: "0", count: max(0, digits - text.utf8.count)) + text)
  }
}
