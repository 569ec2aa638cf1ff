import Engine
import Language

/// The chart as text, and its cells in words.
extension WindowChart {
  /// The chart: a line for each instant, a column for each run of pages.
  public var text: String { lines.joined() }

  /// The lines of the text, made lazily: a chart of many pages has many columns and many lines.
  public var lines: some Sequence<String> {
    let heads = [
      ["", ""] + columns.map { "\(deviceName($0))0x\(hex($0.range.lowerBound))" },
      ["", ""] + columns.map { "\($0.pages) page\($0.pages == 1 ? "" : "s")" },
    ]
    let labels = rows.map { $0.steps == 0 ? "before" : $0.label }
    let widths =
      [String(rows.count - 1).count, labels.map(\.count).max() ?? 0]
      + columns.indices.map { index in
        let cells = columns[index].cells.map { $0.text.count }.max() ?? 0
        return max(cells, heads[0][index + 2].count, heads[1][index + 2].count)
      }
    let lines = rows.indices.lazy.map { row in
      ["\(rows[row].steps)", labels[row]] + cells(ofRow: row).map(\.text)
    }
    return (0..<heads.count + rows.count).lazy.map { index in
      Self.line(index < heads.count ? heads[index] : lines[index - heads.count], widths)
    }
  }

  private static func line(_ cells: [String], _ widths: [Int]) -> String {
    let padded = cells.indices.map { column in
      let padding = String(repeating: " ", count: widths[column] - cells[column].count)
      return column == 0 ? padding + cells[column] : cells[column] + padding
    }
    return trimmed(padded.joined(separator: "  ")) + "\n"
  }

  private func deviceName(_ column: Column) -> String {
    columns.allSatisfy { $0.device == 0 } ? "" : "dev\(column.device) "
  }

  private static func trimmed(_ line: String) -> Substring {
    var end = line.endIndex
    while end > line.startIndex, line[line.index(before: end)] == " " {
      end = line.index(before: end)
    }
    return line[..<end]
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
