import Engine
import Language

/// The outcomes of DMA during the current event: a line for every micro-step, a column for every run of
/// pages with equal outcomes.
package struct WindowsAnswer: Answer {
  /// The chart; nil if the event affects no page that a device reaches.
  package let chart: WindowChart?
  /// Number of the event, from 1.
  package let event: Int
  /// Micro-steps of the event, and how many are done.
  private let steps, stepsDone: Int

  package init(about subject: Subject, in session: inout Session) throws(Unanswerable) {
    guard let event = session.timeline.currentEvent else {
      throw Unanswerable("Nothing has happened yet.")
    }
    self.event = event + 1
    steps = session.timeline.steps.count
    stepsDone = session.timeline.stepsDone
    if let known = subject.previous as? WindowsAnswer, known.event == event + 1 {
      chart = known.chart
    } else {
      chart = WindowChart(ofEvent: event, in: &session)
    }
  }

  package var isNo: Bool { chart == nil }

  /// Maximum number of chart columns in a report.
  private static let columnsAtMost = 200

  /// Columns before the cells.
  private static let labelColumns = 16

  package func report(_ detail: DetailLevel) -> Report {
    guard let chart else {
      return Report("This event affects no page mapped for a device.", .dim)
    }
    if detail == .plain { return plainReport(chart) }
    // A chart has as many cells as columns times rows: a screen gets the part near the moment.
    let columns = chart.columns.prefix(Self.columnsAtMost)
    let first = max(
      0, min(stepsDone - Report.linesAtMost / 2, chart.rows.count - Report.linesAtMost))
    let rows = first..<min(chart.rows.count, first + Report.linesAtMost)
    let heads = columns.map { heading(of: $0, in: chart) }
    let widths = columns.indices.map { column in
      let cells = chart.columns[column].cells.map { $0.text.unicodeScalars.count }
      return (cells + [heads[column].start.utf8.count, heads[column].extent.utf8.count]).max() ?? 0
    }
    var report = Report()
    for head in [heads.map(\.start), heads.map(\.extent)] {
      report.add(
        row: Report.Text("".padded(to: Self.labelColumns)),
        cells: zip(head, widths).map { Report.Text("  " + $0.padded(to: $1), .heading) })
    }
    report.endHeads()
    for index in rows {
      let row = chart.rows[index]
      let isNow = row.steps == stepsDone
      var line = Report.Text(isNow ? Sign.selected : " ", .key)
      line.add("\(row.steps)", .dim)
      let label = row.steps == 0 ? " before" : " " + row.label
      line.add(label.padded(to: Self.labelColumns - 1 - "\(row.steps)".utf8.count))
      let cells = zip(chart.cells(ofRow: index), widths).map { cell, width in
        Report.Text(
          "  " + cell.text.padded(to: width),
          cell.isForbidden ? .mismatch : cell.fails ? .warning : .valid)
      }
      // The event has no moment before its first micro-step.
      report.add(
        row: line, cells: cells, to: row.steps == 0 ? nil : .moment(moment(after: row.steps)))
      if isNow { report.markCurrent() }
    }
    report.addBlank()
    report.add(
      detail.text(
        "What a DMA gets at that instant: from the SMMU's TLB, by a walk, or a fault. "
          + "\(Sign.mismatch) reaches memory the device does not own."), .dim)
    if columns.count < chart.columns.count || rows.count < chart.rows.count {
      report.add(
        "Here are \(columns.count) of \(count(chart.columns.count, "column")) and \(rows.count) of "
          + "\(count(chart.rows.count, "row")); `pagewalk windows` writes all.", .dim)
    }
    return report
  }

  /// For each run of pages, from which micro-step on its DMA gets what.
  private func plainReport(_ chart: WindowChart) -> Report {
    var report = Report("What the device gets while the event runs", .title)
    for column in chart.columns.prefix(Report.linesAtMost) {
      report.addBlank()
      report.add(
        Report.Text(count(Int(column.pages), "page"), .heading)
          .adding(" from device address \(hex: column.range.lowerBound) on"),
        to: .place(.iommu(column.device), column.range.lowerBound))
      for (row, cell) in column.told {
        let step = chart.rows[row].steps
        report.add(
          Report.Text(step == 0 ? "  at first  " : "  from step \(step) on  ", .dim)
            .adding(
              cell.plain, cell.isForbidden ? .mismatch : cell.fails ? .warning : .valid),
          to: step == 0 ? nil : .moment(moment(after: step)), indent: 4)
      }
    }
    report.addRest(of: chart.columns.count)
    return report
  }

  /// The start of a column, and its size: in pages if they are few.
  private func heading(
    of column: WindowChart.Column, in chart: WindowChart
  ) -> (start: String, extent: String) {
    let isOne = chart.columns.allSatisfy { $0.device == 0 }
    let extent =
      column.pages < 10_000
      ? count(Int(column.pages), "page") : Phrase.size(column.pages * Page.size)
    return ((isOne ? "" : "dev\(column.device) ") + "\(hex: column.range.lowerBound)", extent)
  }

  private func moment(after count: Int) -> Moment {
    count >= steps ? Moment(events: event) : Moment(events: event - 1, steps: count)
  }
}

/// A chart in JSON.
extension WindowsAnswer {
  package struct Column: Encodable {
    let device: Int
    @Hex var start: UInt64
    let pages: UInt64
  }

  package struct Row: Encodable {
    let steps: Int
    let label: String
    let what: String
    let cells: [Cell]
  }

  struct Cell: Encodable {
    let text: String
    @Hex var read: UInt64?
    @Hex var write: UInt64?
    let forbidden: Bool
  }

  /// The keys, also of who writes the rows one by one.
  package enum CodingKeys: CodingKey { case event, columns, rows }

  /// The columns' heads.
  package var columns: [Column] {
    chart?.columns.map {
      Column(device: $0.device, start: $0.range.lowerBound, pages: $0.pages)
    } ?? []
  }

  /// The rows, made lazily: a chart of many pages has many columns and many rows.
  package var rows: some Sequence<Row> {
    (chart?.rows.indices ?? 0..<0).lazy.compactMap { index in
      guard let chart else { return nil }
      let row = chart.rows[index]
      return Row(
        steps: row.steps, label: row.label, what: row.what,
        cells: chart.cells(ofRow: index).map {
          Cell(
            text: $0.text, read: $0.read.physical, write: $0.write.physical,
            forbidden: $0.isForbidden)
        })
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(event, forKey: .event)
    try container.encode(columns, forKey: .columns)
    try container.encode(Array(rows), forKey: .rows)
  }
}
