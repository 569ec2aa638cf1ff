import ArgumentParser
import Engine
import FoundationEssentials
import Import
import KernelText
import Language

extension Pagewalk {
  /// `pagewalk run`.
  struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "run",
      abstract: "Carry out a scenario and check what it expects.")

    @OptionGroup var input: InputOptions

    @Option(
      help: ArgumentHelp(
        "Write the kernel's dumps at the end of every chapter to FOLDER/LABEL/.",
        valueName: "folder"),
      completion: .directory)
    var dumpDir: String?

    @Flag(help: "Print one JSON object for each event, with its micro-steps and changes.")
    var json = false

    @Flag(
      help:
        "Check the rules that must hold after every event; one that is broken gives exit code 1.")
    var check = false

    func run() throws {
      var session = Session(try input.scenario(), keepsPast: false, recordsSteps: json)
      var violations = 0
      let events = session.scenario.eventCount
      try watching(Progress("run", events: events), streams: json) { progress in
        while let statement = try advance(&session) {
          switch statement.kind {
          case .event:
            if json { try FileDescriptor.output.write(json: EventRecord(last: session)) }
            if check { violations += checkInvariants(&session) }
            progress.advance()
          case .chapter(let label, _): try writeDumps(session, label)
          case .expect: break
          }
        }
      }
      Pagewalk.tellLeftOut(of: session)
      for failure in session.failures {
        writeError(
          "\(session.scenario.position(of: failure.origin)): not as expected: \(failure.message)")
      }
      if !json { printSummary(session, violations) }
      if !session.failures.isEmpty || violations > 0 { throw Failure.no("") }
    }

    private func advance(_ session: inout Session) throws -> Statement? {
      do {
        return try session.advance()
      } catch {
        throw Failure.input(session.scenario.refusals())
      }
    }

    private func printSummary(_ session: Session, _ violations: Int) {
      let expectations = session.scenario.statements.besidesEvents.count {
        if case .expect = $0.kind { true } else { false }
      }
      func count(_ number: Int, _ thing: String) -> String {
        "\(number) \(thing)\(number == 1 ? "" : "s")"
      }
      let parts = [
        count(session.eventsDone, "event"), count(session.chapters.count, "chapter"),
        count(expectations, "expectation"), "\(session.failures.count) failed",
      ]
      FileDescriptor.output.write(
        (parts + (check ? [count(violations, "violation")] : [])).joined(separator: ", ") + "\n")
    }

    private func checkInvariants(_ session: inout Session) -> Int {
      let last = session.timeline.events.count - 1
      let runs = ViolationRun.runs(of: session.violations())
      for run in runs {
        writeError(
          "\(session.scenario.position(of: session.origin(ofEvent: last))): event "
            + "\(session.eventsDone) breaks \(run.first.invariant.rawValue) at "
            + run.place(in: session.timeline.machine)
        )
      }
      return runs.count
    }

    /// Writes debugfs's files for a VM at the end of a chapter, and its number: labels give no order.
    private func writeDumps(_ session: Session, _ label: String) throws {
      guard let dumpDir else { return }
      let machine = session.timeline.machine
      guard !label.isEmpty, !label.hasPrefix("."), !label.contains("/") else {
        throw Failure.input("\(input.file): the chapter's label '\(label)' cannot name a folder")
      }
      let folder = dumpDir + "/" + label
      let nested = folder + "/nested"
      let shadows = machine.configuration.shadows
      do {
        try FileManager.default.createDirectory(
          atPath: shadows > 0 ? nested : folder, withIntermediateDirectories: true)
        try write("\(session.chapters.count)\n", folder + "/" + RecordedChapter.numberFile)
        try write(KernelDump.text(of: .canonical, in: machine), folder + "/stage2_page_tables")
        try write(KernelDump.ipaRange(of: machine), folder + "/ipa_range")
        try write(KernelDump.levels(of: machine), folder + "/stage2_levels")
        for number in 0..<shadows {
          try write(
            KernelDump.text(of: .shadow(number), in: machine), nested + "/nested_mmu\(number)")
          try write(ReverseMapDump.text(ofShadow: number, in: machine), folder + "/revmap\(number)")
        }
      } catch {
        throw Failure.cannotWrite(folder, error)
      }
    }

    private func write(_ text: String?, _ path: String) throws {
      try Data((text ?? "").utf8).write(to: URL(filePath: path))
    }
  }
}
