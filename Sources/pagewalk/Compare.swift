import ArgumentParser
import Engine
import Scenario

extension Pagewalk {
  /// `pagewalk compare`.
  struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Carry out the same events under several policies, and say what each costs.",
      discussion: """
        The columns of the table for reverse maps:
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

        For policies about devices (rmp-order=rmp-first), windows are counted in
        micro-steps times pages of 4K:
          failing   DMA that fails in the middle of an event, to pages that it
                    reaches before and after
          stalled   DMA that is held up
          forbidden DMA that reaches memory of another owner
          needless  entries of the SMMU's TLB dropped though the table bears them out
          stale     the most entries after an event that no table bears out
          unused    the most bytes mapped for devices, less pages that DMA reached
          tables    the most bytes of tables of the devices' own

        Without a reverse map (none) the statements 'revmap fail' are left out.
        """)

    @Argument(help: "Scenarios.", completion: .scenario)
    var files: [String]

    @Option(
      help: ArgumentHelp(
        "Policies, with commas: none, v1, v2, v3, repaired, ideal; or KEY=VALUE, and several at once "
          + "with +. Without this option: all reverse maps if the VM is nested or has no devices, "
          + "else every value of each policy that the scenario sets.", valueName: "list"))
    var policies: String?

    @Flag(help: "Print one JSON object for each file.")
    var json = false

    func validate() throws {
      _ = try choices()
    }

    /// What was asked for, or nil.
    private func choices() throws -> [PolicyChoice]? {
      try policies?.split(separator: ",", omittingEmptySubsequences: false).map { text in
        do throws(ScenarioError) {
          return try PolicyChoice(String(text))
        } catch {
          if text.contains("=") { throw ValidationError("--policies \(text): \(error.message)") }
          let all = ReverseMapPolicyName.allCases.map(\.rawValue).joined(separator: ", ")
          throw ValidationError(
            "--policies: expected names of \(all), not '\(text)'; or KEY=VALUE")
        }
      }
    }

    func run() throws {
      let choices = try choices()
      for (index, file) in files.enumerated() {
        let scenario = try Pagewalk.scenario(file)
        let costs = scenario.costs(under: choices ?? PolicyChoice.choices(for: scenario))
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
