import ArgumentParser
import Canvas
import Scenarios
import Viewer

extension Pagewalk {
  /// `pagewalk scenarios`.
  struct Scenarios: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "scenarios",
      abstract: "List the scenarios of the program, or print one of them.",
      discussion: "Every command takes such a name where it takes a file.")

    @Argument(
      help: "The scenario whose statements are printed, as in rmp/iommu-first.",
      completion: .shippedScenario)
    var name: String?

    func run() throws {
      guard let name else { return list() }
      guard let scenario = ShippedScenario.named(name) else {
        throw Failure.usage("there is no scenario \(name); `pagewalk scenarios` lists them")
      }
      FileDescriptor.output.write(scenario.bytes)
    }

    /// Prints all by subject, each with its title.
    private func list() {
      var lines: [String] = []
      for system in [nil] + ShippedScenario.System.allCases.map(Optional.some) {
        if let system { lines += ["", system.title] }
        let scenarios = ShippedScenario.all.filter { $0.system == system }
        let width = 2 + (scenarios.map(\.name.utf8.count).max() ?? 0)
        for scenario in scenarios {
          lines.append("\(SafeText(scenario.name).padded(to: width))\(scenario.title)")
        }
      }
      FileDescriptor.output.write(lines: lines.joined(separator: "\n"))
    }
  }
}
