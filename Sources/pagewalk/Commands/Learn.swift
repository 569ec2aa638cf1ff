import ArgumentParser
import Canvas
import Glibc
import Language
import Lesson
import Terminal
import Viewer

extension Pagewalk {
  /// `pagewalk learn`.
  struct Learn: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "learn",
      abstract: "Learn by lessons that ask before they show.",
      discussion: """
        Without a name, the list of lessons and your progress. A lesson resumes where you left it. Answers are \
        marked by the engine; `pagewalk review` asks again after 1, 3, 7 and 14 days.

        What is typed with --plain, besides answers: \(Recital.Word.allCases.map(\.usage).joined(separator: ", ")).
        """)

    @Argument(help: "The number or the name of a lesson, or a file.", completion: .lesson)
    var lesson: String?

    @Flag(help: "From the beginning, wherever you left it.")
    var again = false

    @OptionGroup var options: LessonScreenOptions

    func run() throws {
      let progress = ProgressFile.read()
      guard let name = lesson else { return list(progress) }
      let (lesson, library) = try Pagewalk.lesson(name)
      let place = again ? nil : progress.place(in: lesson)
      try Pagewalk.play(options) { () throws(ScenarioError) in
        try Player(lesson, in: library, from: place, day: ProgressFile.today)
      }
    }

    /// Prints all lessons with the progress in each.
    private func list(_ progress: LearnerProgress) {
      let lessons = Library.shipped.lessons
      let names = 2 + (lessons.map(\.id.count).max() ?? 0)
      let titles = 2 + (lessons.map(\.title.count).max() ?? 0)
      var lines = lessons.enumerated().map { index, lesson in
        let count = progress.count(in: lesson)
        let number = SafeText("\(index + 1)").padded(to: 2, .right)
        let state =
          count.answered == 0 ? "" : ", \(count.right) of \(lesson.exercises.count) right"
        return "\(number)  \(SafeText(lesson.id).padded(to: names))"
          + "\(SafeText(lesson.title).padded(to: titles))\(Library.shipped.effort(of: lesson))\(state)"
      }
      let due = progress.due(on: ProgressFile.today).count
      if due > 0 { lines += ["", "\(due) due: `pagewalk review`"] }
      FileDescriptor.output.write(lines: lines.joined(separator: "\n"))
    }
  }

  /// `pagewalk review`.
  struct Review: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "review",
      abstract: "Answer again what is due: 1, 3, 7 and 14 days after the last right answer.",
      discussion: "Up to \(LearnerProgress.questionsAtMost) questions of lessons that were begun.")

    @OptionGroup var options: LessonScreenOptions

    func run() throws {
      let progress = ProgressFile.read()
      let library = Library.shipped
      let due = progress.due(on: ProgressFile.today).compactMap { library.exercise($0) }
        .prefix(LearnerProgress.questionsAtMost)
      guard !due.isEmpty else {
        let days = progress.nextDay.map { max(1, $0 - ProgressFile.today) }
        FileDescriptor.output.write(
          days.map { "Nothing is due. Next: in \($0) \($0 == 1 ? "day" : "days").\n" }
            ?? "Nothing is due. `pagewalk learn` lists the lessons.\n")
        return
      }
      try Pagewalk.play(options) { () throws(ScenarioError) in
        try Player(asking: Array(due), in: library, day: ProgressFile.today)
      }
    }
  }

  /// `pagewalk drill`.
  struct DrillCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "drill",
      abstract: "Endless questions of one kind, made from a seed and answered by the engine.",
      discussion: "Kinds:\n" + kinds)

    private static let kinds = Drill.Kind.allCases.map {
      "  \(SafeText($0.rawValue).padded(to: 12))\($0.meaning)"
    }.joined(separator: "\n")

    @Argument(help: "The kind.", completion: .list(Drill.Kind.allCases.map(\.rawValue)))
    var kind: Drill.Kind

    @Option(help: "The same seed gives the same questions.")
    var seed: UInt64 = 1

    @Option(help: "So many questions.")
    var count = 10

    @Flag(help: "Print the questions as a lesson's text, and ask nothing.")
    var text = false

    @OptionGroup var options: LessonScreenOptions

    func run() throws {
      guard (1...1000).contains(count) else {
        throw Failure.usage("--count: expected 1 to 1000, not \(count)")
      }
      let drill = Drill(kind, seed: seed, count: count)
      if text { return FileDescriptor.output.write(drill.text) }
      let library = Library.shipped
      try Pagewalk.play(options, keeps: false) { () throws(ScenarioError) in
        let lesson = try Lesson(parsing: Array(drill.text.utf8), file: "drill")
        return try Player(lesson, in: library, day: ProgressFile.today)
      }
    }
  }

  /// A lesson of the program, or of a file, and its library.
  static func lesson(_ name: String) throws -> (Lesson, Library) {
    var library = Library.shipped
    if name.hasSuffix(".md") || name == "-" {
      let bytes = try FileDescriptor.contents(of: name)
      do throws(ScenarioError) {
        let lesson = try Lesson(parsing: bytes, file: name)
        library.add(lesson)
        guard !lesson.isCollection else {
          throw ScenarioError(
            file: name, line: 1, column: 1, message: "expected a lesson: '~~~lesson' with an id")
        }
        return (lesson, library)
      } catch {
        throw Failure.input([error])
      }
    }
    if let lesson = library.lesson(name) { return (lesson, library) }
    throw Failure.usage(
      "there is no lesson \(name)"
        + (library.nearest(to: name).map { "; did you mean \($0)?" }
          ?? "; `pagewalk learn` lists them"))
  }

  /// Plays on the screen, or in lines without one.
  fileprivate static func play(
    _ options: LessonScreenOptions, keeps: Bool = true,
    _ player: () throws(ScenarioError) -> Player
  ) throws {
    let first: Player
    do throws(ScenarioError) {
      first = try player()
    } catch {
      throw Failure.input([error])
    }
    if !options.plain, isatty(0) == 1, isatty(1) == 1 {
      let preferences = try ConfigurationFile.read(options.look, options.screen)
      var screen = try Screen(nil, preferences, keepsAnswers: keeps) { width, height in
        Model(lesson: first, width: width, height: height, settings: preferences.settings)
      }
      return try screen.run()
    }
    let characters = Terminal.characters(
      asciiOnly: try ConfigurationFile.read(options.look, options.screen).ascii.value)
    try recite(Recital(first), keeps: keeps, in: characters)
  }

  /// Plays in lines. Records are kept before their outcome is printed.
  private static func recite(_ recital: Recital, keeps: Bool, in characters: Charset) throws {
    var recital = recital
    var isTold = false
    func keep() {
      let records = recital.takeRecords()
      guard keeps, let reason = ProgressFile.append(records) else { return }
      if !isTold { writeError(reason) }
      isTold = true
    }
    func say(_ lines: [String]) {
      let shown = lines.flatMap { line in
        let indent = line.prefix { $0 == " " }.count
        return SafeText(line.dropFirst(indent)).wrapped(to: 78 - min(indent, 20)).map {
          SafeText(String(repeating: " ", count: indent)) + $0
        }
      }
      FileDescriptor.output.write(shown.map { $0.shown(in: characters).string + "\n" }.joined())
    }
    keep()
    say(recital.greeting())
    while !recital.isFinished, let line = readLine() {
      do throws(ScenarioError) {
        let answer = try recital.take(line)
        keep()
        say(answer)
      } catch {
        throw Failure.input([error])
      }
    }
  }
}

/// Where and how a lesson is played.
struct LessonScreenOptions: ParsableArguments {
  @Flag(help: "Print lines, without any control sequence; the default without a terminal.")
  var plain = false

  @OptionGroup var look: LookOptions
  @OptionGroup var screen: ScreenOptions
}

extension Drill.Kind: ExpressibleByArgument {}

extension CompletionKind {
  /// A lesson of the program.
  static let lesson = CompletionKind.custom { _, _, prefix in
    Library.shipped.lessons.map(\.id).filter { $0.hasPrefix(prefix) }
  }
}
