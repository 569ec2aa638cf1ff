import ArgumentParser
import Engine
import Scenario

extension Pagewalk {
  /// `pagewalk compare`.
  struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Carry out the same events under several reverse maps, and say what each costs.",
      discussion: """
        The columns of the table:
          notify    MMU notifier calls that reached memory of the VM
          full      unmaps of everything in a shadow, whatever the reason
          removed   shadow leaves that notifiers and deleted slots took away
          needed    leaves that had to go then, if none had gone before without
                    need: what ideal removes. The same for all policies, so that
                    removed / needed can be compared; removed below needed means
                    leaves that stayed, or went by other ways
          refaults  leaves that went without need and were faulted in again
          entries   the most entries in the trees of all reverse maps after an event
          bytes     the most bytes of those trees' nodes
          unknown   the most bytes of canonical addresses without a nested IPA
          stale     the most known entries that no leaf bears out
          broken    rules that some event breaks: listed below the table, each with
                    the first event that does

        Without a reverse map (none) the statements 'revmap fail' are left out.
        """)

    @Argument(help: "Scenarios.", completion: .scenario)
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
        let costs = scenario.costs(under: policies)
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
