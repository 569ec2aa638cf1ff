import ArgumentParser
import Canvas
import Engine
import Inquiry
import Language

extension Pagewalk {
  /// `pagewalk compare`.
  struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "compare",
      abstract: "Carry out the same events under several policies, and say what each costs.",
      discussion: """
        The columns of the table for reverse maps:
        \(legend(CostColumn.reverseMaps))

        For policies about devices (rmp-order=rmp-first):
        \(legend(CostColumn.devices))

        Last, for both:
        \(legend([CostColumn.broken]))

        The reverse maps:
        \(ReverseMapVersion.allCases.map { row($0.name, $0.summary) }.joined(separator: "\n"))

        Without a reverse map (none) the statements 'revmap fail' are left out.
        """)

    /// The columns with their meanings, in lines of at most 80 columns.
    private static func legend(_ columns: [CostColumn]) -> String {
      columns.map { column in
        let lines = SafeText(column.meaning).wrapped(to: 67).map(\.string)
        return row(
          column.name, lines.joined(separator: "\n" + String(repeating: " ", count: 12)))
      }.joined(separator: "\n")
    }

    private static func row(_ name: String, _ text: String) -> String {
      "  " + SafeText(name).padded(to: 10).string + text
    }

    @Argument(help: "Scenarios.", completion: .scenario)
    var files: [String]

    @Option(
      help: ArgumentHelp(
        "Policies, with commas: \(ReverseMapVersion.names); or KEY=VALUE, and several at once "
          + "with +. Without this option: all reverse maps if the VM is nested or has no devices, "
          + "else every value of each policy that the scenario sets.", valueName: "list"))
    var policies: String?

    @Flag(help: "Print one JSON object for each file.")
    var json = false

    @Option(
      help: ArgumentHelp(
        "Carry out at most so many policies at the same time; without it, one for each processor.",
        valueName: "n"))
    var jobs: Int?

    func validate() throws {
      if let jobs, jobs < 1 { throw ValidationError("--jobs: expected 1 or more, not \(jobs)") }
      _ = try choices()
    }

    /// The requested choices, or nil.
    private func choices() throws -> [PolicyChoice]? {
      try policies?.split(separator: ",", omittingEmptySubsequences: false).map { text in
        do throws(ScenarioError) {
          return try PolicyChoice(String(text))
        } catch {
          if text.contains("=") { throw ValidationError("--policies \(text): \(error.message)") }
          let all = ReverseMapVersion.allCases.map(\.rawValue).joined(separator: ", ")
          throw ValidationError(
            "--policies: expected names of \(all), not '\(text)'; or KEY=VALUE")
        }
      }
    }

    func run() throws {
      let choices = try choices()
      for (index, file) in files.enumerated() {
        let scenario = try Pagewalk.scenario(file)
        let costs = costs(of: scenario, under: choices ?? PolicyChoice.choices(for: scenario))
        if json {
          try FileDescriptor.output.write(json: Report(file: file, policies: costs))
        } else {
          FileDescriptor.output.write(
            lines: (index > 0 ? "\n" : "") + CostTable(scenario, costs).text)
        }
      }
    }

    /// The costs of a scenario, independent of the number of jobs.
    private func costs(of scenario: Scenario, under choices: [PolicyChoice]) -> [PolicyCost] {
      let comparison = Comparison(of: scenario, under: choices)
      let events = scenario.eventCount
      let progress = Progress(
        "compare", events: events * comparison.runCount, runs: comparison.runCount)
      return watching(progress) { progress in
        comparison.costs(
          ofChoices: inParallel(comparison.runCount, jobs: jobs ?? .max) { run in
            var left = events
            let cost = comparison.cost(ofRun: run) {
              progress.advance()
              left -= 1
            }
            progress.finishRun(leaving: left)
            return cost
          })
      }
    }

    private struct Report: Encodable {
      let file: String
      let policies: [PolicyCost]
    }
  }
}
