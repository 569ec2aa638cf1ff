import ArgumentParser
import Engine
import Inquiry
import Language

extension Pagewalk {
  /// `pagewalk windows`.
  struct Windows: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "windows",
      abstract: "Say what a DMA would get at every micro-step of an event.",
      discussion: """
        A line for each instant at which something changes, a column for each run of a device's pages with the \
        same outcomes; with more than 12 runs, a line for each. TLB: a translation that the SMMU has cached; walk: one that it finds in the table; else the fault and the \
        level at which the walk ends. ! marks a DMA that reaches memory of another owner.
        """)

    @OptionGroup var input: InputOptions

    @Option(help: momentHelp("The moment after the event"), completion: .moment)
    var at = "end"

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
      var session = try Pagewalk.session(input.scenario(), at: at, for: "windows")
      guard let event = session.timeline.currentEvent else {
        throw Failure.usage("--at: no event lies before '\(at)'")
      }
      let answer: WindowsAnswer
      do {
        answer = try WindowsAnswer(about: Subject(), in: &session)
      } catch {
        throw Failure.no(error.message)
      }
      guard let chart = answer.chart else {
        throw Failure.no("event \(event + 1) affects no page mapped for a device")
      }
      if json {
        try write(answer)
      } else {
        FileDescriptor.output.write("event \(event + 1): \(session.text(ofEvent: event))\n")
        FileDescriptor.output.write(chart.text)
      }
    }

    /// Writes the answer as JSON, row by row.
    private func write(_ answer: WindowsAnswer) throws {
      let output = FileDescriptor.output
      func begin(_ key: WindowsAnswer.CodingKeys) { output.write("\"\(key.stringValue)\":") }
      output.write("{")
      begin(.columns)
      output.write(try FileDescriptor.json(answer.columns))
      output.write(",")
      begin(.event)
      output.write("\(answer.event),")
      begin(.rows)
      output.write("[")
      for (index, row) in answer.rows.enumerated() {
        if index > 0 { output.write(",") }
        output.write(try FileDescriptor.json(row))
      }
      output.write("]}\n")
    }
  }
}
