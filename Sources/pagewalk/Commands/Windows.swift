import ArgumentParser
import Engine
import Inquiry
import Language

extension Pagewalk {
  /// `pagewalk windows`.
  struct Windows: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Say what a DMA would get at every micro-step of an event.",
      discussion: """
        A line for each instant, a column for each run of a device's pages that fare alike. TLB: a \
        translation that the SMMU has cached; walk: one that it finds in the table; else the fault and the \
        level at which the walk ends. ! marks a DMA that reaches memory of another owner.
        """)

    @OptionGroup var input: InputOptions

    @Option(help: momentHelp("The moment after the event"))
    var at = "end"

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
      var session = try Pagewalk.session(input.scenario(), at: at, for: "windows")
      guard let event = session.timeline.currentEvent else {
        throw Failure.usage("--at: no event lies before '\(at)'")
      }
      guard let chart = WindowChart(ofEvent: event, in: &session) else {
        throw Failure.no("event \(event + 1) concerns no page of an attached device")
      }
      if json {
        try FileDescriptor.output.write(json: WindowRecord(chart))
      } else {
        FileDescriptor.output.write("event \(event + 1): \(session.text(ofEvent: event))\n")
        // A chart of many pages is long: it is not put together first.
        for line in chart.lines { FileDescriptor.output.write(line) }
      }
    }
  }
}

/// A chart as `windows --json` prints it. Addresses are hexadecimal texts.
private struct WindowRecord: Encodable {
  struct Column: Encodable {
    let device: Int
    let start: String
    let pages: UInt64
  }

  struct Row: Encodable {
    let steps: Int
    let label: String
    let what: String
    let cells: [Cell]
  }

  struct Cell: Encodable {
    let text: String
    let read: String?
    let write: String?
    let forbidden: Bool
  }

  let event: Int
  let columns: [Column]
  let rows: [Row]

  init(_ chart: WindowChart) {
    event = chart.event
    columns = chart.columns.map {
      Column(device: $0.device, start: "0x" + hex($0.range.lowerBound), pages: $0.pages)
    }
    rows = chart.rows.enumerated().map { index, row in
      Row(
        steps: row.steps, label: row.label, what: row.what,
        cells: chart.cells(ofRow: index).map { cell in
          Cell(
            text: cell.text, read: cell.read.physical.map { "0x" + hex($0) },
            write: cell.write.physical.map { "0x" + hex($0) }, forbidden: cell.isForbidden)
        })
    }
  }
}
