import Engine
import Language

/// The chart as text, and its cells in words.
extension WindowChart {
  /// The chart: a line for each instant at which a DMA begins to fare otherwise, a column for each run of
  /// pages. With many runs, a line for each instead.
  public var text: String { lines.joined() }

  /// Maximum number of columns of a chart that is read across.
  private static let columnsAcross = 12

  /// The lines of the text: as many as differ.
  public var lines: [String] { columns.count > Self.columnsAcross ? runLines : chartLines }

  private var chartLines: [String] {
    let heads = [
      ["", ""] + columns.map { "\(deviceName($0))\(Phrase.address($0.range.lowerBound))" },
      ["", ""] + columns.map { pageCount($0.pages) },
    ]
    let told = Set(columns.flatMap { $0.changes.map(\.row) } + [0]).sorted()
    let lines = told.map { row in
      ["\(rows[row].steps)", label(ofRow: row)] + cells(ofRow: row).map(\.text)
    }
    let widths = (0..<columns.count + 2).map { column in
      (heads + lines).map { $0[column].count }.max() ?? 0
    }
    return (heads + lines).map { Self.line($0, widths) }
  }

  private func label(ofRow row: Int) -> String { rows[row].steps == 0 ? "before" : rows[row].label }

  private func pageCount(_ pages: UInt64) -> String { "\(pages) page\(pages == 1 ? "" : "s")" }

  /// Adjacent columns with the same outcomes in the same order, at perhaps other instants.
  private var runs: [Range<Int>] {
    var runs: [Range<Int>] = []
    for index in columns.indices {
      if let last = runs.last, case let before = columns[last.upperBound - 1],
        before.device == columns[index].device,
        before.range.upperBound == columns[index].range.lowerBound,
        before.cells.map(\.text) == columns[index].cells.map(\.text)
      {
        runs[runs.count - 1] = last.lowerBound..<index + 1
      } else {
        runs.append(index..<index + 1)
      }
    }
    return runs
  }

  /// A line for each run: its pages, and from which micro-steps on their DMA gets what.
  private var runLines: [String] {
    runs.map { run in
      let first = columns[run.lowerBound]
      let pages = columns[run].reduce(0) { $0 + $1.pages }
      let changes = first.changes.indices.map { index in
        let steps = columns[run].map { rows[$0.changes[index].row].steps }
        let (start, end) = (steps.min() ?? 0, steps.max() ?? 0)
        let place = start == end ? "\(start)" : "\(start)..\(end)"
        return "\(place) \(first.changes[index].cell.text)"
      }
      return "\(deviceName(first))\(Phrase.address(first.range.lowerBound))  \(pageCount(pages)):  "
        + changes.joined(separator: ", ") + "\n"
    }
  }

  private static func line(_ cells: [String], _ widths: [Int]) -> String {
    let padded = cells.indices.map { column in
      let padding = String(repeating: " ", count: widths[column] - cells[column].count)
      return column == 0 ? padding + cells[column] : cells[column] + padding
    }
    return padded.joined(separator: "  ").trimmedAtEnd + "\n"
  }

  private func deviceName(_ column: Column) -> String {
    columns.allSatisfy { $0.device == 0 } ? "" : "dev\(column.device) "
  }
}

extension WindowChart.Cell {
  /// The outcome in a few words: the source of the translation and its size, or the fault and its level;
  /// `read-only` if a write has another outcome, `!` if it reaches forbidden memory.
  public var text: String {
    let mark = isForbidden ? " !" : ""
    if read.physical != nil, write.physical == nil { return read.text + " read-only" + mark }
    if read.physical == nil, write.physical != nil { return write.text + " write-only" + mark }
    return read.text + mark
  }
}

extension DeviceOutcome {
  /// The outcome in at most 15 columns.
  public var text: String {
    switch self {
    case .cached(_, let level): "TLB \(Self.size(level))"
    case .walked(_, let level): "walk \(Self.size(level))"
    case .bypassed: "bypass"
    case .fault(let fault, let level): "\(fault.text) L\(level)"
    case .aborted: "abort"
    case .stalled: "stalled"
    }
  }

  private static func size(_ level: Int) -> String {
    Phrase.size(Geometry.stage2(bits: VMConfiguration.physicalBits).size(level))
  }
}

extension DeviceFault {
  /// The class in a word.
  var text: String {
    switch self {
    case .badStreamEntry: "bad STE"
    case .granule: "GPF"
    case .rmp: "RMP"
    case .translation: "translation"
    case .addressSize: "size"
    case .accessFlag: "access flag"
    case .permission: "permission"
    case .conflict: "conflict"
    }
  }
}

extension WindowChart.Cell {
  /// The outcome as a clause without abbreviations.
  package var plain: String {
    let words =
      if read.physical != nil, write.physical == nil {
        read.plain + ", but only to read"
      } else if read.physical == nil, write.physical != nil {
        write.plain + ", but only to write"
      } else {
        read.plain
      }
    return words + (isForbidden ? ", although the memory is not the device's to use" : "")
  }
}

extension DeviceOutcome {
  fileprivate var plain: String {
    switch self {
    case .cached: "a cached translation leads to the memory"
    case .walked: "the table leads to the memory"
    case .bypassed: "the address is used as it is"
    case .fault(let fault, _): "the access fails: \(fault.plain)"
    case .aborted: "the access fails: no table is set for the device"
    case .stalled: "the access waits"
    }
  }
}

extension DeviceFault {
  fileprivate var plain: String {
    switch self {
    case .badStreamEntry: "the record about the device is not valid"
    case .granule, .rmp: "the memory is recorded as somebody else's, or in pieces of another size"
    case .translation: "no entry maps the address"
    case .addressSize: "the entry leads beyond all memory"
    case .accessFlag: "the entry is not marked as used"
    case .permission: "the entry does not permit it"
    case .conflict: "two cached translations name the address"
    }
  }
}
