import ArgumentParser
import Engine
import Scenario

extension Pagewalk {
  /// `pagewalk compare`.
  struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Carry out the same events under several reverse maps, and say what each costs.",
      discussion: """
        removed: shadow leaves that notifiers and deleted slots took away; needed: those that had to go; \
        refaults: leaves that went without need and were faulted in again; entries, bytes, unknown, stale: \
        the most that all reverse maps held after an event. Below a table: each rule that a policy breaks, \
        with the first event that does.
        """)

    @Argument(help: "Scenarios.")
    var files: [String]

    @Option(
      help: ArgumentHelp(
        "Policies, with commas: none, v1, v2, v3, repaired, ideal.", valueName: "list"))
    var policies = ReverseMapPolicyName.allCases.map(\.rawValue).joined(separator: ",")

    @Flag(help: "Print one JSON object for each file.")
    var json = false

    func validate() throws {
      _ = try names()
    }

    private func names() throws -> [ReverseMapPolicyName] {
      try policies.split(separator: ",", omittingEmptySubsequences: false).map { text in
        guard let name = ReverseMapPolicyName(rawValue: String(text)) else {
          let all = ReverseMapPolicyName.allCases.map(\.rawValue).joined(separator: ", ")
          throw ValidationError("--policies: expected names of \(all), not '\(text)'")
        }
        return name
      }
    }

    func run() throws {
      let policies = try names()
      for (index, file) in files.enumerated() {
        let scenario = try Pagewalk.scenario(file)
        let costs = policies.map { scenario.cost(under: $0) }
        if json {
          try FileDescriptor.output.write(json: Report(file: file, policies: costs))
        } else {
          FileDescriptor.output.write(
            lines: (index > 0 ? "\n" : "") + CostTable(scenario, costs).text)
        }
      }
    }

    private struct Report: Encodable {
      let file: String
      let policies: [PolicyCost]
    }
  }
}
