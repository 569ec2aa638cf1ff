import ArgumentParser
import Engine
import Import
import Language

extension Pagewalk {
  /// `pagewalk check`.
  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "check",
      abstract: "Hold the tables of a scenario against those of a real kernel.",
      discussion: """
        DIR is a VM's folder of debugfs, a copy of it, or a folder or tar of such folders as moments. One \
        moment is compared with the moment --at; several are compared with the chapters of their names. Where \
        a table differs, the first row that does is shown, with both walks to it and what the model did \
        there last, and in which function of the kernel; the exit code is then 1.
        """)

    @OptionGroup var input: InputOptions

    @Option(
      help: ArgumentHelp("The tables of the real kernel.", valueName: "dir"), completion: .directory
    )
    var against: String

    @Option(
      help: momentHelp("Of one moment in DIR, the moment of the scenario"), completion: .moment)
    var at = "end"

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
      let scenario = try input.scenario()
      let imported = try Imported([against], Imported.Hints())
      let chapters = imported.chapters.filter { !$0.tables.isEmpty || !$0.shadows.isEmpty }
      guard let first = chapters.first else {
        throw Failure.input("\(against): no table in it")
      }
      var session = try Pagewalk.session(scenario, at: "end", for: "check")
      var equal = 0
      var difference: Discrepancy?
      for (chapter, moment) in try moments(first, chapters, session) {
        session.seek(to: moment)
        let judgement = Judgement(chapter, with: session.timeline.machine)
        equal += judgement.compared - judgement.differences.count
        if let found = judgement.differences.first {
          difference = Discrepancy(found, in: chapter, &session)
          break
        }
      }
      if json {
        try FileDescriptor.output.write(
          json: ComparisonRecord(equal: equal, difference: difference))
      } else {
        FileDescriptor.output.write(
          lines: difference?.lines.joined(separator: "\n")
            ?? "\(equal) tables are those of the model")
      }
      if difference != nil { throw Failure.no("") }
    }

    /// What was seen, each with the moment of the scenario that it is held against.
    private func moments(
      _ first: RecordedChapter, _ chapters: [RecordedChapter], _ session: Session
    ) throws -> [(RecordedChapter, Moment)] {
      if chapters.count == 1 {
        guard let moment = session.moment(named: at) else {
          throw Failure.usage("--at: expected \(session.momentHelp), not '\(at)'")
        }
        return [(first, moment)]
      }
      let found = chapters.compactMap { chapter in
        session.moment(named: "chapter:\(chapter.label)").map { (chapter, $0) }
      }
      if found.isEmpty {
        throw Failure.input(
          "\(against): no moment has the name of a chapter: "
            + chapters.prefix(5).map(\.label).joined(separator: ", "))
      }
      return found
    }
  }
}
