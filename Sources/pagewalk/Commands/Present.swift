import ArgumentParser
import Canvas
import Glibc
import Language
import Lesson
import Terminal
import Viewer

extension Pagewalk {
  /// `pagewalk present`.
  struct Present: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "present",
      abstract: "Show a lesson to a class, on a projector.",
      discussion: """
        Two panes. Enter, or the key for a page down that a remote control sends, goes on: from paragraph to \
        paragraph, and from a question to its outcome, of which nothing is seen before. Keys 1 to 9 count the \
        guesses of the class. Wrong guesses are refuted next, the most frequent first. Nothing is kept. `pagewalk notes` \
        shows on a second terminal what only the teacher sees.
        """)

    @Argument(help: "The number or the name of a lesson, or a file.", completion: .lesson)
    var lesson: String

    @Option(help: ArgumentHelp("Begin with this text or question.", valueName: "id"))
    var from: String?

    @OptionGroup var look: LookOptions
    @OptionGroup var screen: ScreenOptions

    func run() throws {
      let (lesson, library) = try Pagewalk.lesson(lesson)
      if let from, lesson.index(of: from) == nil {
        throw Failure.usage(
          "--from: \(lesson.id) has no '\(from)'; expected one of "
            + lesson.items.compactMap(\.id).joined(separator: ", "))
      }
      let player: Player
      do throws(ScenarioError) {
        player = try Player(
          lesson, in: library, from: from, day: ProgressFile.today, isForClass: true)
      } catch {
        throw Failure.input([error])
      }
      let preferences = try ConfigurationFile.read(look, screen)
      var settings = preferences.settings
      settings.isPresenting = true
      var screen = try Screen(nil, preferences, keepsAnswers: false) { width, height in
        Model(lesson: player, asksClass: true, width: width, height: height, settings: settings)
      }
      var teller: NotesTeller?
      do throws(NotesSocket.Failure) {
        teller = try NotesTeller()
      } catch {
        screen.refuse("No notes on a second terminal: \(SafeText(error.reason)).")
      }
      defer { teller?.end() }
      try screen.run(every: .milliseconds(200)) { model, _ in
        teller?.tell {
          model.teacherNotes.map { title, notes, guesses in
            NotesPage(title: title, lines: notes.lines.map(\.text.string), guesses: guesses)
          }
        }
      }
    }
  }

  /// `pagewalk notes`.
  struct Notes: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "notes",
      abstract: "Show a teacher's notes beside `pagewalk present`, on a second terminal.",
      discussion: """
        What the lesson's author says about the page that the class sees; of a question the answer, and what \
        is behind the wrong ones; and what comes next. It waits until a lesson is presented, and ends with it. \
        The two speak by a socket in $XDG_RUNTIME_DIR/pagewalk, which nobody else can open.
        """)

    @OptionGroup var options: LessonScreenOptions

    func run() throws {
      let preferences = try ConfigurationFile.read(options.look, options.screen)
      if !options.plain, isatty(0) == 1, isatty(1) == 1 {
        try show(preferences)
      } else {
        try write(in: Terminal.characters(asciiOnly: preferences.ascii.value))
      }
    }

    /// Milliseconds between checks for a presented lesson.
    private static let interval: Int32 = 200

    private static func listener() throws -> NotesListener? {
      do throws(NotesSocket.Failure) {
        return try NotesListener()
      } catch {
        throw Failure.environment("notes: \(error.reason)")
      }
    }

    private static let waiting = "Waiting for `pagewalk present`"

    /// Shows the notes on the terminal, until the lesson is over or the user ends it.
    private func show(_ preferences: Preferences) throws {
      var listener = try Self.listener()
      var view = NotesView(settings: preferences.settings)
      view.show(title: Self.waiting, [])
      try view.run(
        preferences, instead: "`pagewalk notes --plain`",
        every: .milliseconds(Int(Self.interval))
      ) { view in
        if listener == nil { listener = try Self.listener() }
        switch listener?.hear(waiting: 0) {
        case .page(let page)?: view.show(title: page.title, guesses: page.guesses, page.lines)
        case .end?: view.finish()
        case .nothing?, nil: break
        }
      }
    }

    /// Prints the notes in lines, until the lesson is over.
    private func write(in characters: Charset) throws {
      var listener = try Self.listener()
      if listener == nil { writeError(Self.waiting) }
      while listener == nil {
        poll(nil, 0, Self.interval)
        listener = try Self.listener()
      }
      var last: NotesPage?
      while true {
        switch listener?.hear(waiting: -1) {
        case .page(let page)?:
          var lines: [SafeText] = []
          if last?.title != page.title || last?.lines != page.lines {
            lines = ["", "--- \(SafeText(page.title))"]
            lines += page.lines.flatMap { SafeText($0).wrapped(to: 78) }
          }
          if !page.guesses.isEmpty { lines.append(SafeText(page.guesses)) }
          FileDescriptor.output.write(
            lines.map { $0.shown(in: characters).string + "\n" }.joined())
          last = page
        case .nothing?: break
        case .end?, nil: return
        }
      }
    }
  }
}
