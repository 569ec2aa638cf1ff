import Canvas
import Engine
import Scenario

extension Model {
  /// What DMA gets while the current event is carried out: a line for every micro-step, a column for every
  /// run of pages that fare alike. Lines lead to their moments.
  var windowsAnswer: Document {
    guard let windows else {
      return Document([Line("No page that a device reaches is concerned by this event.", .dim)])
    }
    var document = Document()
    let columns = windows.columns.indices.map { column in
      windows.rows.map { $0.cells[column].text.count }.max() ?? 0
    }
    let heads = windows.columns.map { column -> (SafeText, SafeText) in
      let device: SafeText =
        windows.columns.allSatisfy { $0.device == 0 } ? "" : "dev\(column.device) "
      return (
        device + "\(hex: column.range.lowerBound)",
        column.pages == 1 ? "1 page" : "\(column.pages) pages"
      )
    }
    let widths = columns.indices.map { max(columns[$0], heads[$0].0.columns, heads[$0].1.columns) }
    for head in [heads.map(\.0), heads.map(\.1)] {
      var line = Line(SafeText(repeating: " ", count: Self.windowColumns))
      for (text, width) in zip(head, widths) { line.add("  " + text.padded(to: width), .heading) }
      document.add(row: line, fixed: Self.windowColumns)
    }
    for row in windows.rows {
      let isNow = row.steps == windowsStep
      var line = Line(isNow ? SafeText(.selected) : " ", .key)
      line.add("\(row.steps)" as SafeText, .dim)
      line.add(row.steps == 0 ? " before" : " " + SafeText(row.label))
      line.add(SafeText(repeating: " ", count: max(0, Self.windowColumns - line.columns)))
      for (cell, width) in zip(row.cells, widths) {
        line.add(
          "  " + SafeText(cell.text).padded(to: width),
          cell.isForbidden ? .mismatch : cell.fails ? .warning : .valid)
      }
      // Before its first micro-step there is no moment of the event.
      document.add(
        row: line, fixed: Self.windowColumns,
        to: row.steps == 0 ? nil : .moment(moment(ofWindow: row.steps)))
    }
    document.addBlank()
    document.add(
      "What a DMA gets at that instant: from the SMMU's TLB, by a walk, or a fault. "
        + "\(Glyph.mismatch) reaches what is not the device's.", .dim)
    return document
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
