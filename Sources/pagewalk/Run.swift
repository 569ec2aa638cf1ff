import ArgumentParser
import Engine
import FoundationEssentials
import KernelText
import Language

extension Pagewalk {
  /// `pagewalk run`.
  struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Carry out a scenario and check what it expects.")

    @Argument(help: "A scenario, or - for the standard input.", completion: .scenario)
    var file: String

    @Option(
      help: ArgumentHelp(
        "Write the kernel's dumps of every step to FOLDER/LABEL/.", valueName: "folder"),
      completion: .directory)
    var dumpDir: String?

    @Option(help: Pagewalk.policyHelp, completion: .policy)
    var policy: [String] = []

    @Flag(help: "Print one JSON object for each event, with its micro-steps and changes.")
    var json = false

    @Flag(
      help:
        "Check the rules that must hold after every event; one that is broken gives exit code 1.")
    var check = false

    func run() throws {
      var session = Session(try Pagewalk.scenario(file, policies: policy))
      var violations = 0
      var finished = false
      while !finished {
        let statement: Statement?
        do {
          statement = try session.advance()
        } catch {
          throw Failure.input(error.description)
        }
        switch statement?.kind {
        case .event:
          if json { try printEvent(&session) }
          if check { violations += checkInvariants(session) }
        case .step(let label, _): try writeDumps(session.timeline.machine, label)
        case .expect: break
        case nil: finished = true
        }
      }
      for failure in session.failures {
        writeError(
          "\(session.scenario.file):\(failure.line):1: not as expected: \(failure.message)")
      }
      if !json { printSummary(session, violations) }
      if !session.failures.isEmpty || violations > 0 { throw Failure.no("") }
    }

    private func printSummary(_ session: Session, _ violations: Int) {
      let expectations = session.scenario.statements.count {
        if case .expect = $0.kind { true } else { false }
      }
      func count(_ number: Int, _ thing: String) -> String {
        "\(number) \(thing)\(number == 1 ? "" : "s")"
      }
      let parts = [
        count(session.timeline.events.count, "event"), count(session.chapters.count, "step"),
        count(expectations, "expectation"), "\(session.failures.count) failed",
      ]
      FileDescriptor.output.write(
        (parts + (check ? [count(violations, "violation")] : [])).joined(separator: ", ") + "\n")
    }

    private func checkInvariants(_ session: Session) -> Int {
      let last = session.timeline.events.count - 1
      let violations = session.timeline.machine.violations(
        after: session.timeline.stores(ofEvent: last))
      let runs = ViolationRun.runs(of: violations)
      for run in runs {
        writeError(
          "\(session.scenario.file):\(session.line(ofEvent: last)):1: event \(last + 1) breaks "
            + "\(run.first.invariant.rawValue) at \(run.place) of \(run.first.table.name)")
      }
      return runs.count
    }

    /// The files that debugfs has for a VM.
    private func writeDumps(_ machine: Machine, _ label: String) throws {
      guard let dumpDir else { return }
      guard !label.isEmpty, !label.hasPrefix("."), !label.contains("/") else {
        throw Failure.input("\(file): the step label '\(label)' cannot name a folder")
      }
      let folder = dumpDir + "/" + label
      let nested = folder + "/nested"
      let shadows = machine.configuration.shadows
      do {
        try FileManager.default.createDirectory(
          atPath: shadows > 0 ? nested : folder, withIntermediateDirectories: true)
        try write(KernelDump.text(of: .canonical, in: machine), folder + "/stage2_page_tables")
        try write(KernelDump.ipaRange(of: machine), folder + "/ipa_range")
        try write(KernelDump.levels(of: machine), folder + "/stage2_levels")
        for number in 0..<shadows {
          try write(
            KernelDump.text(of: .shadow(number), in: machine), nested + "/nested_mmu\(number)")
          try write(ReverseMapDump.text(ofShadow: number, in: machine), folder + "/revmap\(number)")
        }
      } catch {
        throw Failure.environment("\(folder): cannot be written")
      }
    }

    private func write(_ text: String?, _ path: String) throws {
      try Data((text ?? "").utf8).write(to: URL(filePath: path))
    }
  }
}
