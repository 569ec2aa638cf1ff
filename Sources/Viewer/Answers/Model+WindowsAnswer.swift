import Canvas
import Engine
import Inquiry
import Language

extension Model {
  /// What DMA gets while the current event is carried out: a line for every micro-step, a column for every
  /// run of pages that fare alike. Lines lead to their moments.
  var windowsAnswer: Document {
    guard let windows else {
      return Document([Line("No page that a device reaches is concerned by this event.", .dim)])
    }
    var document = Document()
    let columns = windows.columns.indices.map { column in
      windows.columns[column].cells.map { $0.text.count }.max() ?? 0
    }
    let heads = windows.columns.map { heading(of: $0, in: windows) }
    let widths = columns.indices.map {
      max(columns[$0], heads[$0].start.columns, heads[$0].extent.columns)
    }
    for head in [heads.map(\.start), heads.map(\.extent)] {
      document.add(
        row: Line(SafeText(repeating: " ", count: Self.windowColumns)),
        cells: zip(head, widths).map { Line("  " + $0.padded(to: $1), .heading) })
    }
    document.heads = document.items.count
    for (index, row) in windows.rows.enumerated() {
      let isNow = row.steps == windowsStep
      var line = Line(isNow ? SafeText(.selected) : " ", .key)
      line.add("\(row.steps)" as SafeText, .dim)
      line.add(row.steps == 0 ? " before" : " " + SafeText(row.label))
      line.add(SafeText(repeating: " ", count: max(0, Self.windowColumns - line.columns)))
      let cells = zip(windows.cells(ofRow: index), widths).map { cell, width in
        Line(
          "  " + SafeText(cell.text).padded(to: width),
          cell.isForbidden ? .mismatch : cell.fails ? .warning : .valid)
      }
      // Before its first micro-step there is no moment of the event.
      document.add(
        row: line, cells: cells, to: row.steps == 0 ? nil : .moment(moment(ofWindow: row.steps)))
    }
    document.addBlank()
    document.add(
      "What a DMA gets at that instant: from the SMMU's TLB, by a walk, or a fault. "
        + "\(Glyph.mismatch) reaches what is not the device's.", .dim)
    return document
  }

  /// Where a column begins, and how much it is: pages as far as one counts them.
  private func heading(
    of column: WindowChart.Column, in chart: WindowChart
  ) -> (start: SafeText, extent: SafeText) {
    let isOne = chart.columns.allSatisfy { $0.device == 0 }
    let extent: SafeText =
      switch column.pages {
      case 1: "1 page"
      case ..<10_000: "\(column.pages) pages"
      default: SafeText(Phrase.size(column.pages * 4096))
      }
    return ((isOne ? "" : "dev\(column.device) ") + "\(hex: column.range.lowerBound)", extent)
  }

  /// Brings the line of the current micro-step into sight.
  mutating func chooseStepOfWindows() {
    if question == .windows { detail.choice = max(0, windowsStep - 1) }
  }

  private static let windowColumns = 16

  /// Micro-steps of the charted event that are done.
  private var windowsStep: Int { timeline.stepsDone }

  /// The moment of a line of the chart.
  private func moment(ofWindow steps: Int) -> Moment {
    guard let event = timeline.currentEvent else { return Moment(events: 0) }
    return steps >= timeline.steps.count
      ? Moment(events: event + 1) : Moment(events: event, steps: steps)
  }
}
