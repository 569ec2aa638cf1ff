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
      let imported = try Imported([against], Imported.Hints(), for: .tables)
      let chapters = imported.chapters.filter {
        !$0.tables.isEmpty || !$0.shadows.isEmpty || !$0.reverseMaps.isEmpty
      }
      guard let first = chapters.first else {
        throw Failure.input("\(against): no table in it")
      }
      var session = try Pagewalk.session(scenario, at: "end", for: "check")
      let found = ComparisonRecord(try moments(first, chapters, session), in: &session)
      if json {
        try FileDescriptor.output.write(json: found)
      } else {
        FileDescriptor.output.write(
          lines: found.difference?.lines.joined(separator: "\n")
            ?? "\(found.equal) tables are those of the model")
      }
      if found.difference != nil { throw Failure.no("") }
    }

    /// What was seen, each with the moment of the scenario that it is held against.
    private func moments(
      _ first: RecordedChapter, _ chapters: [RecordedChapter], _ session: Session
    ) throws -> [(chapter: RecordedChapter, moment: Moment)] {
      if chapters.count == 1 {
        var session = session
        return [(first, try Pagewalk.moment(at, of: "--at", in: &session))]
      }
      let found = ComparisonRecord.moments(chapters, in: session)
      if found.isEmpty {
        throw Failure.input(
          "\(against): no moment has the name of a chapter: "
            + chapters.prefix(5).map(\.label).joined(separator: ", "))
      }
      return found
    }
  }
}
