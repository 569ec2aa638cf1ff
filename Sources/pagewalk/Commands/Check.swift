import ArgumentParser
import Engine
import Import
import Inquiry
import Language
import Observation

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

    func run() throws {
      let scenario = try input.scenario()
      let imported = try Imported([against], Imported.Hints())
      let chapters = imported.chapters.filter { !$0.tables.isEmpty || !$0.shadows.isEmpty }
      guard let first = chapters.first else {
        throw Failure.input("\(against): no table in it")
      }
      var session = try Pagewalk.session(scenario, at: "end", for: "check")
      var compared = 0
      if chapters.count == 1 {
        guard let moment = session.moment(named: at) else {
          throw Failure.usage("--at: expected \(session.momentHelp), not '\(at)'")
        }
        session.seek(to: moment)
        compared += try compare(first, &session)
      } else {
        let labels = Set(session.chapters.map(\.label))
        let known = chapters.filter { labels.contains($0.label) }
        if known.isEmpty {
          throw Failure.input(
            "\(against): no moment has the name of a chapter: "
              + chapters.prefix(5).map(\.label).joined(separator: ", "))
        }
        for chapter in known {
          if let moment = session.moment(named: "chapter:\(chapter.label)") {
            session.seek(to: moment)
          }
          compared += try compare(chapter, &session)
        }
      }
      FileDescriptor.output.write("\(compared) tables are those of the model\n")
    }

    /// Compares one moment; the number of tables that are equal.
    private func compare(_ chapter: RecordedChapter, _ session: inout Session) throws -> Int {
      let judgement = Judgement(chapter, with: session.timeline.machine)
      guard let difference = judgement.differences.first else { return judgement.compared }
      FileDescriptor.output.write(
        lines: (["\(chapter.label): \(difference.sentence)"]
          + details(of: difference, in: chapter, &session))
          .joined(separator: "\n"))
      throw Failure.no("")
    }

    private func details(
      of difference: Judgement.Difference, in chapter: RecordedChapter, _ session: inout Session
    ) -> [String] {
      guard let change = difference.change else { return [] }
      let table = difference.table
      let address = change.range.lowerBound
      var lines = ["", "observed, in \(chapter.label):"]
      if let observed = chapter.tables.first(where: { $0.id == table })?.table {
        lines +=
          change.before.map { ["  " + ObservedText.line($0, observed)] } ?? ["  nothing known"]
      }
      lines += ["predicted:"]
      if let reader = session.timeline.machine.reader(of: table) {
        for (page, index) in reader.path(to: address) {
          lines.append(
            "  level \(page.level) [\(index)] 0x\(hex(page[index].bits, 16)) at 0x\(hex(page.place(of: index)))"
          )
        }
      }
      var subject = Subject()
      subject.table = table
      subject.address = address
      guard let why = try? ProvenanceAnswer(about: subject, in: &session),
        let cause = why.causes.first
      else { return lines + ["The model never stored anything there."] }
      lines += ["the model's last change there, \(cause.moment.name): \(cause.what)"]
      if !cause.why.isEmpty { lines.append("  \(cause.why)") }
      session.seek(to: cause.moment)
      if let step = (try? ExplainAnswer(about: Subject(), in: &session))?.step {
        lines.append("  \(step.source)")
      }
      if let event = session.timeline.currentEvent {
        lines.append("  in: \(session.timeline.events[event].statement)")
      }
      return lines
    }
  }
}
