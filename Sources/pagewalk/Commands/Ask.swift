import ArgumentParser
import Canvas
import Engine
import FoundationEssentials
import Inquiry
import Language
import Terminal

extension Pagewalk {
  /// `pagewalk ask`.
  struct Ask: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "ask",
      abstract: "Answer a question about a moment of a scenario.",
      discussion: """
        Questions:
        \(questions)

        ADDRESS is an input address of --table; without that, of the CPUs' table. 'why ADDRESS' is \
        provenance, 'why' alone explain. With --table revmap<N> it is a canonical IPA, and 'why' and \
        'entry' are asked about the range of the reverse map of shadow N that holds it. FILTER is a condition on entries, as the screen's filter takes \
        it; without --table it is asked of all tables.

        Exit code 1: the answer is no. Nothing was found, tables differ, or a rule does not hold.
        """)

    /// The questions with their meanings, in lines of at most 80 columns.
    private static let questions = Question.allCases.map { question in
      let facts = question.facts
      let usage = "  " + question.name + (facts.operand.usage.map { " " + $0 } ?? "")
      let lines = SafeText(facts.summary).wrapped(to: 80 - questionColumns).map(\.string)
      return SafeText(usage).padded(to: questionColumns).string
        + lines.joined(separator: "\n" + String(repeating: " ", count: questionColumns))
    }.joined(separator: "\n")

    private static let questionColumns = 26

    @OptionGroup var input: InputOptions

    @Argument(help: "What is asked.", completion: .list(Question.allCases.map(\.name)))
    var question: String

    @Argument(help: "What the question is asked with.")
    var operands: [String] = []

    @Option(help: momentHelp(), completion: .moment)
    var at = "end"

    @Option(help: ArgumentHelp("\(TableKind.forms), or revmap<N>.", valueName: "name"))
    var table: String?

    @Option(help: "How much is said: \(DetailLevel.names).")
    var detail = DetailLevel.engineer

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
      let asked = try askedQuestion()
      var subject: Subject
      do throws(Unanswerable) {
        subject = try Subject(asking: asked, operands, table: table)
      } catch {
        throw Failure.usage("ask \(asked.name): \(error.message)")
      }
      let scenario = try input.scenario()
      var session = try Pagewalk.session(scenario, at: at, for: "ask")
      let answer: any Answer
      do {
        let progress = Progress(
          "ask", events: scenario.eventCount * asked.facts.answer.passes(over: scenario))
        answer = try watching(progress) { progress in
          subject.noteEvent = { progress.advance() }
          return try asked.answer(about: subject, in: &session)
        }
      } catch let error as Unanswerable {
        throw Failure.usage("ask \(asked.name): \(error.message)")
      }
      if json {
        try FileDescriptor.output.write(json: answer)
      } else {
        let characters = Terminal.characters(asciiOnly: false)
        let lines = answer.told(detail).text.split(
          separator: "\n", omittingEmptySubsequences: false
        ).dropLast()
        FileDescriptor.output.write(
          lines.map { SafeText($0).shown(in: characters).string + "\n" }.joined())
      }
      if answer.isNo { throw Failure.no("") }
    }

    /// The named question.
    private func askedQuestion() throws -> Question {
      if let asked = Question(asked: question, with: operands) { return asked }
      let all = Question.allCases.map(\.name)
      let nearest = Spelling.nearest(to: question, in: all)
      throw Failure.usage(
        "ask: '\(question)' is not a question"
          + (nearest.map { "; did you mean '\($0)'?" } ?? ".") + " Questions: "
          + all.joined(separator: ", "))
    }
  }
}
